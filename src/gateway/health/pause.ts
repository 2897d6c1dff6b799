import type { accountDecider } from '../../domain/account/decide.ts';
import { HoldsPaused } from '../../proxy/engine/hold.ts';

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
