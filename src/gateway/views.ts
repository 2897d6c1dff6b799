import type { Logger } from 'pino';
import type { ChainedLog } from '../eventstore/chained-log.ts';
import { decodeFact } from '../eventstore/journal/codec.ts';
import type { MigrateOptions } from '../eventstore/postgres/database/migrate.ts';
import type { Patiently } from '../eventstore/postgres/database/patience.ts';
import { createDatabase, type Database } from '../projections/database.ts';
import { followLog, together } from '../projections/follow.ts';
import { keepRows } from '../projections/rows/keep-rows.ts';
import { createContactList } from '../projections/views/contact-list.ts';
import { createKeyOwners } from '../projections/views/key-owners.ts';
import { createOpenMatters } from '../projections/views/open-matters.ts';
import { createOpenPayments } from '../projections/views/open-payments.ts';
import { migrateProjections, projections } from '../projections/rows/live.ts';
import { createPriceList } from '../projections/views/price-list.ts';
import { createQueries } from '../projections/queries.ts';
import { bringUpToDate, createMissingTables, rebuiltInWords } from '../projections/rebuild/rebuild.ts';
import { createTermsList } from '../projections/views/terms-list.ts';
import { watchLogCopy } from './health/log-copy.ts';
import type { OutageLog } from './health/outage.ts';
import { CAUGHT_UP_WITHIN_MS, createRowQueries } from './row-queries.ts';

/**
 * Events are collected for this time unless a reader waits for them. Most requests then begin and end in one batch, and
 * their rows are written once. The look-ups may receive a revocation of a key later than this; the account itself
 * refuses the key.
 */
const GATHER_MS = 250;
/** How long a completion waits for look-ups that have been behind for too long. */
const COPY_WITHIN_MS = 2000;

export type Views = Awaited<ReturnType<typeof openViews>>;

export type ViewsOptions = {
  readonly databaseUrl: string;
  readonly store: ChainedLog;
  readonly patiently: Patiently;
  readonly outage: OutageLog;
  readonly migration: MigrateOptions;
  readonly log: Logger;
  /** How old this node's copy of the log may be for completions; by default 30 s. */
  readonly copyLimitMs?: number;
};

type Failed = (consumer: string, error: unknown) => void;

/** The look-ups in memory: keys, prices, terms, open invitations, waiting approvals, suspected duplicates, open payments and contacts. */
const openLookUps = (store: ChainedLog, failed: Failed) => {
  const [keyOwners, priceList, termsList] = [createKeyOwners(), createPriceList(), createTermsList()];
  const [openMatters, openPayments, contactList] = [createOpenMatters(), createOpenPayments(), createContactList()];
  const consumer = together('look_ups', [keyOwners, priceList, termsList, openMatters, openPayments, contactList]);
  const follower = followLog({ store, decode: decodeFact, consumer, gatherMs: GATHER_MS, failed, skim: true });
  return { keyOwners, priceList, termsList, openMatters, openPayments, contactList, follower };
};

/** The rows in tables, rebuilt first if their version is older than ours. */
const openRows = async (options: ViewsOptions, database: Database, failed: Failed) => {
  const { databaseUrl, store, patiently, log } = options;
  const waiting = (projection: string, holder: string): void =>
    log.info({ projection, holder }, 'another node is making or rebuilding a projection: waiting for it');
  let keptByOthers = false;
  await patiently(() => createMissingTables(database, projections, waiting));
  const rows = keepRows({
    databaseUrl,
    gatherMs: GATHER_MS,
    keptByOthers: ({ projection, version, ours, stalled }) => {
      keptByOthers = true;
      if (version < ours) log.info(`${projection} is at version ${version} until it has been rebuilt`);
      else if (!stalled) log.info(`${projection} is kept at version ${version} by newer nodes`);
      else log.warn(`no node keeps ${projection} at version ${version}: start one, or rebuild it to version ${ours}`);
    },
    failed,
  });
  // The rows are followed before a rebuild, so that rebuilt tables are current from the moment that they take over.
  await patiently(() =>
    bringUpToDate(
      database,
      store,
      projections,
      (projection, position, target) => log.info({ projection, position, target }, 'rebuilding a projection'),
      {
        waiting,
        tookOver: (projection, rebuilt) =>
          log.info({ projection, ...rebuilt }, `${projection} was rebuilt: ${rebuiltInWords(rebuilt)}`),
      },
    ),
  );
  return { rows, keptByOthers: () => keptByOthers };
};

