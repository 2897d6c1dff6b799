import type { KeyObject } from 'node:crypto';
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { accountStream } from './domain/account/account.ts';
import { forbids, limitedBy, pacesNow } from './domain/account/within-limits.ts';
import { formatUsd } from './domain/money.ts';
import type { MasterKey } from './eventstore/data-keys.ts';
import { checkDatabase } from './eventstore/database-check.ts';
import { StoreUnavailable } from './eventstore/event-store.ts';
import { createPatience } from './eventstore/patience.ts';
import { recordedBy } from './eventstore/recorded-by.ts';
import { openDoor } from './gateway/door.ts';
import { openLedger } from './gateway/ledger.ts';
import { newId } from './gateway/new-id.ts';
import { createOutageLog } from './gateway/outage.ts';
import { openViews } from './gateway/views.ts';
import { startWatchers } from './gateway/watchers.ts';
import { createKeyring } from './http/api-keys.ts';
import { createApp } from './http/app.ts';
import { createManagementRouter } from './http/management/router.ts';
import { getMetrics } from './http/routes/get-metrics.ts';
import { answerUnreadable } from './http/unreadable.ts';
import { createCompletions } from './proxy/completions.ts';
import { createTokenCounter } from './proxy/token-counter.ts';
import { createUpstreams } from './upstreams.ts';

/** What a gateway needs that is not the same on every machine. */
export type GatewayOptions = {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly adminToken: string;
  readonly keyPepper: string;
  /** Signs the head of the log. */
  readonly signingKey: KeyObject;
  readonly masterKey: MasterKey;
  readonly log: Logger;
};

/** What every request meets is told once in so long for each provider. */
const TELL_AGAIN_MS = 60_000;

const seldom = <Rest extends readonly unknown[]>(everyMs: number, tell: (about: string, ...rest: Rest) => void) => {
  const toldAt = new Map<string, number>();
  return (about: string, ...rest: Rest): void => {
    const now = performance.now();
    if (now - (toldAt.get(about) ?? -Infinity) < everyMs) return;
    toldAt.set(about, now);
    tell(about, ...rest);
  };
};

/** How the steps of the start treat a database that is away or busy: they wait for a bounded time, and log it. */
const startOnDatabase = ({ config, log }: GatewayOptions) => {
  const waitMs = config.databaseWaitMs;
  return {
    log,
    outage: createOutageLog(log),
    migration: { waitMs, waiting: (reason: string) => log.warn({ reason }, 'a migration of the database waits') },
    patiently: createPatience({
      waitMs,
      waiting: (reason, leftMs) =>
        log.warn({ reason }, `the database does not answer: trying again for ${Math.ceil(leftMs / 1000)} s`),
      answered: () => log.warn('the database answers'),
    }),
  };
};

