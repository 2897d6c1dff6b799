import { min, type Credits } from '../../money.ts';
import type { Account } from '../account.ts';
import { accept } from '../../decider.ts';
import type { AccountDecision } from '../commands.ts';
import type { WalletEvent } from '../events.ts';
import { excess, free, lotOf, openDisputes, paysBefore, type Awaited, type Ending, type Lot } from '../lots.ts';
import { available } from '../wallet.ts';
import { DEBT, openDraft, suspend, type Draft } from './draft.ts';

/** The events that end a hold, and what lots that are marked lose because of it. */
export const withMarks = (account: Account, ...events: readonly WalletEvent[]): AccountDecision => {
  if (account.wallet.marked.size === 0) return accept(...events);
  const draft = openDraft(account);
  for (const event of events) draft.add(event);
  settleMarks(draft);
  return draft.decision();
};

/** Takes of marked lots what open holds no longer need. */
export const settleMarks = (draft: Draft): void => {
  const { marked } = draft.wallet;
  const lots = [...marked].flatMap((lotId) => {
    const lot = lotOf(draft.wallet, lotId);
    return lot ? [[lotId, lot] as const] : [];
  });
  // A lot may have lost its credits, but it keeps its place in the order.
  for (const [lotId, lot] of lots.toSorted(([, a], [, b]) => (paysBefore(a, b) ? -1 : 1))) {
    for (const awaited of lot.awaited) takeAwaited(draft, lotId, lot, awaited);
    freeze(draft, lotId, lot);
    if (lot.ended) endRest(draft, lotId, lot.ended);
  }
};

/** What can be taken of a lot by a refund, a freeze or a chargeback. */
export const takeable = ({ wallet }: Pick<Draft, 'wallet'>, lot: Lot): Credits => min(free(lot), available(wallet));

const takeAwaited = (draft: Draft, lotId: string, lot: Lot, { of, reference, refundId, amount }: Awaited): void => {
  const taken = min(amount, lot.frozen + takeable(draft, lot));
  const awaited = min(amount - taken, lot.frozen + free(lot) - taken);
  if (taken > 0n || awaited < amount) {
    draft.add(
      of === 'refund'
        ? { type: 'CreditsRefunded', lotId, reference, refundId, amount: taken, awaited }
        : { type: 'CreditsChargedBack', lotId, disputeId: reference, amount: taken, awaited },
    );
  }
  incurDebt(draft, { lotId, amount: amount - taken - awaited, cause: of, reference });
};

type NewDebt = {
  readonly lotId: string;
  readonly amount: Credits;
  readonly cause: 'refund' | 'chargeback';
  readonly reference: string;
};

/** The account cannot spend while it owes something. */
export const incurDebt = (draft: Draft, debt: NewDebt): void => {
  if (debt.amount === 0n) return;
  draft.add({ type: 'DebtIncurred', ...debt });
  suspend(draft, DEBT, 'credits that were used have been refunded');
};

/** If several disputes are open, the event names the oldest. */
const freeze = (draft: Draft, lotId: string, lot: Lot): void => {
  const [disputeId] = openDisputes(lot);
  const amount = takeable(draft, lot);
  if (disputeId !== undefined && amount > 0n) draft.add({ type: 'LotFrozen', lotId, disputeId, amount });
};

/** Takes the free credits of a lot that has ended, except those that open holds may need. */
const endRest = (draft: Draft, lotId: string, ending: Ending): void => {
  for (const [id, , amount] of excess(draft.wallet, draft.wallet.held)) {
    if (id === lotId && amount > 0n) return end(draft, lotId, ending, amount);
  }
};

export const end = (draft: Draft, lotId: string, ending: Ending, amount: Credits): void => {
  switch (ending.kind) {
    case 'expired':
      return draft.add({ type: 'LotExpired', lotId, amount, reason: ending.reason });
    case 'forfeited':
      return draft.add({ type: 'CreditsForfeited', lotId, amount, reason: ending.reason });
    case 'waived':
      return draft.add({ type: 'CreditsWaived', lotId, amount, reason: ending.reason });
  }
};
