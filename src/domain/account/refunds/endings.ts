import { accept } from '../../decider.ts';
import type { Credits } from '../../money.ts';
import type { Account } from '../account.ts';
import type { AccountCommand, AccountDecision, CommandOf } from '../commands.ts';
import { excess, free, isPaid, lotOf, type Ending } from '../lots.ts';
import { no } from '../reserve.ts';
import { openDraft, type Draft } from './draft.ts';
import { end } from './settle-marks.ts';

/** Ends the lots whose time is over. */
export const expireLots = ({ at }: CommandOf<'ExpireLots'>, account: Account): AccountDecision => {
  const { nextEnd } = account.wallet;
  if (nextEnd === null || at < nextEnd) return accept();
  const draft = openDraft(account);
  expireDue(draft, at);
  return draft.decision();
};

const expireDue = (draft: Draft, at: number): void => {
  for (const [lotId, lot, amount] of excess(draft.wallet, draft.wallet.held)) {
    if (lot.endsAt === null || at < lot.endsAt || lot.ended) continue;
    end(draft, lotId, { kind: 'expired', reason: 'ended' }, amount);
  }
};

/**
 * A request cannot be paid by a lot that has ended before it. If the end of a lot has not been recorded yet, it is recorded
 * first, in the same decision.
 */
export const afterExpiry = (
  command: AccountCommand,
  account: Account,
  decide: (command: AccountCommand, account: Account) => AccountDecision,
): AccountDecision => {
  const { nextEnd } = account.wallet;
  if (nextEnd === null || (command.type !== 'ReserveCredits' && command.type !== 'ExtendHold')) {
    return decide(command, account);
  }
  const at = Math.max(command.at, account.tallies.at);
  if (at < nextEnd) return decide(command, account);
  const draft = openDraft(account);
  expireDue(draft, at);
  const decision = decide(command, { ...account, wallet: draft.wallet });
  if (decision.kind === 'refused' || decision.events.length === 0) return decision;
  for (const event of decision.events) {
    if (event.type === 'CreditsReserved' || event.type === 'HoldExtended') draft.add(event);
  }
  return draft.decision();
};

/** Forfeiture needs a termination for a violation. */
export const forfeitCredits = ({ reason }: CommandOf<'ForfeitCredits'>, account: Account): AccountDecision => {
  const isTerminated = account.standing.status !== 'closed' || account.conduct.termination !== null;
  return isTerminated ? endPaid({ kind: 'forfeited', reason }, account) : no('account_not_terminated');
};

export const waiveCredits = (
  { reason, lotId, below }: CommandOf<'WaiveCredits'>,
  account: Account,
): AccountDecision => {
  const lot = lotId === undefined ? undefined : lotOf(account.wallet, lotId);
  if (account.standing.status === 'closed' && lotId !== undefined && (!lot || !isPaid(lot))) return no('lot_not_found');
  return endPaid({ kind: 'waived', reason }, account, { lotId, below });
};

/** Ends all paid lots of a closed account, or one of them, or those with less than an amount left. */
const endPaid = (
  ending: Ending,
  account: Account,
  { lotId: only, below }: { readonly lotId?: string | undefined; readonly below?: Credits | undefined } = {},
): AccountDecision => {
  if (account.standing.status !== 'closed') return no('account_not_closed');
  const draft = openDraft(account);
  for (const [lotId, lot, amount] of excess(draft.wallet, draft.wallet.held)) {
    const isMeant =
      isPaid(lot) &&
      lot.ended === null &&
      (only === undefined || only === lotId) &&
      (below === undefined || lot.remaining < below);
    // What a refund or a dispute returns later is forfeited too, so a lot without free credits is marked.
    const left = ending.kind === 'forfeited' ? lot.remaining : free(lot);
    if (isMeant && left > 0n) end(draft, lotId, ending, amount);
  }
  return draft.decision();
};
