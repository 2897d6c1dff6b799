import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ChainedLog } from '../eventstore/chained-log.ts';
import { StoreUnavailable } from '../eventstore/event-store.ts';
import { decodeFact } from '../eventstore/journal/codec.ts';
import { eventsOfRequest } from '../eventstore/journal/completion-events.ts';
import type { MigrateOptions } from '../eventstore/postgres/migrate.ts';
import type { Patiently } from '../eventstore/postgres/patience.ts';
import { dailyUsage } from '../projections/rows/daily-usage.ts';
import { createDatabase } from '../projections/database.ts';
import { followLog, together } from '../projections/follow.ts';
import { keepRows } from '../projections/rows/keep-rows.ts';
import { createKeyOwners } from '../projections/views/key-owners.ts';
import { migrateProjections, projections, rowsReached } from '../projections/rows/live.ts';
import { createPriceList } from '../projections/views/price-list.ts';
import { createQueries } from '../projections/queries.ts';
import { bringUpToDate, createMissingTables, rebuiltInWords } from '../projections/rebuild/rebuild.ts';
import { requests, type RequestRow } from '../projections/rows/requests.ts';
import { createTermsList } from '../projections/views/terms-list.ts';
import type { OutageLog } from './health/outage.ts';

/**
 * Events are let gather for as long, unless somebody waits for them: then most requests begin and end in one batch, and
 * their rows are written once. The account refuses a key that was revoked on another node sooner than the look-ups know.
 */
const GATHER_MS = 250;
/** Who asks for a receipt waits for its row so long; then something is wrong that waiting does not mend. */
const CAUGHT_UP_WITHIN_MS = 5000;

export type Views = Awaited<ReturnType<typeof openViews>>;

export type ViewsOptions = {
  readonly databaseUrl: string;
  readonly store: ChainedLog;
  readonly patiently: Patiently;
  readonly outage: OutageLog;
  readonly migration: MigrateOptions;
  readonly log: Logger;
};

/** The log seen from its sides: look-ups in memory and rows in tables, both of which follow it. */
export const openViews = async ({ databaseUrl, store, patiently, outage, migration, log }: ViewsOptions) => {
  await patiently(() => migrateProjections(databaseUrl, migration));
  const database = createDatabase(databaseUrl);
  const failed = (consumer: string, error: unknown): void => {
    if (!outage.covers(error)) log.error({ consumer, err: error }, 'following the log failed');
  };
  const waiting = (projection: string, holder: string): void =>
    log.info({ projection, holder }, 'another node is making or rebuilding a projection: waiting for it');

  const openLookUps = () => {
    const [keyOwners, priceList, termsList] = [createKeyOwners(), createPriceList(), createTermsList()];
    const consumer = together('look_ups', [keyOwners, priceList, termsList]);
    const follower = followLog({ store, decode: decodeFact, consumer, gatherMs: GATHER_MS, failed, skim: true });
    return { keyOwners, priceList, termsList, follower };
  };
  let lookUps = openLookUps();

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
  // The rows are followed already, so that those which take over are kept current from that moment on.
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
  await lookUps.follower.reached(await patiently(store.head));
  const queries = createQueries(database);

  /** Whatever was acknowledged before now is in the rows of a projection after this, be it others that keep it. */
  const caughtUp = async (projection: { readonly name: string }): Promise<void> => {
    const head = await store.head();
    const patience = new AbortController();
    const tooLate = sleep(CAUGHT_UP_WITHIN_MS, undefined, { signal: patience.signal }).then(() => {
      throw new StoreUnavailable('the rows are behind the log');
    });
    const here = rows.reached(head, patience.signal);
    const elsewhere = rowsReached(database, projection, head, patience.signal);
    await Promise.race([here, elsewhere, tooLate]).finally(() => patience.abort());
  };

  return {
    database,
    queries,
    findKeyOwner: (...asked: Parameters<typeof lookUps.keyOwners.find>) => lookUps.keyOwners.find(...asked),
    keysByPepper: (...asked: Parameters<typeof lookUps.keyOwners.byPepper>) => lookUps.keyOwners.byPepper(...asked),
    findPrice: (...asked: Parameters<typeof lookUps.priceList.find>) => lookUps.priceList.find(...asked),
    findDelisting: (...asked: Parameters<typeof lookUps.priceList.delisting>) => lookUps.priceList.delisting(...asked),
    pricesNow: () => lookUps.priceList.all(new Date()),
    publishedTerms: () => lookUps.termsList.all(),
    /** Lets this node's rows take in what there is, without waiting for more; gives up after so long. */
    hurry: async (withinMs: number): Promise<void> => rows.reached(await store.head(), AbortSignal.timeout(withinMs)),
    /** Resolves once this node's look-ups have followed the log to a position. */
    lookedUp: (position: number) => lookUps.follower.reached(position),
    findGenerations: async (id: string, accountId: string) => {
      await caughtUp(requests);
      return (await queries.findRequests(id, accountId)).map(asGeneration);
    },
    findHttpRequest: async (requestId: string) => {
      await caughtUp(requests);
      const [generations, events] = await Promise.all([
        queries.findRequests(requestId),
        eventsOfRequest(store, requestId),
      ]);
      return { generations: generations.map(asGeneration), events };
    },
    findKeyUsage: async (keyId: string) => {
      await caughtUp(dailyUsage);
      return queries.usageOfKey(keyId, new Date());
    },
    positions: async () => ({
      head: await store.head(),
      projections: { ...(await queries.positions()), look_ups: lookUps.follower.position },
    }),
    rows: () => ({ position: rows.position, failed: rows.failure !== undefined, keptByOthers }),
    lookUps: () => {
      const { position, failure } = lookUps.follower;
      return { position, failed: failure !== undefined, keptByOthers: false };
    },
    /** Makes the look-ups from the whole log again, and begins the rows where their table is: the log went back in time. */
    startAgain: async (): Promise<void> => {
      rows.restart();
      const former = lookUps;
      const fresh = openLookUps();
      await fresh.follower.reached(await store.head());
      lookUps = fresh;
      await former.follower.close();
    },
    close: async (): Promise<void> => {
      await rows.close();
      await lookUps.follower.close();
      await database.$pool.end();
    },
  };
};

/** In JSON, tokens are numbers. */
const asGeneration = (row: RequestRow) => ({
  ...row,
  input_tokens: Number(row.input_tokens),
  cached_input_tokens: Number(row.cached_input_tokens),
  cache_write_tokens: Number(row.cache_write_tokens),
  output_tokens: Number(row.output_tokens),
  reasoning_tokens: Number(row.reasoning_tokens),
});
