import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { accountStream } from '../../domain/account/account.ts';
import { publicKeyPem, toJson } from '../../eventstore/integrity/checkpoint.ts';
import { createCheckpointLog } from '../../eventstore/integrity/checkpoint-log.ts';
import { NotReadableByAll } from '../../eventstore/event-versions.ts';
import { noticeSigningKey } from '../../eventstore/secrets/signing-keys.ts';
import type { MigrateOptions } from '../../eventstore/postgres/migrate.ts';
import type { Patiently } from '../../eventstore/postgres/patience.ts';
import { createMetrics } from '../metrics.ts';
import { anyAccount, auditAccount, recentAccount } from '../../projections/audit/audit-account.ts';
import { orphanCommandId } from '../../proxy/engine/ledger.ts';
import { signCheckpoints } from '../../reactions/checkpoints.ts';
import { releaseOrphanedHolds } from '../../reactions/orphaned-holds.ts';
import { createRun, migrateRuns } from '../../reactions/runs.ts';
import { rehashKeys } from '../../reactions/rehash-keys.ts';
import { startSelfAudit } from '../../reactions/self-audit.ts';
import type { EventLog } from '../event-log.ts';
import { newId } from '../new-id.ts';
import { tellSigningKey, type SecretsInUse } from '../secrets.ts';
import type { OutageLog } from './outage.ts';
import type { Views } from '../views.ts';

type UsedKey = { readonly accountId: string; readonly keyId: string; readonly pepperIds: readonly string[] };
type KeyHash = { readonly hash: string; readonly pepperId: string };

/** So many differences of one account are told in a line of the log. */
const MAX_TOLD = 20;
/** Where it takes longer, the rows are kept by another node, or far behind. */
const HURRY_WITHIN_MS = 500;

export type WatchersOptions = {
  readonly databaseUrl: string;
  readonly eventLog: Pick<
    EventLog,
    'store' | 'accounts' | 'finish' | 'writeReadable' | 'onRewind' | 'rewindIsOpen' | 'checkHistory'
  >;
  /** The generations under way in this process. */
  readonly generations: () => ReadonlySet<string>;
  readonly views: Pick<Views, 'database' | 'queries' | 'positions' | 'hurry' | 'keysByPepper' | 'lookedUp'>;
  readonly secretsInUse: SecretsInUse;
  /** Signs the head of the log. */
  readonly signingKey: KeyObject;
  /** 0 is never. */
  readonly selfAuditEveryMs: number;
  readonly patiently: Patiently;
  readonly outage: OutageLog;
  readonly migration: MigrateOptions;
  readonly log: Logger;
};

