import type { Logger } from 'pino';
import { readCatalogue, readTerms } from '../catalogue.ts';
import { ACCOUNT_STATE_VERSION, type Account } from '../domain/account/account.ts';
import { accountDecider } from '../domain/account/decide.ts';
import { PRICES_STREAM, priceDecider } from '../domain/prices/decide.ts';
import { TERMS_STREAM, termsDecider } from '../domain/terms/terms.ts';
import { createCommands } from '../eventstore/commands.ts';
import { createCommitter } from '../eventstore/committer.ts';
import { createDataKeys, type MasterKey } from '../eventstore/data-keys.ts';
import { createFold } from '../eventstore/fold.ts';
import type { MigrateOptions } from '../eventstore/migrate.ts';
import { UNSTATED_VERSIONS, type ReadableVersions } from '../eventstore/event-versions.ts';
import { createVault } from '../eventstore/personal-data.ts';
import type { Patiently } from '../eventstore/patience.ts';
import { createPostgresStore, migratePostgresStore } from '../eventstore/postgres.ts';
import { createSnapshots } from '../eventstore/snapshots.ts';
import { newId } from './new-id.ts';
import type { OutageLog } from './outage.ts';
import { openRewinds } from './rewinds.ts';

/** Prices change only with reasonable notice (clause 5 of the terms); a model that is new has nobody to be told. */
const PRICE_NOTICE_MS = 14 * 24 * 60 * 60 * 1000;

export type Ledger = Awaited<ReturnType<typeof openLedger>>;

export type LedgerOptions = {
  readonly databaseUrl: string;
  readonly masterKey: MasterKey;
  /** Vouches for snapshots; with another one they are made anew. */
  readonly snapshotSecret: string;
  readonly patiently: Patiently;
  readonly outage: OutageLog;
  /** Of migrations. */
  readonly migration: MigrateOptions;
  /** What is kept there beside the database: see seen-heads.ts. */
  readonly dataDir: string;
  readonly log: Logger;
};

/** The log and the commands on it, with the terms and the prices of this software in it. */
export const openLedger = async (options: LedgerOptions) => {
  const { databaseUrl, masterKey, snapshotSecret, dataDir, patiently, outage, migration, log } = options;
  await patiently(() => migratePostgresStore(databaseUrl, migration));
  const rewinds = await patiently(() => openRewinds({ databaseUrl, dataDir, outage, log }));
  const store = createPostgresStore(databaseUrl, rewinds.storeOptions);
  const committer = createCommitter({
    store,
    changed: createAppendLog(log, outage),
  });
  const snapshots = createSnapshots<Account>({ databaseUrl, version: ACCOUNT_STATE_VERSION, secret: snapshotSecret });
  // Until this node knows which others are running, it writes what all releases read.
  let readable = UNSTATED_VERSIONS;
  const writing = { store, committer, readable: (): ReadableVersions => readable };
  const accounts = createCommands({ ...writing, decider: accountDecider, snapshots });
  const prices = createCommands({ ...writing, decider: priceDecider });
  const terms = createCommands({ ...writing, decider: termsDecider });

  const dropOthers: (() => Promise<void> | void)[] = [];
  await rewinds.start(store, async () => {
    for (const commands of [accounts, prices, terms]) commands.recheckAll();
    for (const drop of dropOthers) await drop();
  });

  const dataKeys = createDataKeys(databaseUrl, masterKey);
  await patiently(dataKeys.check);

  const termsInForce = await readTerms();
  const system = (what: string) => ({ actor: `system:${what}`, commandId: newId() });
  await patiently(() => terms.execute(TERMS_STREAM, { type: 'PublishTerms', ...termsInForce }, system('start')));
  const { state: book } = await patiently(() => prices.read(PRICES_STREAM));
  for (const entry of await readCatalogue()) {
    const effectiveFrom = new Date(Date.now() + (book.has(entry.model) ? PRICE_NOTICE_MS : 0));
    await patiently(() =>
      prices.execute(PRICES_STREAM, { type: 'ListPrice', entry, effectiveFrom }, system('catalogue')),
    );
  }
  const { state: listed } = await patiently(() => prices.read(PRICES_STREAM));

  return {
    store,
    accounts,
    vault: createVault(dataKeys),
    termsVersion: termsInForce.version,
    /** Of all models that were ever listed. */
    providers: new Set([...listed.values()].flat().map(({ upstream }) => upstream)) as ReadonlySet<string>,
    foldAccount: createFold({ store, decider: accountDecider, snapshots }),
    /** Whether the log went back in time and no operator has acknowledged yet what is gone. */
    rewindIsOpen: rewinds.isOpen,
    checkHistory: rewinds.check,
    /** What must happen when the log went back in time: nothing that was made of it before may be used any more. */
    onRewind: (drop: () => Promise<void> | void): void => void dropOthers.push(drop),
    /** From now on events are written in the versions that all running gateways can read. */
    writeReadable: (versions: ReadableVersions): void => {
      readable = versions;
    },
    /** Waits for what was handed over, and takes no more. */
    finish: committer.close,
    close: async (): Promise<void> => {
      await committer.close();
      await rewinds.close();
      await snapshots.close();
      await store.close();
      await dataKeys.close();
    },
  };
};

/** Logs when appends begin to fail and when they succeed again, unless the database as a whole is away. */
const createAppendLog = (log: Logger, outage: OutageLog): ((fault: Error | undefined) => void) => {
  let logged = false;
  return (fault) => {
    if (fault && outage.covers(fault)) return;
    if (fault) log.error({ err: fault }, `nothing can be appended to the log: ${fault.message}`);
    else if (logged) log.warn('the log takes appends again');
    logged = fault !== undefined;
  };
};
