import { inRounds, type Rest } from './rounds.ts';

/** An open hold, and the account and run that it belongs to. */
export type OpenHold = { readonly requestId: string; readonly accountId: string; readonly runId: string };

export type OrphanedHoldsOptions = {
  /** Undefined while it cannot be told who lives. */
  readonly liveRuns: () => Promise<readonly string[] | undefined>;
  /** A page of them, in the order of their requests' ids; the next one comes after the last id of this. */
  readonly openHoldsOfOtherRuns: (runIds: readonly string[], afterId: string) => Promise<readonly OpenHold[]>;
  /** Whether this process is still at work on a request, whatever run its hold is of. */
  readonly isUnderWay: (requestId: string) => boolean;
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
  const { liveRuns, openHoldsOfOtherRuns, isUnderWay, release, released, failed } = options;

  /** All of them, page by page: those that cannot be released now must not keep the others behind them from it. */
  const look = async (rest: Rest): Promise<void> => {
    for (let afterId = ''; !rest.ended;) {
      const live = await liveRuns();
      if (!live) return;
      const page = await openHoldsOfOtherRuns(live, afterId);
      const last = page.at(-1);
      if (!last) return;
      // Between the two answers a new run may have begun to hold. It was on the list before, so it is there now.
      const now = await liveRuns();
      if (!now) return;
      const orphans = page.filter(({ runId, requestId }) => !now.includes(runId) && !isUnderWay(requestId));
      const ends = await Promise.allSettled(
        orphans.map(async (hold) => {
          if (await release(hold)) released(hold);
        }),
      );
      // What keeps one of them most likely keeps many, and is told once.
      const failure = ends.find((end) => end.status === 'rejected');
      if (failure) failed(failure.reason);
      afterId = last.requestId;
    }
  };

  return inRounds(async (rest) => {
    for (; !rest.ended; await rest.pause(LOOK_EVERY_MS)) await look(rest).catch(failed);
  });
};
