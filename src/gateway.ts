import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { v7 as newId } from 'uuid';
import { readCatalogue, readTerms } from './catalogue.ts';
import type { Config } from './config.ts';
import { accountDecider } from './domain/account/decide.ts';
import { ACCOUNT_STATE_VERSION, accountStream, type Account } from './domain/account/account.ts';
import { formatUsd } from './domain/money.ts';
import { PRICES_STREAM, priceDecider } from './domain/prices/decide.ts';
import { TERMS_STREAM, termsDecider } from './domain/terms/terms.ts';
import { createCommands } from './eventstore/commands.ts';
import { createCommitter } from './eventstore/committer.ts';
import { createDataKeys, type MasterKey } from './eventstore/data-keys.ts';
import { StoreUnavailable } from './eventstore/event-store.ts';
import { createFold } from './eventstore/fold.ts';
import { createVault } from './eventstore/personal-data.ts';
import { createPostgresStore, migratePostgresStore } from './eventstore/postgres.ts';
import { createSnapshots } from './eventstore/snapshots.ts';
import { createKeyring } from './http/api-keys.ts';
import { createApp } from './http/app.ts';
import { getMetrics } from './http/routes/get-metrics.ts';
import { recordedBy } from './http/management/carry-out.ts';
import { createManagementRouter } from './http/management/router.ts';
import { createMetrics } from './metrics.ts';
import { anyAccount, auditAccount, recentAccount } from './projections/audit-account.ts';
import { dailyUsage } from './projections/daily-usage.ts';
import { createDatabase } from './projections/database.ts';
import { followLog, together, type Follower } from './projections/follow.ts';
import { createKeyOwners } from './projections/key-owners.ts';
import { liveProjections, migrateProjections, projections, rowsReached } from './projections/live.ts';
import { createPriceList } from './projections/price-list.ts';
import { createQueries } from './projections/queries.ts';
import { bringUpToDate, createMissingTables, rebuiltInWords } from './projections/rebuild.ts';
import { requests, type RequestRow } from './projections/requests.ts';
import { createCompletions } from './proxy/completions.ts';
import { orphanCommandId } from './proxy/ledger.ts';
import { createTokenCounter } from './proxy/token-counter.ts';
import { createUpstreams } from './upstreams.ts';
import { releaseOrphanedHolds } from './reactions/orphaned-holds.ts';
import { createRun, migrateRuns } from './reactions/runs.ts';
import { startSelfAudit } from './reactions/self-audit.ts';

/** What a gateway needs that is not the same on every machine. */
export type GatewayOptions = {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly adminToken: string;
  readonly keyPepper: string;
  readonly masterKey: MasterKey;
  readonly log: Logger;
};

export type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** Events are let gather for as long before the rows are written: fewer, larger transactions. */
const GATHER_MS = 50;
/** How soon this node's look-ups know what another node appended; the account refuses a revoked key sooner anyway. */
const LOOK_UP_GATHER_MS = 250;

/** Who asks for a receipt waits for its row so long; then something is wrong that waiting does not mend. */
const CAUGHT_UP_WITHIN_MS = 5000;
/** How long the last answers may take to leave after the grace. */
const LAST_WORDS_MS = 2000;

/** So many differences of one account are told in a line of the log. */
const MAX_TOLD = 20;

/** Prices change only with reasonable notice (clause 5 of the terms); a model that is new has nobody to be told. */
const PRICE_NOTICE_MS = 14 * 24 * 60 * 60 * 1000;

