import { accept } from '../decider.ts';
import { cost, min, noUsage, tokenClasses, type Credits } from '../money.ts';
import type { Account } from './account.ts';
import type { AccountDecision, CommandOf } from './commands.ts';
import type { PinnedPrice, WalletEvent } from './events.ts';
import { draws } from './lots.ts';
import { no, refuseSpending, refuseStep } from './reserve.ts';
import { available, type Wallet } from './wallet.ts';
import { withMarks } from './refunds/settle-marks.ts';
import { limitedBy, withinSpending } from './limits/within-limits.ts';

export const extendHold = (command: CommandOf<'ExtendHold'>, account: Account): AccountDecision => {
  const { requestId, by, tokens } = command;
  const { wallet, tallies } = account;
  const hold = wallet.holds.get(requestId);
  const at = Math.max(command.at, tallies.at);
  const barred = refuseStep(account, hold?.keyId, at);
  if (barred) return barred;
  if (by <= 0n) return no('invalid_amount');
  if (!hold) return no('hold_not_open');
  const refused = refuseSpending(wallet, limitedBy(tallies, hold.keyId), hold.at, by, hold.amount);
  return refused ?? accept({ type: 'HoldExtended', requestId, by, at, tokens });
};

export const settleHold = (command: CommandOf<'SettleHold'>, account: Account): AccountDecision => {
  const { wallet, tallies } = account;
  const { requestId, usage, delivery, beyond } = command;
  const hold = wallet.holds.get(requestId);
  if (!hold) return no('hold_not_open');
  const { keyId, price, amount: held } = hold;
  const owed = cost(usage, price.rates);
  const free = withinSpending(limitedBy(tallies, keyId), hold.at, available(wallet));
  const charged = min(owed, held + free);
  const released = held - min(charged, held);
  const drawn = draws(wallet, charged, hold.at);
  return withMarks(
    account,
    { type: 'HoldSettled', requestId, keyId, price, usage, cost: owed, charged, held, released, drawn, delivery },
    ...writeOff(requestId, owed - charged, price, beyond),
  );
};

export const releaseHold = (command: CommandOf<'ReleaseHold'>, account: Account): AccountDecision => {
  const { requestId, reason, detail } = command;
  const hold = account.wallet.holds.get(requestId);
  if (!hold) return no('hold_not_open');
  const { amount: released } = hold;
  return withMarks(account, { type: 'HoldReleased', requestId, released, reason, detail });
};

export const chargeLateUsage = (
  command: CommandOf<'ChargeLateUsage'>,
  { wallet, tallies }: Account,
): AccountDecision => {
  const { requestId, keyId, price, usage, delivery, beyond, at } = command;
  if (wallet.holds.has(requestId)) return no('request_id_reused');
  const owed = cost(usage, price.rates);
  const charged = min(owed, withinSpending(limitedBy(tallies, keyId), at ?? null, available(wallet)));
  const drawn = draws(wallet, charged, at ?? null);
  return accept(
    {
      type: 'LateUsageCharged',
      ...{ requestId, keyId, price, usage, cost: owed, charged, drawn, delivery },
      ...(at === undefined ? {} : { at }),
    },
    ...writeOff(requestId, owed - charged, price, beyond),
  );
};

export const writeOffLateUsage = (command: CommandOf<'WriteOffLateUsage'>, { holds }: Wallet): AccountDecision => {
  const { requestId, usage, price, beyond } = command;
  if (holds.has(requestId)) return no('request_id_reused');
  return accept(...writeOff(requestId, cost(usage, price.rates), price, beyond));
};

/** The uncharged rest of a cost plus the cost of tokens beyond the bounds of the request. No event if the sum is zero. */
const writeOff = (requestId: string, rest: Credits, { rates }: PinnedPrice, beyond = noUsage): WalletEvent[] => {
  const amount = rest + cost(beyond, rates);
  if (amount === 0n) return [];
  const isBeyond = tokenClasses.some((tokenClass) => beyond[tokenClass] > 0);
  return [{ type: 'UsageWrittenOff', requestId, amount, ...(isBeyond ? { beyond } : {}) }];
};
