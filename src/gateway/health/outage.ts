import type { Logger } from 'pino';
import { isDatabaseAway, reasonOf } from '../../eventstore/postgres/database/database-faults.ts';

/**
 * During an outage of the database every pool fails several times a second. All of these failures are logged as one
 * outage.
 */
export type OutageLog = {
  /** Whether a failure is part of an outage, which is logged here. The caller logs other failures. */
  covers(error: unknown): boolean;
  /** To be called when the database has answered. */
  answered(): void;
};

const REMIND_MS = 30_000;
/** Failures that are still in progress when the database is back must not begin another outage. */
const QUIET_MS = 2000;

export const createOutageLog = (log: Pick<Logger, 'error' | 'warn'>, now = () => performance.now()): OutageLog => {
  let outage: { readonly since: number; last: number; remindAt: number; failures: number } | undefined;
  const seconds = (since: number): number => Math.round((now() - since) / 1000);
  return {
    covers: (error) => {
      if (!isDatabaseAway(error)) return false;
      const at = now();
      const reason = reasonOf(error);
      if (!outage) {
        outage = { since: at, last: at, remindAt: at + REMIND_MS, failures: 1 };
        log.error({ reason }, 'the database does not answer');
        return true;
      }
      outage.last = at;
      outage.failures++;
      if (at < outage.remindAt) return true;
      outage.remindAt = at + REMIND_MS;
      const { since, failures } = outage;
      log.error({ reason, failures }, `the database does not answer, for ${seconds(since)} s now`);
      return true;
    },
    answered: () => {
      if (!outage || now() - outage.last < QUIET_MS) return;
      const { since, failures } = outage;
      outage = undefined;
      log.warn({ failures }, `the database answers again, after ${seconds(since)} s`);
    },
  };
};
