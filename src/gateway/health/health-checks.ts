import type { AppendStanding } from '../../eventstore/committer.ts';
import { StoreFull } from '../../eventstore/event-store.ts';
import { movedInWords } from '../../eventstore/postgres/log-clock.ts';
import { NoRoom, type LogProbe, type LogState } from '../../eventstore/postgres/log-probe.ts';
import type { Check, Finding } from './readiness.ts';

/** The current state of a follower of the log. */
export type FollowerStanding = {
  readonly position: number;
  readonly failed: boolean;
  /** Other nodes move its position, so a standstill is not a fault of this node. */
  readonly keptByOthers: boolean;
};

export type HealthChecksOptions = {
  readonly probe: Omit<LogProbe, 'close'>;
  readonly appends: () => AppendStanding;
  readonly rows: () => FollowerStanding;
  readonly lookUps: () => FollowerStanding;
  /** How far the clock of the log is ahead of real time, in ms; undefined if it was never moved. */
  readonly movedMs: () => number | undefined;
};

/** A follower processes a batch in less time, and so does an append. */
const STALLED_MS = 2500;
/** An append within this time proves that the disk has room. */
const LATELY_MS = 2000;
/** Certificates and prices depend on the local clock. A clock that NTP sets is never this far off. */
const FAR_OFF_MS = 30_000;

/** The conditions for a node to receive requests. No check waits for the pools that serve requests. */
export const healthChecks = ({ probe, appends, rows, lookUps, movedMs }: HealthChecksOptions): readonly Check[] => [
  { name: 'log', look: logCheck(probe, appends) },
  { name: 'head', look: headCheck(probe, lookUps) },
  { name: 'rows', look: followerCheck(probe, rows) },
  { name: 'look_ups', look: followerCheck(probe, lookUps) },
  { name: 'clock', look: async () => ({ ...clockFinding(await probe.look()), ...simulated(movedMs()) }) },
];

const fails = (reason: string, figures: Omit<Finding, 'ok' | 'reason'> = {}): Finding => ({
  ok: false,
  reason,
  ...figures,
});

const FULL = 'the disk of the database is full';

/** Whether the log can be read and appended to. */
const logCheck = (probe: HealthChecksOptions['probe'], appends: () => AppendStanding): Check['look'] => {
  /** Without requests there are no appends, so the end of a fault must be detected in another way. */
  let over: Error | undefined;

  return async () => {
    try {
      const { readOnly } = await probe.look();
      if (readOnly) return fails('the database is read-only');
      const { fault, waitingMs, succeededMs } = appends();
      if (waitingMs > STALLED_MS) return fails('appends are not answered');
      if (fault && fault !== over) {
        await probe.tryAppend();
        over = fault;
      }
      if (succeededMs > LATELY_MS) await probe.lookForRoom();
      return { ok: true };
    } catch (error) {
      if (error instanceof NoRoom) return fails(FULL);
      const { fault } = appends();
      if (fault && fault !== over) return fails(fault instanceof StoreFull ? FULL : 'the log takes no appends');
      return fails('the database cannot be reached');
    }
  };
};

/** Whether the log still is the one that this node has read; after a restore from a backup it is shorter. */
const headCheck =
  (probe: HealthChecksOptions['probe'], lookUps: () => FollowerStanding): Check['look'] =>
  async () => {
    const seen = lookUps().position;
    const { head } = await probe.look();
    return head < seen
      ? fails('the log ends before what this node has read of it', { behind: seen - head })
      : { ok: true };
  };

/** Whether a follower makes progress while the log has more events. */
const followerCheck = (probe: HealthChecksOptions['probe'], standing: () => FollowerStanding): Check['look'] => {
  let [at, since] = [Number.NaN, 0];

  return async () => {
    const { head } = await probe.look();
    const { position, failed, keptByOthers } = standing();
    const behind = Math.max(0, head - position);
    if (failed) return fails('following the log failed', { behind });
    if (behind === 0 || position !== at) [at, since] = [position, performance.now()];
    const stalled = !keptByOthers && performance.now() - since > STALLED_MS;
    return stalled ? fails('it does not follow the log', { behind }) : { ok: true, behind };
  };
};

const simulated = (movedMs: number | undefined): Pick<Finding, 'moved_ms' | 'simulated'> =>
  movedMs === undefined ? {} : { moved_ms: movedMs, simulated: movedInWords(movedMs) };

/** The clock of the database was read between two readings of the local clock, so the nearer of the two counts. */
export const clockFinding = ({ databaseMs, sentAt, heardAt }: Omit<LogState, 'head' | 'readOnly'>): Finding => {
  const ahead = Math.round(Math.max(0, sentAt - databaseMs) + Math.min(0, heardAt - databaseMs));
  return Math.abs(ahead) > FAR_OFF_MS
    ? fails('the clock of this machine is far from the clock of the database', { ahead_ms: ahead })
    : { ok: true, ahead_ms: ahead };
};