/** Starts every room of the house and opens the door; closes them in the reverse order. */
export const startGateway = async (options: GatewayOptions) => {
  const { config, databaseUrl, adminToken, keyPepper, masterKey, log } = options;
  await migratePostgresStore(databaseUrl);
  await migrateProjections(databaseUrl);
  await migrateRuns(databaseUrl);

  const store = createPostgresStore(databaseUrl);
  const committer = createCommitter({
    store,
    changed: (fault) =>
      fault
        ? log.error({ err: fault }, `nothing can be appended to the log: ${fault.message}`)
        : log.warn('the log takes appends again'),
  });
  const snapshots = createSnapshots<Account>(databaseUrl, ACCOUNT_STATE_VERSION);
  const accounts = createCommands({ store, committer, decider: accountDecider, snapshots });
  const prices = createCommands({ store, committer, decider: priceDecider });
  const terms = createCommands({ store, committer, decider: termsDecider });

  const dataKeys = createDataKeys(databaseUrl, masterKey);
  await dataKeys.check();
  const vault = createVault(dataKeys);

  const termsInForce = await readTerms();
  const system = (what: string) => ({ actor: `system:${what}`, commandId: newId() });
  await terms.execute(TERMS_STREAM, { type: 'PublishTerms', ...termsInForce }, system('start'));
  const { state: book } = await prices.read(PRICES_STREAM);
  for (const entry of await readCatalogue()) {
    const effectiveFrom = new Date(Date.now() + (book.has(entry.model) ? PRICE_NOTICE_MS : 0));
    await prices.execute(PRICES_STREAM, { type: 'ListPrice', entry, effectiveFrom }, system('catalogue'));
  }

  const database = createDatabase(databaseUrl);
  const failed = (consumer: string, error: unknown): void =>
    log.error({ consumer, err: error }, 'following the log failed');
  const keyOwners = createKeyOwners();
  const priceList = createPriceList();
  const lookUps = followLog({
    store,
    consumer: together('look_ups', [keyOwners, priceList]),
    gatherMs: LOOK_UP_GATHER_MS,
    failed,
  });
  await createMissingTables(database, projections);
  const consumer = liveProjections(database, store, ({ projection, version, ours, stalled }) => {
    if (version < ours) log.info(`${projection} is at version ${version} until it has been rebuilt`);
    else if (!stalled) log.info(`${projection} is kept at version ${version} by newer nodes`);
    else log.warn(`no node keeps ${projection} at version ${version}: start one, or rebuild it to version ${ours}`);
  });
  const rows = followLog({ store, consumer, gatherMs: GATHER_MS, failed });
  // The rows are followed already, so that those which take over are kept current from that moment on.
  await bringUpToDate(
    database,
    store,
    projections,
    (projection, position, target) => log.info({ projection, position, target }, 'rebuilding a projection'),
    {
      waiting: (projection) => log.info({ projection }, 'another node is rebuilding a projection: waiting for it'),
      tookOver: (projection, rebuilt) =>
        log.info({ projection, ...rebuilt }, `${projection} was rebuilt: ${rebuiltInWords(rebuilt)}`),
    },
  );
  await lookUps.reached(await store.head());
  const queries = createQueries(database);
  const metrics = createMetrics({
    positions: async () => ({
      head: await store.head(),
      projections: { ...(await queries.positions()), look_ups: lookUps.position },
    }),
    disagreeing: () => selfAudit?.disagreeing ?? 0,
  });

  const run = await createRun({
    databaseUrl,
    id: newId(),
    failed: (error) => log.warn({ err: error }, 'the heartbeat failed'),
  });
  const orphans = releaseOrphanedHolds({
    liveRuns: run.live,
    openHoldsOfOtherRuns: async (runIds) =>
      (await queries.openRequestsOfOtherRuns(runIds)).map((row) => ({
        requestId: row.request_id,
        accountId: row.account_id,
        runId: row.run_id,
      })),
    release: async ({ requestId, accountId, runId }) => {
      const outcome = await accounts.execute(
        accountStream(accountId),
        { type: 'ReleaseHold', requestId, reason: 'orphaned', detail: `run ${runId} died` },
        { actor: 'system:orphaned-holds', commandId: orphanCommandId(requestId) },
      );
      return outcome.accepted && outcome.events.length > 0 && !outcome.repeated;
    },
    released: (hold) => {
      metrics.orphanedHoldReleased();
      log.warn(hold, 'released the hold of a dead run');
    },
    failed: (error) => log.error({ err: error }, 'looking for orphaned holds failed'),
  });

  const selfAudit =
    config.selfAuditEveryMs > 0
      ? startSelfAudit({
          everyMs: config.selfAuditEveryMs,
          // What moves now is where something may go wrong now; what rests may have been changed by hand.
          pick: async () =>
            (Math.random() < 0.5 ? await recentAccount(store, Math.random) : undefined) ??
            anyAccount(database, Math.random),
          audit: (accountId) =>
            auditAccount({ database, store, readAccount: (id) => accounts.read(accountStream(id)) }, accountId),
          sampled: metrics.audited,
          alarm: (accountId, differences) =>
            log.error(
              {
                alert: 'self_audit',
                accountId,
                differences: differences.slice(0, MAX_TOLD),
                count: differences.length,
              },
              'the rows of an account are not what the log says',
            ),
          mended: (accountId) => log.info({ accountId }, 'the rows of an account are what the log says again'),
          failed: (error) => log.warn({ err: error }, 'the self-audit skipped an account'),
        })
      : undefined;

  const upstreams = createUpstreams(config);
  const tokens = createTokenCounter();
  const completions = createCompletions({
    findPrice: priceList.find,
    upstreams,
    execute: (accountId, command, metadata, options) =>
      accounts.execute(accountStream(accountId), command, metadata, options),
    recordedBy: (commandId) => recordedBy(store, commandId),
    tokens,
    runId: run.id,
    now: () => new Date(),
    idleTimeoutMs: config.idleTimeoutMs,
  });

  const keyring = createKeyring({
    mode: config.production ? 'live' : 'test',
    pepper: keyPepper,
    pepperId: config.keyPepperId,
  });
  /** Whatever was acknowledged before now is in the rows of a projection after this, be it others that keep it. */
  const caughtUp = async (projection: { readonly name: string }): Promise<void> => {
    const head = await store.head();
    const patience = new AbortController();
    const tooLate = sleep(CAUGHT_UP_WITHIN_MS, undefined, { signal: patience.signal }).then(() => {
      throw new StoreUnavailable('the rows are behind the log');
    });
    const alone = rowsReached(database, projection, head, patience.signal);
    await Promise.race([rows.reached(head), alone, tooLate]).finally(() => patience.abort());
  };

  let draining = false;
  const app = createApp({
    newId,
    maxBodyBytes: config.maxBodyBytes,
    hashKey: keyring.hash,
    findKeyOwner: keyOwners.find,
    complete: completions.complete,
    balanceUsd: (accountId) => {
      const account = accounts.lastKnown(accountStream(accountId));
      return account && formatUsd(account.wallet.balance);
    },
    listModels: () => priceList.all(new Date()).filter(({ upstream }) => upstreams.has(upstream)),
    findGeneration: async (id, accountId) => {
      await caughtUp(requests);
      const row = await queries.findRequest(id, accountId);
      return row && asGeneration(row);
    },
    findKeyUsage: async (keyId) => {
      await caughtUp(dailyUsage);
      return queries.usageOfKey(keyId, new Date());
    },
    findAccount: async (accountId) => (await accounts.read(accountStream(accountId))).state,
    management: createManagementRouter({
      commands: accounts,
      vault,
      now: () => new Date(),
      store,
      foldAccount: createFold({ store, decider: accountDecider, snapshots }),
      adminToken,
      newId,
      termsInForce: () => termsInForce.version,
      createSecret: keyring.create,
      publishKey: lookUps.reached,
      prices: () => priceList.all(new Date()),
    }),
    metrics: getMetrics(adminToken, metrics),
    answered: metrics.answered,
    health: () => {
      if (draining) return 'stopping';
      // What exactly failed is in the log, and not for everybody to read.
      return (rows.failure ?? lookUps.failure) && 'following the log failed';
    },
    isStoreUnavailable: (error) => error instanceof StoreUnavailable,
    failed: (error, requestId) => log.error({ err: error, requestId }, 'a request failed'),
  });

  const server = createServer({ maxHeaderSize: 64 * 1024, requestTimeout: 120_000, headersTimeout: 30_000 }, app);
  server.keepAliveTimeout = 75_000;
  await listen(server, config.port, config.host);
  const { port } = server.address() as AddressInfo;

  return {
    port,
    runId: run.id,
    accounts,
    vault,
    keyring,
    findKeyOwner: keyOwners.find,
    lookUps: lookUps as Pick<Follower, 'reached'>,
    termsVersion: termsInForce.version,
    /** Requests under way are drained; what is still open after the grace is settled for what it delivered. */
    close: async (): Promise<void> => {
      draining = true;
      // Who does not read what was written for him is waited for as long, and no longer.
      const hangUp = setTimeout(() => server.closeAllConnections(), config.drainTimeoutMs + LAST_WORDS_MS);
      // The door stays open meanwhile, so that who comes now is told to ask another node.
      await completions.drain(config.drainTimeoutMs);
      const closed = new Promise((resolve) => server.close(resolve));
      // The last answers are on their way out; connections that are merely kept open may go, each as it falls idle.
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      const lingering = setTimeout(() => server.closeAllConnections(), LAST_WORDS_MS);
      await closed;
      for (const timer of [hangUp, idle, lingering]) clearTimeout(timer);
      await orphans.close();
      await selfAudit?.close();
      await run.close();
      await rows.close();
      await lookUps.close();
      await committer.close();
      await snapshots.close();
      await store.close();
      await dataKeys.close();
      await database.$pool.end();
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
      await tokens.close();
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

/** Fault: the door cannot be opened; the message tells the operator what to do. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen';
  readonly code = 'cannot_listen';
}

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      const message =
        cause.code === 'EADDRINUSE'
          ? `Port ${port} of ${host} is taken. Stop what listens there, or set PORT to another; 0 picks a free one.`
          : `The gateway cannot listen on port ${port} of ${host}: ${cause.message}. Set HOST and PORT to what it may have.`;
      reject(new CannotListen(message, { cause }));
    };
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve();
    });
  });
