import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { accountStream } from '../../domain/account/account.ts';
import { publicKeyPem, toJson } from '../../eventstore/integrity/checkpoint.ts';
import { createCheckpointLog } from '../../eventstore/integrity/checkpoint-log.ts';
import { derivedId } from '../../eventstore/ids.ts';
import { NotReadableByAll } from '../../eventstore/event-versions.ts';
import { movedInWords } from '../../eventstore/postgres/log-clock.ts';
import { noticeSigningKey } from '../../eventstore/secrets/signing-keys.ts';
import type { MigrateOptions } from '../../eventstore/postgres/database/migrate.ts';
import type { Patiently } from '../../eventstore/postgres/database/patience.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { anyAccount, auditAccount, recentAccount } from '../../projections/audit/audit-account.ts';
import { orphanCommandId } from '../../proxy/engine/ledger.ts';
import { signCheckpoints } from '../../reactions/checkpoints.ts';
import { openKeyNetworks } from '../../reactions/key-networks.ts';
import { openRefusals } from '../../reactions/refusals.ts';
import { expireLots } from '../../reactions/expire-lots.ts';
import { releaseOrphanedHolds } from '../../reactions/runs/orphaned-holds.ts';
import { createRun, migrateRuns } from '../../reactions/runs/runs.ts';
import { rehashKeys } from '../../reactions/rehash-keys.ts';
import { startSelfAudit } from '../../reactions/self-audit.ts';
import type { EventLog } from '../event-log.ts';
import { newId } from '../new-id.ts';
import { logSigningKey, type SecretsInUse } from '../secrets.ts';
import type { OutageLog } from './outage.ts';
import type { Views } from '../views.ts';

type UsedKey = { readonly accountId: string; readonly keyId: string; readonly pepperIds: readonly string[] };
type KeyHash = { readonly hash: string; readonly pepperId: string };

/** The most differences of an account in one line of the log. */
const MAX_LOGGED_DIFFERENCES = 20;
const NO_LAG = { events: 0, ms: 0 };
/** If it takes longer, another node maintains the rows, or they are far behind. */
const HURRY_WITHIN_MS = 500;

export type WatchersOptions = {
  readonly databaseUrl: string;
  readonly eventLog: Pick<
    EventLog,
    | 'store'
    | 'accounts'
    | 'finish'
    | 'writeReadable'
    | 'onRewind'
    | 'rewindIsOpen'
    | 'checkHistory'
    | 'databaseWentBack'
    | 'onDoubt'
  >;
  /** The ids of the generations in progress in this process. */
  readonly generations: () => ReadonlySet<string>;
  readonly views: Pick<Views, 'database' | 'queries' | 'positions' | 'hurry' | 'keysByPepper' | 'lookedUp'>;
  readonly secretsInUse: SecretsInUse;
  /** Signs the head of the log. */
  readonly signingKey: KeyObject;
  /** 0 switches the self-audit off. */
  readonly selfAuditEveryMs: number;
  readonly patiently: Patiently;
  readonly outage: OutageLog;
  readonly migration: MigrateOptions;
  readonly log: Logger;
};

type Run = Awaited<ReturnType<typeof createRun>>;

/** Logs a failure, unless it is part of an outage, which is logged once. */
const failing =
  ({ outage, log }: WatchersOptions, level: 'warn' | 'error', message: string) =>
  (error: unknown): void => {
    if (!outage.covers(error)) log[level]({ err: error }, message);
  };

const startRun = async (options: WatchersOptions): Promise<Run> => {
  const { databaseUrl, eventLog, secretsInUse, patiently, outage, migration, log } = options;
  await patiently(() => migrateRuns(databaseUrl, migration));
  return patiently(() =>
    createRun({
      databaseUrl,
      id: newId(),
      failed: failing(options, 'warn', 'the heartbeat failed'),
      answered: outage.answered,
      readable: eventLog.writeReadable,
      accepts: secretsInUse.accepts,
      databaseWentBack: eventLog.databaseWentBack,
      acceptedByAll: secretsInUse.update,
      clockMoved: (movedMs) => log.warn({ movedMs }, `simulated time: ${movedInWords(movedMs)}`),
      clockOff: (aheadMs) =>
        log.warn({ aheadMs }, "this machine's clock differs from the database's, which decides limits: set it"),
    }),
  );
};

