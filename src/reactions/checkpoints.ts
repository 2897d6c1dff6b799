import type { Due, Signed } from '../eventstore/integrity/checkpoint-log.ts';
import { inRounds } from './rounds.ts';

export type CheckpointsOptions<Checkpoint> = {
  readonly sign: (due: Due) => Promise<Signed<Checkpoint>>;
  readonly signed: (checkpoint: Checkpoint) => void;
  /** The log differs from what was signed, and an operator must inspect it. Called repeatedly. */
  readonly alarmed: (flaw: { readonly position: number; readonly what: string }) => void;
  readonly failed: (error: unknown) => void;
  readonly lookEveryMs?: number;
};

const DUE: Due = { events: 10_000, ms: 10_000 };
const LOOK_EVERY_MS = 1000;

/**
 * Signs the head of the log regularly, and once more when closed. Every node tries, and the first one signs: whether a
 * checkpoint is due depends on the last checkpoint, which all nodes share.
 */
export const signCheckpoints = <Checkpoint>(options: CheckpointsOptions<Checkpoint>): { close(): Promise<void> } => {
  const { sign, signed, alarmed, failed, lookEveryMs = LOOK_EVERY_MS } = options;

  /** Resolves to how long to wait before the next attempt. */
  const look = async (due: Due): Promise<number> => {
    try {
      const outcome = await sign(due);
      if (outcome.kind === 'signed') signed(outcome.checkpoint);
      if (outcome.kind !== 'tampered') return lookEveryMs;
      alarmed({ position: outcome.position, what: outcome.what });
      return DUE.ms;
    } catch (error) {
      failed(error);
      return lookEveryMs;
    }
  };

  return inRounds(async (rest) => {
    while (!rest.ended) await rest.pause(await look(DUE));
    await look({ events: 1, ms: 0 });
  });
};
