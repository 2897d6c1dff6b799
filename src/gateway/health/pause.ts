import type { accountDecider } from '../../domain/account/decide.ts';
import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { HoldsPaused } from '../../proxy/engine/hold/hold.ts';

type AccountDecider = typeof accountDecider;

/**
 * The same decider, but it throws HoldsPaused for a new hold while `isPaused`. A request may have arrived before the pause
 * and be decided after it: the decision and the append that follows it are one step, so no hold is placed in between.
 */
export const withPause = (decider: AccountDecider, isPaused: () => boolean): AccountDecider => ({
  ...decider,
  decide: (command, account) => {
    if (command.type === 'ReserveCredits' && isPaused()) throw new HoldsPaused('the log went back in time');
    return decider.decide(command, account);
  },
});

/** While PostgreSQL is away, EventStoreDB would accept holds that nothing shows and that no audit has seen. */
export const MAX_COPY_LAG_MS = 5000;

/** The same decider, but a new hold fails while the copy of the log is behind. Calls that have a hold go on. */
export const withCopy = (decider: AccountDecider, lagMs: () => number): AccountDecider => ({
  ...decider,
  decide: (command, account) => {
    if (command.type === 'ReserveCredits' && lagMs() > MAX_COPY_LAG_MS) {
      throw new StoreUnavailable('the copy of the log in PostgreSQL is behind');
    }
    return decider.decide(command, account);
  },
});
