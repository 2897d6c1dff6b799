import type { KeyObject } from 'node:crypto';
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { readModelFacts } from '../config/catalogue.ts';
import type { Config } from '../config/config.ts';
import { accountStream } from '../domain/account/account.ts';
import { forbids, limitedBy, pacesNow } from '../domain/account/limits/within-limits.ts';
import { invariant } from '../domain/decider.ts';
import { personStream } from '../domain/identity/person.ts';
import { STAFF_STREAM } from '../domain/identity/staff.ts';
import { formatUsd } from '../domain/money.ts';
import { checkDatabase } from '../eventstore/postgres/database/database-check.ts';
import { StoreUnavailable } from '../eventstore/event-store.ts';
import type { ClockReading } from '../eventstore/log-clock.ts';
import { createLogProbe } from '../eventstore/postgres/log-probe.ts';
import { recordedBy } from '../eventstore/journal/recorded-by.ts';
import { healthChecks } from './health/health-checks.ts';
import { bodyMemoryBytes } from './body-memory.ts';
import { openDoor } from './http-server.ts';
import { openEventLog } from './event-log.ts';
import { openMail } from './people/mail.ts';
import { openPeople } from './people/people.ts';
import { newId } from './new-id.ts';
import { startGatewayProcess } from './people/processes.ts';
import { watchReadiness } from './health/readiness.ts';
import { createSecretsInUse, warnOfMissingSecrets, type Secrets } from './secrets.ts';
import { openViews } from './views.ts';
import { startOnDatabase } from './health/database-wait.ts';
import { startWatchers } from './health/watchers.ts';
import { createKeyring } from '../http/auth/api-keys.ts';
import { createErasure } from '../reactions/erasure.ts';
import { createApp } from '../http/server/app.ts';
import { networkPrefix } from '../identity/network-prefix.ts';
import { createManagementRouter } from '../http/management/router/router.ts';
import { getMetrics } from '../http/get-metrics.ts';
import { answerUnreadable } from '../http/server/unreadable.ts';
import { createCompletions } from '../proxy/engine/completions.ts';
import { createTokenCounter } from '../proxy/metering/token-counter.ts';
import { createProviders, formats } from './providers.ts';

export type GatewayOptions = {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly adminToken: string;
  /** Signs the head of the log. */
  readonly signingKey: KeyObject;
  readonly secrets: Secrets;
  /** Begins an empty log at this time in the past; never set in production. */
  readonly clockStart?: Date | undefined;
  readonly log: Logger;
};

/** A failure of every request is logged once per provider in this time. */
const LOG_AGAIN_MS = 60_000;

/** Calls `log` at most once per `everyMs` for each subject. */
const atMostEvery = <Rest extends readonly unknown[]>(
  everyMs: number,
  log: (subject: string, ...rest: Rest) => void,
) => {
  const loggedAt = new Map<string, number>();
  return (subject: string, ...rest: Rest): void => {
    const now = performance.now();
    if (now - (loggedAt.get(subject) ?? -Infinity) < everyMs) return;
    loggedAt.set(subject, now);
    log(subject, ...rest);
  };
};

const wentBack = { ok: false, reason: 'the log went back in time' } as const;

const localUrl = (port: number): string => `http://localhost:${port}`;

export type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** Opens everything that depends on the database: the log, its views and the watchers. */
const openRooms = async (options: GatewayOptions, publicUrl: () => string) => {
  const { config, databaseUrl, secrets, signingKey, log } = options;
  const secretsInUse = createSecretsInUse(secrets, (inUse) =>
    log.info(inUse, 'new API keys and accounts use the newest pepper and master key that all running gateways accept'),
  );
  const start = startOnDatabase(options);
  await start.patiently(() =>
    checkDatabase({ databaseUrl, production: config.production, warn: (text) => log.warn(text) }),
  );
  const eventLog = await openEventLog({
    ...{ databaseUrl, secrets, dataDir: config.dataDir, ...start },
    ...{ production: config.production, clockStart: options.clockStart },
    wrapWith: () => secretsInUse.masterKeyId,
  });
  const providers = createProviders(config, eventLog.providers);
  const views = await openViews({ databaseUrl, store: eventLog.store, ...start });
  const { selfAuditEveryMs } = config;
  let generations: ReadonlySet<string> = new Set();
  const watchers = await startWatchers({
    ...{ databaseUrl, eventLog, views, secretsInUse, signingKey, selfAuditEveryMs, ...start },
    generations: () => generations,
  });
  eventLog.onRewind(views.startAgain);
  const about = { config, databaseUrl, eventLog, publicUrl, now: watchers.now, metrics: watchers.metrics, ...start };
  const people = await openPeople({ ...about, views });
  const mail = await openMail({ ...about, connections: people.people.mail });
  const erasure = startGatewayProcess(about, createErasure(eventLog.dataKeys));

  const ends = eventLog.announceEnds();
  await warnOfMissingSecrets({
    ...{ databaseUrl, secrets, log },
    keysByPepper: views.keysByPepper(secretsInUse.accepts.peppers, watchers.now()),
    dataKeysByMasterKey: await eventLog.dataKeysByMasterKey(),
  });
  const keyring = createKeyring({
    mode: config.production ? 'live' : 'test',
    peppers: secrets.peppers,
    issueWith: () => secretsInUse.pepperId,
  });
  return {
    ...{ eventLog, providers, views, watchers, people, mail, erasure, ends, keyring },
    /** Sets the generations in progress, which the watchers leave alone. */
    watchGenerations: (set: ReadonlySet<string>): void => void (generations = set),
  };
};

