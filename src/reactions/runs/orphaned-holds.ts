import { inRounds, type Rest } from '../rounds.ts';

/** An open hold, with its account and run. */
export type OpenHold = { readonly requestId: string; readonly accountId: string; readonly runId: string };

export type OrphanedHoldsOptions = {
  /** Undefined while the live runs are unknown. */
  readonly liveRuns: () => Promise<readonly string[] | undefined>;
  /** A page of the open holds of other runs, in the order of their request ids, after `afterId`. */
  readonly openHoldsOfOtherRuns: (runIds: readonly string[], afterId: string) => Promise<readonly OpenHold[]>;
  /** Whether the request is under way in this process, even if its hold belongs to another run. */
  readonly isUnderWay: (requestId: string) => boolean;
  /** Releases a hold unless it has ended; resolves to whether it was released. */
  readonly release: (hold: OpenHold) => Promise<boolean>;
  readonly released: (hold: OpenHold) => void;
  readonly failed: (error: unknown) => void;
};

const LOOK_EVERY_MS = 500;

/**
 * Releases the holds of dead runs, so that a crash costs customers nothing: what a dead run delivered without a charge is the
 * operator's loss. Every node does this. The account decides, so a hold ends once even if several nodes release it.
 */
export const releaseOrphanedHolds = (options: OrphanedHoldsOptions): { close(): Promise<void> } => {
  const { liveRuns, openHoldsOfOtherRuns, isUnderWay, release, released, failed } = options;

  /** Reads all pages: holds that cannot be released now must not block the ones after them. */
  const look = async (rest: Rest): Promise<void> => {
    for (let afterId = ''; !rest.ended;) {
      const live = await liveRuns();
      if (!live) return;
      const page = await openHoldsOfOtherRuns(live, afterId);
      const last = page.at(-1);
      if (!last) return;
      // A run that started between the two reads is on the second list, because it is listed before it holds.
      const now = await liveRuns();
      if (!now) return;
      const orphans = page.filter(({ runId, requestId }) => !now.includes(runId) && !isUnderWay(requestId));
      const ends = await Promise.allSettled(
        orphans.map(async (hold) => {
          if (await release(hold)) released(hold);
        }),
      );
      // What fails one release probably fails many, so it is reported once.
      const failure = ends.find((end) => end.status === 'rejected');
      if (failure) failed(failure.reason);
      afterId = last.requestId;
    }
  };

  return inRounds(async (rest) => {
    for (; !rest.ended; await rest.pause(LOOK_EVERY_MS)) await look(rest).catch(failed);
  });
};