export type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** Starts every room of the house and opens the door; closes them in the reverse order. */
export const startGateway = async (options: GatewayOptions) => {
  const { config, databaseUrl, adminToken, keyPepper, masterKey, signingKey, log } = options;
  const start = startOnDatabase(options);
  await start.patiently(() =>
    checkDatabase({ databaseUrl, production: config.production, warn: (text) => log.warn(text) }),
  );
  const ledger = await openLedger({
    ...{ databaseUrl, masterKey, snapshotSecret: keyPepper, ...start },
    dataDir: config.dataDir,
  });
  const { store, accounts, vault, foldAccount, termsVersion } = ledger;
  const upstreams = createUpstreams(config, ledger.providers);
  const views = await openViews({ databaseUrl, store, ...start });
  const { selfAuditEveryMs } = config;
  let generations: ReadonlySet<string> = new Set();
  const watchers = await startWatchers({
    ...{ databaseUrl, ledger, views, signingKey, selfAuditEveryMs, ...start },
    generations: () => generations,
  });
  ledger.onRewind(views.startAgain);

  const { now } = watchers;
  const takesNone = seldom(TELL_AGAIN_MS, (upstream: string, status: number) =>
    log.error({ upstream, status }, `${upstream} takes no requests of ours: check its key and our account there`),
  );
  const [promptTokens, tokens] = [createTokenCounter(), createTokenCounter()];
  const completions = createCompletions({
    findPrice: views.findPrice,
    upstreams,
    execute: (accountId, command, metadata, options) =>
      accounts.execute(accountStream(accountId), command, metadata, options),
    recordedBy: (commandId) => recordedBy(store, commandId),
    idempotencySecret: keyPepper,
    promptTokens,
    tokens,
    runId: watchers.runId,
    isPaused: ledger.rewindIsOpen,
    now,
    idleTimeoutMs: config.idleTimeoutMs,
    upstreamRefused: ({ upstream, status, takesNoneOfUs }) => {
      watchers.metrics.upstreamRefused(upstream, status);
      if (takesNoneOfUs) takesNone(upstream, status);
    },
  });
  generations = completions.generations;
  const keyring = createKeyring({
    mode: config.production ? 'live' : 'test',
    pepper: keyPepper,
    pepperId: config.keyPepperId,
  });

  let draining = false;
  const app = createApp({
    newId,
    now,
    maxBodyBytes: config.maxBodyBytes,
    commentAfterMs: config.commentAfterMs,
    slowReaderMs: config.slowReaderMs,
    hashKey: keyring.hash,
    findKeyOwner: views.findKeyOwner,
    complete: completions.complete,
    balanceUsd: (accountId) => {
      const account = accounts.lastKnown(accountStream(accountId));
      return account && formatUsd(account.wallet.balance);
    },
    rateLimits: (accountId, keyId) => {
      const tallies = accounts.lastKnown(accountStream(accountId))?.tallies;
      return tallies ? pacesNow(tallies, keyId, now().getTime()) : {};
    },
    listModels: async ({ accountId, keyId }) => {
      const { state } = await accounts.read(accountStream(accountId));
      const limited = limitedBy(state.tallies, keyId);
      const isForbidden = (model: string): boolean => limited.some((one) => forbids(one, model));
      return views.pricesNow().filter(({ upstream, model }) => upstreams.has(upstream) && !isForbidden(model));
    },
    findGeneration: views.findGeneration,
    findKeyUsage: views.findKeyUsage,
    findAccount: async (accountId) => (await accounts.read(accountStream(accountId))).state,
    management: createManagementRouter({
      commands: accounts,
      vault,
      now,
      store,
      foldAccount,
      adminToken,
      newId,
      termsInForce: () => termsVersion,
      createSecret: keyring.create,
      publishKey: views.lookedUp,
      prices: views.pricesNow,
      newestCheckpoint: watchers.newestCheckpoint,
      publicKey: watchers.checkpointKey,
    }),
    metrics: getMetrics(adminToken, watchers.metrics),
    answered: watchers.metrics.answered,
    health: () => {
      if (draining) return 'stopping';
      if (ledger.rewindIsOpen()) return 'the log went back in time';
      // What exactly failed is in the log, and not for everybody to read.
      return views.failure() && 'following the log failed';
    },
    isStoreUnavailable: (error) => error instanceof StoreUnavailable,
    failed: (error, requestId) => log.error({ err: error, requestId }, 'a request failed'),
  });
  const { host, port, drainTimeoutMs: graceMs } = config;
  const attend = (server: Server): void =>
    answerUnreadable(server, { newId, now, answered: watchers.metrics.answered });
  const door = await openDoor({ app, attend, host, port, graceMs, drain: completions.drain });

  return {
    port: door.port,
    runId: watchers.runId(),
    accounts,
    vault,
    keyring,
    findKeyOwner: views.findKeyOwner,
    lookedUp: views.lookedUp,
    termsVersion,
    /** Requests under way are drained; what is still open after the grace is settled for what it delivered. */
    close: async (): Promise<void> => {
      draining = true;
      await door.close();
      await watchers.close();
      await views.close();
      await ledger.close();
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
      await Promise.all([promptTokens.close(), tokens.close()]);
    },
  };
};
