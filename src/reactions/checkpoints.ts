import { inRounds } from './rounds.ts';

/** What came of an attempt to sign. */
type Outcome<Checkpoint> =
  | { readonly kind: 'signed'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'tampered'; readonly position: number; readonly what: string };

export type CheckpointsOptions<Checkpoint> = {
  readonly sign: (due: { readonly events: number; readonly ms: number }) => Promise<Outcome<Checkpoint>>;
  readonly signed: (checkpoint: Checkpoint) => void;
  /** The log is not what was signed: somebody must look at it. Called again and again until it is. */
  readonly alarmed: (flaw: { readonly position: number; readonly what: string }) => void;
  readonly failed: (error: unknown) => void;
  readonly lookEveryMs?: number;
};

const DUE = { events: 10_000, ms: 10_000 };
const LOOK_EVERY_MS = 1000;

/**
 * Signs the head of the log every so often, and once more when closed. Every node does this, by the same clock, which is
 * the last checkpoint; one of them is first.
 */
export const signCheckpoints = <Checkpoint>(options: CheckpointsOptions<Checkpoint>): { close(): Promise<void> } => {
  const { sign, signed, alarmed, failed, lookEveryMs = LOOK_EVERY_MS } = options;

  /** Resolves to how long the next look may wait. */
  const look = async (due: typeof DUE): Promise<number> => {
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
