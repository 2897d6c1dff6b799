import type { Database } from '../../projections/database.ts';

/** A running gateway and the ids of the secrets that it accepts; empty if its release does not state them. */
export type LiveRun = {
  readonly id: string;
  readonly peppers: readonly string[];
  readonly masterKeys: readonly string[];
};

/** The runs with a recent heartbeat. */
export const readLiveRuns = async (database: Database): Promise<readonly LiveRun[]> =>
  database.any<LiveRun>(
    `select id, coalesce(accepts -> 'peppers', '[]') as peppers, coalesce(accepts -> 'masterKeys', '[]') as "masterKeys"
     from runs where seen_at > clock_timestamp() - interval '5 seconds' order by started_at`,
  );
