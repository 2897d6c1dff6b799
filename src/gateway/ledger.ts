import type { Logger } from 'pino';
import { readCatalogue } from '../catalogue.ts';
import { ACCOUNT_STATE_VERSION, type Account } from '../domain/account/account.ts';
import { accountDecider } from '../domain/account/decide.ts';
import { PRICES_STREAM, priceDecider } from '../domain/prices/decide.ts';
import { termsDecider } from '../domain/terms/terms.ts';
import { createCommands } from '../eventstore/commands.ts';
import { createCommitter } from '../eventstore/committer.ts';
import { createDataKeys } from '../eventstore/data-keys.ts';
import { createFold } from '../eventstore/fold.ts';
import { UNSTATED_VERSIONS, type ReadableVersions } from '../eventstore/event-versions.ts';
import { createVault } from '../eventstore/personal-data.ts';
import { createPostgresStore, migratePostgresStore } from '../eventstore/postgres.ts';
import { checkSecrets } from '../eventstore/secret-checks.ts';
import { obtainSharedSecrets } from '../eventstore/shared-secrets.ts';
import { createSnapshots } from '../eventstore/snapshots.ts';
import { createTermsTexts } from '../eventstore/terms-texts.ts';
import { readTermsFiles, type TermsFile } from '../terms-files.ts';
import { announceEnds, publishPrices } from './publish-prices.ts';
import { publishTerms } from './publish-terms.ts';
import { openRewinds } from './rewinds.ts';
import { checkedSecrets, type Secrets } from './secrets.ts';

export type Ledger = Awaited<ReturnType<typeof openLedger>>;

export type LedgerOptions = {
  readonly databaseUrl: string;
  readonly secrets: Secrets;
  /** The id of the master key for the data keys of new accounts. */
  readonly wrapWith: () => string;
  /** What is kept there beside the database: see seen-heads.ts. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Those in legal/ if left out. */
  readonly termsFiles?: readonly TermsFile[];
};

/** The log and the commands on it, with the terms and the prices of this software in it. */
export const openLedger = async (options: LedgerOptions) => {
  const { databaseUrl, secrets, wrapWith, dataDir, log, termsFiles } = options;
  await migratePostgresStore(databaseUrl);
  const { masterKeys } = secrets;
  const dataKeys = createDataKeys(databaseUrl, masterKeys, wrapWith);
  await dataKeys.check();
  await checkSecrets(databaseUrl, checkedSecrets(secrets));
  const [newest, ...older] = secrets.peppers;
  const shared = await obtainSharedSecrets({
    databaseUrl,
    masterKeys,
    peppers: [newest.secret, ...older.map(({ secret }) => secret)],
  });
  const rewinds = await openRewinds({ databaseUrl, dataDir, log });
  const store = createPostgresStore(databaseUrl, rewinds.storeOptions);
  const committer = createCommitter({
    store,
    changed: (fault) =>
      fault
        ? log.error({ err: fault }, `nothing can be appended to the log: ${fault.message}`)
        : log.warn('the log takes appends again'),
  });
  const snapshots = createSnapshots<Account>({ databaseUrl, version: ACCOUNT_STATE_VERSION, secret: shared.snapshots });
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

  const termsTexts = createTermsTexts(databaseUrl);
  await publishTerms({ terms, texts: termsTexts, files: termsFiles ?? (await readTermsFiles()) });
  const catalogue = await readCatalogue();
  await publishPrices({ prices, catalogue, log });
  const { state: listed } = await prices.read(PRICES_STREAM);

  return {
    store,
    accounts,
    prices,
    vault: createVault(dataKeys),
    termsTexts,
    idempotencySecret: shared.idempotency,
    /** How many data keys each master key wraps. */
    dataKeysByMasterKey: dataKeys.wrappedBy,
    /** Of all models that were ever listed. */
    providers: new Set(
      [...listed.values()].flatMap(({ versions }) => versions.map(({ upstream }) => upstream)),
    ) as ReadonlySet<string>,
    foldAccount: createFold({ store, decider: accountDecider, snapshots }),
    /** Once this node knows what all running gateways can read. */
    announceEnds: () => announceEnds({ prices, catalogue, log }),
    /** Whether the log went back in time and no operator has acknowledged yet what is gone. */
    rewindIsOpen: rewinds.isOpen,
    checkHistory: rewinds.check,
    /** What must happen when the log went back in time: nothing that was made of it before may be used any more. */
    onRewind: (drop: () => Promise<void> | void): void => void dropOthers.push(drop),
    /** From now on events are written in the versions that all running gateways can read. */
    writeReadable: (versions: ReadableVersions): void => {
      readable = versions;
    },
    appends: () => committer.standing,
    /** Waits for what was handed over, and takes no more. */
    finish: committer.close,
    close: async (): Promise<void> => {
      await committer.close();
      await rewinds.close();
      await snapshots.close();
      await store.close();
      await dataKeys.close();
      await termsTexts.close();
    },
  };
};
