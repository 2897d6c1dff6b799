import { max, min, type Credits } from '../../money.ts';
import type { Account } from '../account.ts';
import type { AccountDecision, CommandOf } from '../commands.ts';
import type { Draw } from '../events.ts';
import { excess, lotOf } from '../lots.ts';
import { no } from '../reserve.ts';
import type { Wallet } from '../wallet.ts';
import { debtOf } from './debts.ts';
import { openDraft, reinstateWithoutDebt, type Draft } from './draft.ts';
import { end, settleMarks } from './settle-marks.ts';

/** A charge can be reversed until it is this old. */
export const REVERSIBLE_MS = 120 * 24 * 60 * 60 * 1000;

export const reverseCharge = (command: CommandOf<'ReverseCharge'>, account: Account): AccountDecision => {
  const { requestId, amount, reason, charged, drawn, chargedAt, at } = command;
  const before = account.wallet.reversals.get(requestId)?.amount ?? 0n;
  if (amount <= 0n) return no('invalid_amount');
  if (before + amount > charged) return no('more_than_charged');
  if (at - chargedAt > REVERSIBLE_MS) return no('reversal_too_late');
  const draft = openDraft(account);
  const split = splitReversal(draft.wallet, lastDrawn(drawn, before, amount), at);
  draft.add({ type: 'ChargeReversed', requestId, amount, reason, at, ...split });
  const granted = split.granted.reduce((sum, part) => sum + part.amount, 0n);
  // What was reversed before makes the id unique.
  if (granted > 0n) grantBack(draft, requestId, `lot_back_${requestId}_${before}`, granted);
  reinstateWithoutDebt(draft);
  settleMarks(draft);
  return draft.decision();
};

/** The parts of a charge that are reversed, from its last draw to its first; `before` was reversed already. */
const lastDrawn = (drawn: readonly Draw[], before: Credits, amount: Credits): readonly Draw[] => {
  const parts: Draw[] = [];
  let [skipped, left] = [before, amount];
  for (const draw of drawn.toReversed()) {
    const rest = max(0n, draw.amount - skipped);
    skipped = max(0n, skipped - draw.amount);
    const part = min(rest, left);
    left -= part;
    if (part > 0n) parts.push({ lotId: draw.lotId, amount: part });
  }
  return parts;
};

/** Where the parts go: a lot that can take no credits reduces its debt, or is replaced by a grant. */
const splitReversal = (wallet: Wallet, parts: readonly Draw[], at: number) => {
  const [returned, debtReduced, granted]: [Draw[], Draw[], Draw[]] = [[], [], []];
  for (const { lotId, amount } of parts) {
    const reduced = min(amount, debtOf(wallet.debts, lotId));
    if (reduced > 0n) debtReduced.push({ lotId, amount: reduced });
    const rest = amount - reduced;
    if (rest > 0n) (takesCredits(wallet, lotId, at) ? returned : granted).push({ lotId, amount: rest });
  }
  return { returned, debtReduced, granted };
};

/** A lot that was used up before its end has no event of its end, so its time is compared. */
const takesCredits = (wallet: Wallet, lotId: string, at: number): boolean => {
  const lot = lotOf(wallet, lotId);
  if (!lot || lot.ended || (lot.endsAt !== null && lot.endsAt <= at)) return false;
  const isChargedBack = [...lot.disputes.values()].some(({ state }) => state === 'lost');
  return !isChargedBack && !wallet.debts.some((debt) => debt.lotId === lotId);
};

/** The promotional lots of a closed account have ended. */
const grantBack = (draft: Draft, requestId: string, lotId: string, amount: Credits): void => {
  const source = { kind: 'grant', reason: `reversal of ${requestId}` } as const;
  draft.add({ type: 'CreditsToppedUp', lotId, amount, source });
  if (!draft.isClosed) return;
  for (const [id, , unneeded] of excess(draft.wallet, draft.wallet.held)) {
    if (id === lotId) end(draft, lotId, { kind: 'expired', reason: 'account_closed' }, unneeded);
  }
};
