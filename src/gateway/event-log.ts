import type { Logger } from 'pino';
import { readCatalogue } from '../config/catalogue.ts';
import { ACCOUNT_STATE_VERSION, type Account } from '../domain/account/account.ts';
import { accountDecider } from '../domain/account/decide.ts';
import { contactDecider } from '../domain/contacts/contact.ts';
import { PRICES_STREAM, priceDecider } from '../domain/prices/decide.ts';
import type { Margin } from '../domain/prices/proposals.ts';
import { mailDecider } from '../domain/mail/mail.ts';
import { paymentDecider } from '../domain/payments/decide.ts';
import { reactionDecider } from '../domain/reactions/parked-reactions.ts';
import { termsDecider } from '../domain/terms/terms.ts';
import { approvalDecider } from '../domain/approvals/approvals.ts';
import { adminTokenDecider } from '../domain/identity/admin-token.ts';
import { claimDecider } from '../domain/identity/claims.ts';
import { personDecider } from '../domain/identity/decide-person.ts';
import { serviceTokenDecider } from '../domain/identity/service-tokens.ts';
import { invitationDecider } from '../domain/identity/invitations.ts';
import { staffDecider } from '../domain/identity/staff.ts';
import { createCommands } from '../eventstore/commands.ts';
import { journal } from '../eventstore/journal/codec.ts';
import { createCommitter } from '../eventstore/committer.ts';
import { createDataKeys } from '../eventstore/secrets/data-keys.ts';
import { createFold } from '../eventstore/fold.ts';
import { beginLogClockAt, keepClockReal, readLogClock } from '../eventstore/postgres/log-clock.ts';
import type { MigrateOptions } from '../eventstore/postgres/database/migrate.ts';
import type { ReadableVersions } from '../eventstore/event-versions.ts';
import { UNSTATED_VERSIONS } from '../eventstore/journal/unstated-versions.ts';
import { createVault } from '../eventstore/journal/personal-data.ts';
import type { Patiently } from '../eventstore/postgres/database/patience.ts';
import { migratePostgresStore } from '../eventstore/postgres/postgres.ts';
import { checkLogOwner, createLog } from '../eventstore/create-log.ts';
import { checkSecrets } from '../eventstore/secrets/secret-checks.ts';
import { obtainSharedSecrets } from '../eventstore/secrets/shared-secrets.ts';
import { createSnapshots } from '../eventstore/postgres/snapshots.ts';
import { createTermsTexts } from '../eventstore/journal/terms-texts.ts';
import { readTermsFiles, type TermsFile } from '../config/terms-files.ts';
import { announceEnds, publishPrices } from './publishing/publish-prices.ts';
import { publishStarters, storePublishedTexts } from './publishing/publish-terms.ts';
import type { OutageLog } from './health/outage.ts';
import { openRewinds } from './health/rewinds.ts';
import { migrateRuns, readableByLiveRuns } from '../reactions/runs/runs.ts';
import { checkedSecrets, type Secrets } from './secrets.ts';
import {
  checkStoreOfLog,
  completeCopy,
  eventStoreReports,
  reportLostKeys,
  watchEffects,
  lateEffects,
} from './health/event-store.ts';
import { withCopy, withPause } from './health/pause.ts';

export type EventLog = Awaited<ReturnType<typeof openEventLog>>;

export type EventLogOptions = {
  readonly databaseUrl: string;
  /** EventStoreDB, which then commits the log. */
  readonly eventStoreUrl: string | undefined;
  readonly secrets: Secrets;
  /** The id of the master key for the data keys of new accounts. */
  readonly wrapWith: () => string;
  /** A log of production keeps real time. */
  readonly production: boolean;
  /** Begins an empty log at this time in the past. */
  readonly clockStart?: Date | undefined;
  readonly patiently: Patiently;
  readonly outage: OutageLog;
  /** Options of the migrations. */
  readonly migration: MigrateOptions;
  /** Contains the newest head that was seen: see seen-heads.ts. */
  readonly dataDir: string;
  readonly log: Logger;
  /** The margin of proposed prices over the cost. */
  readonly priceMargin: Margin;
  /** Defaults to the files in legal/. */
  readonly termsFiles?: readonly TermsFile[];
};

/** An event of EventStoreDB is usually in the copy by then. If it is not, there is no snapshot, and nothing is lost. */
const COPIED_AFTER_MS = 500;
/** The first version of PriceListed that has the cost. */
const COST_SINCE = 2;