type Rooms = Awaited<ReturnType<typeof openRooms>>;

const openCompletions = async ({ config, log }: GatewayOptions, rooms: Rooms) => {
  const { eventLog, providers, views, watchers } = rooms;
  const { store, accounts } = eventLog;
  const { now } = watchers;
  const reportRejection = atMostEvery(LOG_AGAIN_MS, (upstream: string, status: number) =>
    log.error({ upstream, status }, `${upstream} rejected our API key or account: check both`),
  );
  const facts = await readModelFacts();
  const [promptTokens, tokens] = [createTokenCounter(), createTokenCounter()];
  const completions = createCompletions({
    findPrice: views.findPrice,
    findDelisting: views.findDelisting,
    formats,
    providers,
    execute: (accountId, command, metadata, options) =>
      accounts.execute(accountStream(accountId), command, metadata, options),
    recordedBy: (accountId, commandId) => recordedBy(store, accountId, commandId),
    idempotencySecret: eventLog.idempotencySecret,
    promptTokens,
    tokens,
    runId: watchers.runId,
    isPaused: eventLog.rewindIsOpen,
    now,
    idleTimeoutMs: config.idleTimeoutMs,
    maxStreamMs: config.maxStreamMs,
    usageAfterLeavingMs: config.usageAfterLeavingMs,
    factsOf: ({ model, upstreamModel }) => facts.get(model) ?? facts.get(upstreamModel),
    upstreamRefused: ({ upstream, status, rejectsOurAccount }) => {
      watchers.metrics.upstreamRefused(upstream, status);
      if (rejectsOurAccount) reportRejection(upstream, status);
    },
  });
  rooms.watchGenerations(completions.generations);
  const { complete, drain } = completions;
  return { complete, drain, close: (): Promise<unknown> => Promise.all([promptTokens.close(), tokens.close()]) };
};

const openReadiness = async ({ databaseUrl, log }: GatewayOptions, { eventLog, views, watchers }: Rooms) => {
  const probe = createLogProbe(databaseUrl);
  const readiness = await watchReadiness({
    checks: [
      ...healthChecks({
        ...{ probe, appends: eventLog.appends, rows: views.rows, lookUps: views.lookUps },
        movedMs: watchers.movedMs,
      }),
      // Not ready until an operator has acknowledged a rewind of the log.
      { name: 'history', look: () => (eventLog.rewindIsOpen() ? wentBack : { ok: true }) },
    ],
    changed: (check, finding) =>
      finding.ok ? log.info({ check }, 'ready again') : log.error({ check, ...finding }, 'not ready'),
  });
  let stopping = false;
  return {
    read: () => (stopping ? { ...readiness.now(), ready: false, status: 'stopping' as const } : readiness.now()),
    stopping: (): void => void (stopping = true),
    close: async (): Promise<void> => {
      await readiness.close();
      await probe.close();
    },
  };
};

type Completions = Awaited<ReturnType<typeof openCompletions>>;
type Readiness = Awaited<ReturnType<typeof openReadiness>>;
/** The parts that the routes call. */
type Parts = Rooms & {
  readonly completions: Completions;
  readonly readiness: Readiness;
  readonly publicUrl: () => string;
};

/** Refusals for credits, limits and rights, whose messages have amounts and limits only. */
const WITH_FIGURES: ReadonlySet<number> = new Set([402, 403, 429]);