/**
 * Renews the run when the log goes back in time. The returned function retires a former run once the streams that began
 * in it have ended.
 */
const renewOnRewind = ({ eventLog, generations }: WatchersOptions, run: Run): (() => Promise<void>) => {
  const former = new Map<string, readonly string[]>();
  eventLog.onRewind(() => {
    former.set(run.id, [...generations()]);
    run.renew(newId());
  });
  return async () => {
    for (const [runId, open] of former) {
      if (open.some((id) => generations().has(id))) continue;
      former.delete(runId);
      await run.retire(runId);
    }
  };
};

const startOrphanRelease = (options: WatchersOptions, run: Run, metrics: Metrics) => {
  const { eventLog, generations, views, log } = options;
  const retireFormerRuns = renewOnRewind(options, run);
  return releaseOrphanedHolds({
    liveRuns: async () => {
      await retireFormerRuns();
      return run.live();
    },
    isUnderWay: (requestId) => generations().has(requestId),
    openHoldsOfOtherRuns: async (runIds, afterId) =>
      (await views.queries.openRequestsOfOtherRuns(runIds, afterId)).map((row) => ({
        requestId: row.request_id,
        accountId: row.account_id,
        runId: row.run_id,
      })),
    release: async ({ requestId, accountId, runId }) => {
      const outcome = await eventLog.accounts.execute(
        accountStream(accountId),
        { type: 'ReleaseHold', requestId, reason: 'orphaned', detail: `run ${runId} died` },
        { actor: 'system:orphaned-holds', commandId: orphanCommandId(requestId) },
      );
      return outcome.kind === 'accepted' && outcome.events.length > 0 && !outcome.repeated;
    },
    released: (hold) => {
      metrics.orphanedHoldReleased();
      log.warn(hold, 'released the hold of a dead run');
    },
    failed: failing(options, 'error', 'looking for orphaned holds failed'),
  });
};

const startLotExpiry = (options: WatchersOptions, run: Run) => {
  const { eventLog, views } = options;
  const failed = failing(options, 'error', 'ending lots failed');
  return expireLots({
    now: () => run.now(),
    due: views.queries.accountsWithDueLots,
    expire: async ({ accountId, endedAt, revision }, at) => {
      // All nodes send the same command. After credits came back to a lot that had ended, it is another one.
      const commandId = derivedId('expire', `${accountId} ${endedAt.getTime()} ${revision}`);
      const metadata = { actor: 'system:expire-lots', commandId };
      await eventLog.accounts.execute(accountStream(accountId), { type: 'ExpireLots', at: at.getTime() }, metadata);
    },
    failed: (error) => {
      // During an upgrade the ends are recorded later.
      if (!(error instanceof NotReadableByAll)) failed(error);
    },
  });
};

const startRehash = ({ eventLog, views, log }: WatchersOptions) =>
  rehashKeys({
    rehash: async ({ accountId, ...key }) => {
      const outcome = await eventLog.accounts.execute(
        accountStream(accountId),
        { type: 'RehashKey', ...key },
        { actor: 'system:rehash-keys', commandId: newId() },
      );
      if (outcome.kind === 'accepted' && outcome.events.length > 0) await views.lookedUp(outcome.position);
    },
    failed: (error) => {
      // During an upgrade the key keeps its hash, and is rehashed when it is used next.
      if (!(error instanceof NotReadableByAll))
        log.warn({ err: error }, 'a key could not be hashed with the new pepper');
    },
  });

const startCheckpoints = (options: WatchersOptions) => {
  const { databaseUrl, signingKey, eventLog, log } = options;
  const checkpointLog = createCheckpointLog(databaseUrl, signingKey);
  eventLog.onRewind(checkpointLog.forget);
  const checkpoints = signCheckpoints({
    sign: async (due) => {
      const outcome = await checkpointLog.sign(due);
      if (outcome.kind !== 'tampered') return outcome;
      // After a rewind the log lacks what this process signed. A rewind has its own alarm, so only the checkpoints that
      // are in the log count.
      await eventLog.checkHistory();
      return eventLog.rewindIsOpen() ? checkpointLog.sign(due) : outcome;
    },
    // If these lines are stored elsewhere, they can later prove that the end of the log was cut off.
    signed: (checkpoint) => log.debug({ checkpoint: toJson(checkpoint) }, 'signed the head of the log'),
    alarmed: (flaw) =>
      log.error({ alert: 'log_tampered', ...flaw }, 'the log differs from what was signed: it is not signed again'),
    failed: failing(options, 'warn', 'signing the head of the log failed'),
  });
  return { checkpointLog, checkpoints };
};

