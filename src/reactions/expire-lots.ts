import { inRounds } from './rounds.ts';

/** An account of which a lot has ended. `revision`: of the last event that concerned its money. */
export type DueAccount = { readonly accountId: string; readonly endedAt: Date; readonly revision: number };

type ExpireLotsOptions = {
  readonly now: () => Date;
  /** Accounts with lots that have ended by `at`, without a record of it; a page of them. */
  readonly due: (at: Date) => Promise<readonly DueAccount[]>;
  /** Records the ends; a repetition changes nothing. */
  readonly expire: (account: DueAccount, at: Date) => Promise<void>;
  readonly failed: (error: unknown) => void;
};

const LOOK_EVERY_MS = 1000;
const AFTER_FAILURE_MS = 10_000;

/**
 * Ends the lots whose time is over. No request depends on it: one that comes after the end of a lot records the end first.
 * Every node does this, by the clock of the log. The account decides, so a lot ends once.
 */
export const expireLots = ({ now, due, expire, failed }: ExpireLotsOptions): { close(): Promise<void> } => {
  const look = async (): Promise<void> => {
    const at = now();
    const ends = await Promise.allSettled((await due(at)).map((account) => expire(account, at)));
    // What fails one account probably fails many, so it is reported once.
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure) throw failure.reason;
  };

  return inRounds(async (rest) => {
    while (!rest.ended) {
      const pauseMs = await look().then(
        () => LOOK_EVERY_MS,
        (error: unknown) => {
          failed(error);
          return AFTER_FAILURE_MS;
        },
      );
      await rest.pause(pauseMs);
    }
  });
};