/** What goes on beside the requests: the proof of life, the holds of dead runs, the signatures, the self-audit, the metrics. */
export const startWatchers = async (options: WatchersOptions) => {
  const { databaseUrl, eventLog, views, secretsInUse, signingKey, selfAuditEveryMs, generations } = options;
  const { patiently, outage, migration, log } = options;
  const { store, accounts } = eventLog;
  const { database, queries } = views;
  const metrics = createMetrics({
    positions: views.positions,
    disagreeing: () => selfAudit?.disagreeing ?? 0,
    keysByPepper: () => views.keysByPepper(secretsInUse.accepts.peppers, run.now()),
    rewindIsOpen: eventLog.rewindIsOpen,
  });

  /** Logs a failure, unless it is one of an outage, which is logged once. */
  const failing =
    (level: 'warn' | 'error', message: string) =>
    (error: unknown): void => {
      if (!outage.covers(error)) log[level]({ err: error }, message);
    };

  await patiently(() => migrateRuns(databaseUrl, migration));
  const run = await patiently(() =>
    createRun({
      databaseUrl,
      id: newId(),
      failed: failing('warn', 'the heartbeat failed'),
      answered: outage.answered,
      readable: eventLog.writeReadable,
      accepts: secretsInUse.accepts,
      acceptedByAll: secretsInUse.update,
      clockOff: (aheadMs) =>
        log.warn({ aheadMs }, "this machine's clock is not the database's: set it; limits go by the database's"),
    }),
  );
  // Streams that were under way when the log went back in time may end; then the run that they began in is over.
  const former = new Map<string, readonly string[]>();
  eventLog.onRewind(() => {
    former.set(run.id, [...generations()]);
    run.renew(newId());
  });
  const retireFormerRuns = async (): Promise<void> => {
    for (const [runId, underWay] of former) {
      if (underWay.some((id) => generations().has(id))) continue;
      former.delete(runId);
      await run.retire(runId);
    }
  };
  const orphans = releaseOrphanedHolds({
    liveRuns: async () => {
      await retireFormerRuns();
      return run.live();
    },
    isUnderWay: (requestId) => generations().has(requestId),
    openHoldsOfOtherRuns: async (runIds, afterId) =>
      (await queries.openRequestsOfOtherRuns(runIds, afterId)).map((row) => ({
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
      return outcome.kind === 'accepted' && outcome.events.length > 0 && !outcome.repeated;
    },
    released: (hold) => {
      metrics.orphanedHoldReleased();
      log.warn(hold, 'released the hold of a dead run');
    },
    failed: failing('error', 'looking for orphaned holds failed'),
  });

  const rehash = rehashKeys({
    rehash: async ({ accountId, ...key }) => {
      const outcome = await accounts.execute(
        accountStream(accountId),
        { type: 'RehashKey', ...key },
        { actor: 'system:rehash-keys', commandId: newId() },
      );
      if (outcome.kind === 'accepted' && outcome.position !== undefined) await views.lookedUp(outcome.position);
    },
    failed: (error) => {
      // The key works as it is, and is hashed when it is used after the upgrade.
      if (!(error instanceof NotReadableByAll))
        log.warn({ err: error }, 'a key could not be hashed with the new pepper');
    },
  });

  tellSigningKey(await noticeSigningKey(databaseUrl, signingKey), log);
  const checkpointLog = createCheckpointLog(databaseUrl, signingKey);
  eventLog.onRewind(checkpointLog.forget);
  const checkpoints = signCheckpoints({
    sign: async (due) => {
      const outcome = await checkpointLog.sign(due);
      if (outcome.kind !== 'tampered') return outcome;
      // A log that went back in time no longer has what this process signed, and has an alarm of its own. What its own
      // checkpoints vouch for it must still have.
      await eventLog.checkHistory();
      return eventLog.rewindIsOpen() ? checkpointLog.sign(due) : outcome;
    },
    // Whoever collects these lines elsewhere can show later that the end of the log was cut off.
    signed: (checkpoint) => log.debug({ checkpoint: toJson(checkpoint) }, 'signed the head of the log'),
    alarmed: (flaw) =>
      log.error({ alert: 'log_tampered', ...flaw }, 'the log is not what was signed: it is not signed'),
    failed: failing('warn', 'signing the head of the log failed'),
  });

  const auditing = () =>
    startSelfAudit({
      everyMs: selfAuditEveryMs,
      // What moves now is where something may go wrong now; what rests may have been changed by hand.
      pick: async () =>
        (Math.random() < 0.5 ? await recentAccount(store, Math.random) : undefined) ??
        anyAccount(database, Math.random),
      audit: async (accountId) => {
        // What the rows have yet to take in, the audit would have to.
        await views.hurry(HURRY_WITHIN_MS);
        return auditAccount({ database, store, readAccount: (id) => accounts.read(accountStream(id)) }, accountId);
      },
      sampled: metrics.audited,
      alarm: (accountId, differences) =>
        log.error(
          {
            ...{ alert: 'self_audit', accountId },
            ...{ differences: differences.slice(0, MAX_TOLD), count: differences.length },
          },
          'the rows of an account are not what the log says',
        ),
      mended: (accountId) => log.info({ accountId }, 'the rows of an account are what the log says again'),
      failed: failing('warn', 'the self-audit skipped an account'),
    });
  const selfAudit = selfAuditEveryMs > 0 ? auditing() : undefined;

  return {
    metrics,
    runId: () => run.id,
    now: run.now,
    /** A key is in use: unless it was hashed with the pepper that is used for new keys, that is done now. */
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
    /** Once nothing is under way any more. */
    close: async (): Promise<void> => {
      await orphans.close();
      await rehash.close();
      await selfAudit?.close();
      await run.close();
      // The last signature is over the last event.
      await eventLog.finish();
      await checkpoints.close();
      await checkpointLog.close();
    },
  };
};
