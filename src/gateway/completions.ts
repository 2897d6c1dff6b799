import { readModelFacts } from '../config/catalogue.ts';
import { accountDecider } from '../domain/account/decide.ts';
import { accountStream } from '../domain/account/account.ts';
import { lastSignificant } from '../domain/terms/in-force.ts';
import { recordedBy } from '../eventstore/journal/recorded-by.ts';
import { createCompletions } from '../proxy/engine/completions.ts';
import { createHealth } from '../proxy/routing/health.ts';
import { createSticky } from '../proxy/routing/sticky.ts';
import { createTokenCounter } from '../proxy/metering/token-counter.ts';
import { formats } from './providers.ts';
import type { GatewayOptions, Rooms } from './rooms.ts';
import { termsInForceOn } from './routes.ts';

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

export type Completions = Awaited<ReturnType<typeof openCompletions>>;

export const openCompletions = async ({ config, log }: GatewayOptions, rooms: Rooms) => {
  const { eventLog, providers, views, watchers } = rooms;
  const { store, accounts } = eventLog;
  const { now } = watchers;
  const reportRejection = atMostEvery(LOG_AGAIN_MS, (upstream: string, status: number) =>
    log.error({ upstream, status }, `${upstream} rejected our API key or account: check both`),
  );
  const termsInForce = termsInForceOn(rooms);
  const noticedTerms = () => lastSignificant(views.publishedTerms(), 'terms', now());
  const facts = await readModelFacts();
  const health = createHealth(() => performance.now());
  const [promptTokens, tokens] = [createTokenCounter(), createTokenCounter()];
  const completions = createCompletions({
    findPrice: views.findPrice,
    findDelisting: views.findDelisting,
    formats,
    providers,
    execute: (accountId, command, metadata, options) =>
      accounts.execute(accountStream(accountId), command, metadata, options),
    refusalOf: async (accountId, command) => {
      const { state } = await accounts.read(accountStream(accountId));
      const decision = accountDecider.decide(command, state);
      return decision.kind === 'refused' ? decision.refusal : undefined;
    },
    recordedBy: (accountId, commandId, types) => recordedBy(store, accountId, commandId, types),
    idempotencySecret: eventLog.idempotencySecret,
    promptTokens,
    tokens,
    runId: watchers.runId,
    termsToAccept: () => {
      const noticed = noticedTerms();
      const inForce = { version: termsInForce(), explicit: config.acceptAfterFailedNotice };
      return noticed ? { ...inForce, noticed: noticed.version } : inForce;
    },
    isPaused: eventLog.isPaused,
    logCopy: views.logCopy,
    now,
    idleTimeoutMs: config.idleTimeoutMs,
    maxStreamMs: config.maxStreamMs,
    usageAfterLeavingMs: config.usageAfterLeavingMs,
    policyOf: (provider) => rooms.providerList.get(provider),
    health,
    sticky: createSticky(eventLog.idempotencySecret, () => performance.now()),
    factsOf: ({ model, upstreamModel }) => facts.get(model) ?? facts.get(upstreamModel),
    upstreamRefused: ({ upstream, status, rejectsOurAccount }) => {
      watchers.metrics.upstreamRefused(upstream, status);
      if (rejectsOurAccount) reportRejection(upstream, status);
    },
  });
  rooms.watchGenerations(completions.generations);
  const { complete, countTokens, drain } = completions;
  return {
    complete,
    countTokens,
    drain,
    health,
    close: (): Promise<unknown> => Promise.all([promptTokens.close(), tokens.close()]),
  };
};