/** Opens the event log with its commands and its secrets, and publishes terms and prices. Must be closed. */
export const openEventLog = async (options: EventLogOptions) => {
  const { databaseUrl, eventStoreUrl, secrets, wrapWith, dataDir, patiently, outage, migration, log } = options;
  const { priceMargin: margin, termsFiles } = options;
  await patiently(() => migratePostgresStore(databaseUrl, migration));
  await patiently(() => checkLogOwner({ databaseUrl, eventStoreUrl }));
  await patiently(() => checkStoreOfLog(options));
  await patiently(() => setClock(options));
  const { masterKeys } = secrets;
  const dataKeys = createDataKeys(databaseUrl, masterKeys, wrapWith);
  await patiently(dataKeys.check);
  await patiently(() => checkSecrets(databaseUrl, checkedSecrets(secrets)));
  const [newest, ...older] = secrets.peppers;
  const peppers = [newest.secret, ...older.map(({ secret }) => secret)] as const;
  const shared = await patiently(() => obtainSharedSecrets({ databaseUrl, masterKeys, peppers }));
  const effects = watchEffects(options);
  const copyIsWhole = (from: number, to: number): void => {
    effects.require(to);
    reportLostKeys(dataKeys, from, log);
  };
  const rewinds = await patiently(() => openRewinds({ databaseUrl, dataDir, outage, copyIsWhole, log }));
  /** Between two heartbeats, a database can be put back without a trace, and the log can be copied again at once. */
  const interrupted = (): void => {
    doubt();
    if (eventStoreUrl !== undefined) rewinds.copyMayBeBack();
  };
  let doubt = (): void => undefined;
  const store = createLog(
    { databaseUrl, eventStoreUrl },
    { ...rewinds.storeOptions, ...eventStoreReports(log, outage), interrupted },
  );
  await completeCopy(store, log);
  /** Completions would rest on what a part of the database has forgotten. */
  const isPaused = (): boolean => rewinds.isOpen() || rewinds.copyIsBack() || effects.missing !== undefined;
  const committer = createCommitter({
    store,
    changed: createAppendLog(log, outage),
  });
  const snapshots = createSnapshots<Account>({
    ...{ databaseUrl, version: ACCOUNT_STATE_VERSION, secret: shared.snapshots },
    afterMs: eventStoreUrl === undefined ? 0 : COPIED_AFTER_MS,
  });
  // Versions that all releases can read, until the releases of the running nodes are known.
  let readable = UNSTATED_VERSIONS;
  const writing = { store: store.streams, committer, codec: journal, readable: (): ReadableVersions => readable };
  const decider = withCopy(withPause(accountDecider, isPaused), () => store.copyLag?.ms ?? 0);
  const accounts = createCommands({ ...writing, decider, snapshots });
  const prices = createCommands({ ...writing, decider: priceDecider });
  const terms = createCommands({ ...writing, decider: termsDecider });
  const mails = createCommands({ ...writing, decider: mailDecider });
  const payments = createCommands({ ...writing, decider: paymentDecider });
  const reactions = createCommands({ ...writing, decider: reactionDecider });
  const contacts = createCommands({ ...writing, decider: contactDecider });
  const persons = createCommands({ ...writing, decider: personDecider });
  const claims = createCommands({ ...writing, decider: claimDecider });
  const serviceTokens = createCommands({ ...writing, decider: serviceTokenDecider });
  const roles = {
    invitations: createCommands({ ...writing, decider: invitationDecider }),
    staff: createCommands({ ...writing, decider: staffDecider }),
    adminToken: createCommands({ ...writing, decider: adminTokenDecider }),
    approvals: createCommands({ ...writing, decider: approvalDecider }),
  };

  const dropOthers: (() => Promise<void> | void)[] = [];
  await rewinds.start(store, async () => {
    const all = [
      accounts,
      prices,
      terms,
      mails,
      payments,
      reactions,
      contacts,
      persons,
      claims,
      serviceTokens,
      ...Object.values(roles),
    ];
    for (const commands of all) commands.recheckAll();
    for (const drop of dropOthers) await drop();
  });

  const termsTexts = createTermsTexts(databaseUrl);
  const files = termsFiles ?? (await readTermsFiles());
  const { now } = await patiently(() => readLogClock(databaseUrl));
  // Terms and prices are published before the first heartbeat of this run.
  await patiently(() => migrateRuns(databaseUrl, migration));
  const late = eventStoreUrl === undefined ? undefined : await lateEffects(store, effects, databaseUrl);
  if (late) copyIsWhole(late.from, late.to);
  readable = await patiently(() => readableByLiveRuns(databaseUrl));
  await patiently(() => publishStarters({ terms, texts: termsTexts, files, now: () => now }, ['terms']));
  await patiently(() => storePublishedTexts({ terms, texts: termsTexts, files }, log));
  const catalogue = await readCatalogue();
  const costIsReadable = (readable['PriceListed'] ?? 0) >= COST_SINCE;
  await patiently(() => publishPrices({ prices, catalogue, margin, log, now, costIsReadable }));
  const { state: listed } = await patiently(() => prices.read(PRICES_STREAM));

  return {
    store,
    accounts,
    prices,
    terms,
    mails,
    payments,
    contacts,
    persons,
    claims,
    serviceTokens,
    ...roles,
    /** Commands on the streams of processes. */
    reactions,
    /** The newest of these places that the log has; 0 if it has none of them. */
    commonPosition: rewinds.commonPosition,
    vault: createVault(dataKeys),
    termsTexts,
    termsFiles: files,
    idempotencySecret: shared.idempotency,
    oneTimeCodesSecret: shared.oneTimeCodes,
    identitiesSecret: shared.identities,
    dataKeys,
    /** How many data keys each master key wraps. */
    dataKeysByMasterKey: dataKeys.wrappedBy,
    /** The providers of all models that were ever listed. */
    providers: new Set(
      [...listed.values()].flatMap(({ versions }) => versions.map(({ upstream }) => upstream)),
    ) as ReadonlySet<string>,
    foldAccount: createFold({ store, codec: journal, decider: accountDecider, snapshots }),
    foldContact: createFold({ store, codec: journal, decider: contactDecider }),
    /** To be called once it is known what all running gateways can read. */
    announceEnds: (now: () => Date) => announceEnds({ prices, catalogue, log, now }),
    /** The models of the catalogue, and the margin of proposed prices over their cost. */
    catalogue: { models: catalogue.map(({ model }) => model), margin },
    /** Whether the log went back in time and no operator has acknowledged the loss yet. */
    rewindIsOpen: rewinds.isOpen,
    /** Whether completions are refused because of what the log or the database lacks. */
    isPaused,
    /** Registers what happens when it becomes unknown whether the database was put back to an earlier state. */
    onDoubt: (doubted: () => void): void => {
      if (eventStoreUrl !== undefined) doubt = doubted;
    },
    /** To be called if the database was put back to an earlier state under this process. */
    databaseWentBack: (): void => {
      if (eventStoreUrl !== undefined) rewinds.copyMayBeBack();
    },
    /** The state of a database that went back in time under a log in EventStoreDB; undefined if it is complete. */
    incomplete: (missedBeat: boolean): string | undefined => {
      if (eventStoreUrl === undefined) return undefined;
      if (rewinds.copyIsBack()) return 'the database went back in time: the log is copied again';
      if (effects.missing !== undefined) return 'erasures and revocations are applied again';
      // The next heartbeat shows whether the database was put back meanwhile.
      return missedBeat ? 'the database was away' : undefined;
    },
    checkHistory: rewinds.check,
    /** Registers what must happen if the log goes back in time: nothing derived from it before may be used any more. */
    onRewind: (drop: () => Promise<void> | void): void => void dropOthers.push(drop),
    /** From now on events are written in the versions that all running gateways can read. */
    writeReadable: (versions: ReadableVersions): void => {
      readable = versions;
    },
    appends: () => committer.standing,
    /** Waits for the appends that were handed over, and accepts no more. */
    finish: committer.close,
    close: async (): Promise<void> => {
      await committer.close();
      await rewinds.close();
      await effects.close();
      await snapshots.close();
      await store.close();
      await dataKeys.close();
      await termsTexts.close();
    },
  };
};

const setClock = async ({ databaseUrl, production, clockStart }: EventLogOptions): Promise<void> => {
  if (production) return keepClockReal(databaseUrl);
  if (clockStart) await beginLogClockAt(databaseUrl, clockStart);
};

/** Logs when appends begin to fail and when they succeed again, except during an outage of the whole database. */
const createAppendLog = (log: Logger, outage: OutageLog): ((fault: Error | undefined) => void) => {
  let logged = false;
  return (fault) => {
    if (fault && outage.covers(fault)) return;
    if (fault) log.error({ err: fault }, `nothing can be appended to the log: ${fault.message}`);
    else if (logged) log.warn('the log takes appends again');
    logged = fault !== undefined;
  };
};
