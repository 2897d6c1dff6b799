import { inRounds } from './rounds.ts';

/** An open hold, and the account and run that it belongs to. */
export type OpenHold = { readonly requestId: string; readonly accountId: string; readonly runId: string };

export type OrphanedHoldsOptions = {
  /** Undefined while it cannot be told who lives. */
  readonly liveRuns: () => Promise<readonly string[] | undefined>;
  readonly openHoldsOfOtherRuns: (runIds: readonly string[]) => Promise<readonly OpenHold[]>;
  /** Releases a hold unless it has ended already; tells whether it did. */
  readonly release: (hold: OpenHold) => Promise<boolean>;
  readonly released: (hold: OpenHold) => void;
  readonly failed: (error: unknown) => void;
};

const LOOK_EVERY_MS = 500;

/**
 * Gives back what dead processes held, so that a crash costs no customer anything: what a dead run delivered and did not
 * charge is the house's loss. Every node does this; the account decides, so a hold ends once however many try.
 */
export const releaseOrphanedHolds = (options: OrphanedHoldsOptions): { close(): Promise<void> } => {
  const { liveRuns, openHoldsOfOtherRuns, release, released, failed } = options;

  const look = async (): Promise<void> => {
    const live = await liveRuns();
    if (!live) return;
    const orphans = await openHoldsOfOtherRuns(live);
    await Promise.all(
      orphans.map(async (hold) => {
        if (await release(hold)) released(hold);
      }),
    );
  };

  return inRounds(async (rest) => {
    for (; !rest.ended; await rest.pause(LOOK_EVERY_MS)) await look().catch(failed);
  });
};