/** The log as look-ups in memory and as rows in tables, both of which follow it. Must be closed. */
export const openViews = async (options: ViewsOptions) => {
  const { databaseUrl, store, patiently, outage, migration, log } = options;
  await patiently(() => migrateProjections(databaseUrl, migration));
  const database = createDatabase(databaseUrl);
  const failed: Failed = (consumer, error) => {
    if (!outage.covers(error)) log.error({ consumer, err: error }, 'following the log failed');
  };
  let lookUps = openLookUps(store, failed);
  const { rows, keptByOthers } = await openRows(options, database, failed);
  await lookUps.follower.reached(await patiently(store.head));
  const logCopy = watchLogCopy({
    hasAll: async () => {
      const head = await store.head();
      const { follower } = lookUps;
      await follower.reached(head, AbortSignal.timeout(COPY_WITHIN_MS));
      return follower.position >= head;
    },
    ...(options.copyLimitMs === undefined ? {} : { limitMs: options.copyLimitMs }),
  });
  const queries = createQueries(database);

  /** Resolves once the look-ups contain everything that was acknowledged before. */
  const followed = async (): Promise<void> =>
    lookUps.follower.reached(await store.head(), AbortSignal.timeout(CAUGHT_UP_WITHIN_MS));

  return {
    database,
    queries,
    logCopy: { isRecent: logCopy.isRecent, confirm: logCopy.confirm },
    findKeyOwner: (...asked: Parameters<typeof lookUps.keyOwners.find>) => lookUps.keyOwners.find(...asked),
    keysByPepper: (...asked: Parameters<typeof lookUps.keyOwners.byPepper>) => lookUps.keyOwners.byPepper(...asked),
    findPrice: (...asked: Parameters<typeof lookUps.priceList.find>) => lookUps.priceList.find(...asked),
    findDelisting: (...asked: Parameters<typeof lookUps.priceList.delisting>) => lookUps.priceList.delisting(...asked),
    pricesAt: (at: Date) => lookUps.priceList.all(at),
    priceBook: () => lookUps.priceList.book(),
    publishedTerms: () => lookUps.termsList.all(),
    /** Complete up to what was acknowledged before, on any node. */
    openInvitations: async (...asked: Parameters<typeof lookUps.openMatters.invitations>) => {
      await followed();
      return lookUps.openMatters.invitations(...asked);
    },
    waitingApprovals: async (now: Date) => {
      await followed();
      return lookUps.openMatters.approvals(now);
    },
    duplicates: async () => {
      await followed();
      return lookUps.openMatters.duplicates();
    },
    /** What is under way with payments, complete up to what was acknowledged before, on any node. */
    openPayments: async () => {
      await followed();
      return lookUps.openPayments;
    },
    /** Contacts with support, complete up to what was acknowledged before, on any node. */
    contacts: async () => {
      await followed();
      return lookUps.contactList;
    },
    ...createRowQueries({ store, rows, database, queries }),
    contactsWaiting: (now: Date) => lookUps.contactList.waiting(now),
    /** Brings this node's rows up to the head of the log; rejects after `withinMs`. */
    hurry: async (withinMs: number): Promise<void> => rows.reached(await store.head(), AbortSignal.timeout(withinMs)),
    /** Resolves once this node's look-ups have followed the log to a position; without one, to its end. */
    lookedUp: async (position?: number) => lookUps.follower.reached(position ?? (await store.head())),
    positions: async () => ({
      head: await store.head(),
      projections: { ...(await queries.positions()), look_ups: lookUps.follower.position },
    }),
    rows: () => ({ position: rows.position, failed: rows.failure !== undefined, keptByOthers: keptByOthers() }),
    lookUps: () => {
      const { position, failure } = lookUps.follower;
      return { position, failed: failure !== undefined, keptByOthers: false };
    },
    /** After the log went back in time: rebuilds the look-ups from the whole log and restarts the rows at their tables. */
    startAgain: async (): Promise<void> => {
      rows.restart();
      const former = lookUps;
      const fresh = openLookUps(store, failed);
      await fresh.follower.reached(await store.head());
      lookUps = fresh;
      await former.follower.close();
    },
    close: async (): Promise<void> => {
      await logCopy.close();
      await rows.close();
      await lookUps.follower.close();
      await database.$pool.end();
    },
  };
};
