import { createPool } from '../eventstore/postgres/database/connections.ts';
import { inRounds } from './rounds.ts';

/** Whether the effects of events on the tables beside the log are in them. */
export type AppliedEffects = {
  /** The tables went back in time: the processes must react again to the events up to this position. */
  require(position: number): void;
  /** The position up to which all processes have reacted. */
  reached(): Promise<number>;
  /** The position that a process has not reached yet; undefined if there is none. */
  readonly missing: number | undefined;
  close(): Promise<void>;
};

export type AppliedEffectsOptions = {
  readonly databaseUrl: string;
  /** The processes whose effects must not be missing. */
  readonly processes: readonly string[];
  readonly failed: (error: unknown) => void;
  readonly everyMs?: number;
};

const EVERY_MS = 500;
const ANSWER_WITHIN_MS = 3000;

/**
 * Erasures and revocations destroy rows of tables beside the log. If the database is restored from a backup, those rows are
 * back until the processes have reacted to the events again.
 */
export const watchAppliedEffects = (options: AppliedEffectsOptions): AppliedEffects => {
  const { databaseUrl, processes, failed, everyMs = EVERY_MS } = options;
  const pool = createPool(databaseUrl, {
    ...{ max: 1, query_timeout: ANSWER_WITHIN_MS, application_name: 'kissapi-applied' },
  });
  let required: number | undefined;

  const reached = async (): Promise<number> => {
    const { rows } = await pool.query<{ reached: string }>(
      `select coalesce(min(position), 0) as reached from (
         select coalesce(max(c.position), 0) as position from unnest($1::text[]) as p (process)
         left join process_checkpoints c using (process) group by p.process) as of_each`,
      [processes],
    );
    return Number(rows[0]?.reached);
  };
  const look = async (position: number): Promise<void> => {
    if ((await reached()) >= position && required === position) required = undefined;
  };
  const rounds = inRounds(async (rest) => {
    for (; !rest.ended; await rest.pause(everyMs)) {
      if (required !== undefined) await look(required).catch(failed);
    }
  });

  return {
    reached,
    require: (position) => void (required = Math.max(required ?? 0, position)),
    get missing() {
      return required;
    },
    close: async () => {
      await rounds.close();
      await pool.end();
    },
  };
};