const createRoutes = ({ config, adminToken, log }: GatewayOptions, parts: Parts) => {
  const { eventLog, providers, views, watchers, keyring, completions } = parts;
  const { accounts } = eventLog;
  const { now } = watchers;
  return createApp({
    newId,
    now,
    maxBodyBytes: config.maxBodyBytes,
    maxBodyMemoryBytes: bodyMemoryBytes(config),
    commentAfterMs: config.commentAfterMs,
    slowReaderMs: config.slowReaderMs,
    hashKey: keyring.hashes,
    keyUsed: watchers.keyUsed,
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
      return views.pricesAt(now()).filter(({ upstream, model }) => providers.has(upstream) && !isForbidden(model));
    },
    refused: ({ accountId, keyId, requestId, problem: { code, status, message } }) => {
      // Other messages may quote the request.
      const figures = WITH_FIGURES.has(status) ? message : null;
      watchers.refusals.add({ accountId, keyId, requestId, code, status, figures, at: now() });
    },
    delistedSince: (model) => views.findDelisting(model, now())?.effectiveFrom,
    findGenerations: views.findGenerations,
    findKeyUsage: (keyId) => views.findKeyUsage(keyId, now()),
    findAccount: async (accountId) => (await accounts.read(accountStream(accountId))).state,
    publishedTerms: views.publishedTerms,
    findTermsText: eventLog.termsTexts.find,
    management: createManagement(adminToken, config, parts),
    metrics: getMetrics(adminToken, watchers.metrics),
    devOutbox: parts.mail.outboxPage,
    trustedProxies: config.trustedProxies,
    answered: watchers.metrics.answered,
    readiness: parts.readiness.read,
    isStoreUnavailable: (error) => error instanceof StoreUnavailable,
    failed: (error, requestId) => log.error({ err: error, requestId }, 'a request failed'),
  });
};

const createManagement = (
  adminToken: string,
  { production, grantAlone }: Config,
  { eventLog, views, watchers, people, keyring, publicUrl }: Parts,
) =>
  createManagementRouter({
    commands: eventLog.accounts,
    personCommands: eventLog.persons,
    claimCommands: eventLog.claims,
    priceCommands: eventLog.prices,
    vault: eventLog.vault,
    now: watchers.now,
    store: eventLog.store,
    foldAccount: eventLog.foldAccount,
    ...{ people: people.people, ...people.identity, tokens: people.people.tokens },
    ...{ networkOf: (address = '') => networkPrefix(address) },
    readPerson: async (personId) => (await eventLog.persons.read(personStream(personId))).state,
    readStaff: async () => (await eventLog.staff.read(STAFF_STREAM)).state,
    openInvitations: (accountId) => views.openInvitations(accountId, watchers.now()),
    suspectedDuplicates: views.duplicates,
    waitingApprovals: () => views.waitingApprovals(watchers.now()),
    ...{ adminToken, grantAlone, recordsAdminToken: production },
    newId,
    termsInForce: () => termsInForce(views),
    publishedTerms: views.publishedTerms,
    publicUrl,
    createSecret: keyring.create,
    findKey: (secret) => {
      for (const { hash } of keyring.hashes(secret)) {
        const owner = views.findKeyOwner(hash);
        if (owner) return owner;
      }
      return undefined;
    },
    publishKey: views.lookedUp,
    prices: () => views.pricesAt(watchers.now()),
    newestCheckpoint: watchers.newestCheckpoint,
    findHttpRequest: views.findHttpRequest,
    listRequests: views.listRequests,
    refusals: watchers.refusals,
    publicKey: watchers.checkpointKey,
  });

const termsInForce = ({ publishedTerms }: Rooms['views']): string => {
  const inForce = publishedTerms().at(-1);
  invariant(inForce !== undefined, 'terms are published before a gateway opens');
  return inForce.version;
};

/** Opens all rooms, then the HTTP server. `close` closes them in reverse order. */
export const startGateway = async (options: GatewayOptions) => {
  const { config } = options;
  let publicUrl = config.publicUrl ?? localUrl(config.port);
  const rooms = await openRooms(options, () => publicUrl);
  const { eventLog, views, watchers } = rooms;
  const completions = await openCompletions(options, rooms);
  const readiness = await openReadiness(options, rooms);
  const app = createRoutes(options, { ...rooms, completions, readiness, publicUrl: () => publicUrl });
  const { host, port, drainDelayMs: delayMs, drainTimeoutMs: graceMs } = config;
  const attend = (server: Server): void =>
    answerUnreadable(server, { newId, now: watchers.now, answered: watchers.metrics.answered });
  const door = await openDoor({ app, attend, host, port, delayMs, graceMs, drain: completions.drain });

  publicUrl = config.publicUrl ?? localUrl(door.port);

  return {
    port: door.port,
    publicUrl,
    runId: watchers.runId(),
    clock: (): ClockReading => ({ now: watchers.now(), movedMs: watchers.movedMs() }),
    accounts: eventLog.accounts,
    vault: eventLog.vault,
    keyring: rooms.keyring,
    findKeyOwner: views.findKeyOwner,
    lookedUp: views.lookedUp,
    termsInForce: () => termsInForce(views),
    /** Drains requests in progress; those still open after the grace period are settled for what they delivered. */
    close: async (): Promise<void> => {
      readiness.stopping();
      await door.close();
      rooms.ends.close();
      await readiness.close();
      await rooms.mail.close();
      await rooms.people.close();
      await rooms.erasure.close();
      await watchers.close();
      await views.close();
      await eventLog.close();
      await Promise.all([...rooms.providers.values()].map((provider) => provider.close()));
      await completions.close();
    },
  };
};