const startAudit = (options: WatchersOptions, metrics: Metrics) => {
  const { eventLog, views, selfAuditEveryMs, log } = options;
  const { store, accounts } = eventLog;
  const { database } = views;
  return startSelfAudit({
    everyMs: selfAuditEveryMs,
    // Recent accounts reveal faults of the software, old ones manual changes.
    pick: async () =>
      (Math.random() < 0.5 ? await recentAccount(store, Math.random) : undefined) ?? anyAccount(database, Math.random),
    audit: async (accountId) => {
      // The audit reads the events that the rows do not contain yet.
      await views.hurry(HURRY_WITHIN_MS);
      return auditAccount({ database, store, readAccount: (id) => accounts.read(accountStream(id)) }, accountId);
    },
    sampled: metrics.audited,
    alarm: (accountId, differences) =>
      log.error(
        {
          ...{ alert: 'self_audit', accountId },
          ...{ differences: differences.slice(0, MAX_LOGGED_DIFFERENCES), count: differences.length },
        },
        'the rows of an account differ from the log',
      ),
    mended: (accountId) => log.info({ accountId }, 'the rows of an account agree with the log again'),
    failed: failing(options, 'warn', 'the self-audit skipped an account'),
  });
};

/** Starts the background work: heartbeat, release of orphaned holds, ends of lots, signatures, self-audit, metrics. */
export const startWatchers = async (options: WatchersOptions) => {
  const { databaseUrl, eventLog, views, secretsInUse, signingKey, log } = options;
  const metrics = createMetrics({
    positions: views.positions,
    disagreeing: () => selfAudit?.disagreeing ?? 0,
    keysByPepper: () => views.keysByPepper(secretsInUse.accepts.peppers, run.now()),
    rewindIsOpen: eventLog.rewindIsOpen,
    copyLag: eventLog.store.copyLag && (() => eventLog.store.copyLag ?? NO_LAG),
  });
  const run = await startRun(options);
  eventLog.onDoubt(run.doubt);
  const orphans = startOrphanRelease(options, run, metrics);
  const lotExpiry = startLotExpiry(options, run);
  const rehash = startRehash(options);
  const failedRefusals = failing(options, 'warn', 'writing refusals failed');
  const refusals = openRefusals({ databaseUrl, now: run.now, failed: failedRefusals });
  const failedNetworks = failing(options, 'warn', 'writing the networks of keys failed');
  const keyNetworks = openKeyNetworks({ databaseUrl, now: run.now, failed: failedNetworks });
  logSigningKey(await noticeSigningKey(databaseUrl, signingKey), log);
  const { checkpointLog, checkpoints } = startCheckpoints(options);
  const selfAudit = options.selfAuditEveryMs > 0 ? startAudit(options, metrics) : undefined;

  return {
    metrics,
    runId: () => run.id,
    now: run.now,
    /** Whether the last heartbeat failed. */
    missedBeat: (): boolean => run.missed,
    refusals,
    keyNetworks,
    /** How far the clock of the log is ahead of real time, in ms; undefined if it was never moved. */
    movedMs: () => run.movedMs,
    /** Rehashes a key in use with the pepper for new keys, if it was hashed with another one. */
    keyUsed: (owner: UsedKey, hashes: readonly KeyHash[]): void => {
      const { pepperId } = secretsInUse;
      if (owner.pepperIds.includes(pepperId)) return;
      const newest = hashes.find((one) => one.pepperId === pepperId);
      if (newest) rehash.add({ accountId: owner.accountId, keyId: owner.keyId, hash: newest.hash, pepperId });
    },
    newestCheckpoint: async () => {
      const newest = await checkpointLog.newest();
      return newest && toJson(newest);
    },
    checkpointKey: publicKeyPem(signingKey),
    /** To be called when no request is in progress. */
    close: async (): Promise<void> => {
      await orphans.close();
      await lotExpiry.close();
      await rehash.close();
      await refusals.close();
      await keyNetworks.close();
      await selfAudit?.close();
      await run.close();
      // The last signature covers the last event.
      await eventLog.finish();
      await checkpoints.close();
      await checkpointLog.close();
    },
  };
};
