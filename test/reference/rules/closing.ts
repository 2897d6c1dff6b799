import type { CommandOf } from '../../../src/domain/account/commands.ts';
import { openDebtOf } from '../money-books.ts';
import type { MoneyEvent } from '../money-entries.ts';
import { begin, happens, refused, write, type Decision, type Effect, type Verdict } from './decision.ts';
import { endGrants, endPaidOf } from './endings.ts';
import type { Ledger } from './ledger.ts';

/** The histories have no members, so a closing that a member asked for is refused. */
export const close = ({ money, keys }: Ledger, command: CommandOf<'CloseAccount'>): Verdict => {
  const { reason, askedBy, rest } = command;
  if (money.closed) return happens();
  if (askedBy !== undefined) return refused('member_not_found');
  const decision = begin(money);
  endAccount(decision, keys, { type: 'AccountClosed', reason, ...(rest === undefined ? {} : { rest }) });
  if (rest === 'waived') endPaidOf(decision, 'waived');
  return happens(...decision.effects);
};

/** All live keys and all grants end with the account. */
export const endAccount = (
  decision: Decision,
  keys: Ledger['keys'],
  closed: Extract<MoneyEvent, { type: 'AccountClosed' }>,
): void => {
  const live = [...keys].flatMap(([keyId, isValid]) => (isValid ? [keyId] : []));
  write(decision, closed);
  write(decision, ...live.map((keyId): Effect => ({ type: 'KeyRevoked', keyId })));
  endGrants(decision);
};

export const erase = ({ money, erased }: Ledger, { reason }: CommandOf<'ErasePersonalData'>): Verdict => {
  if (!money.closed) return refused('account_not_closed');
  if (erased) return happens();
  if (money.holds.size > 0) return refused('holds_open');
  if (money.lots.some(({ refunds }) => refunds.size > 0)) return refused('refund_open');
  if (money.lots.some(({ open }) => open.size > 0)) return refused('lot_disputed');
  if (openDebtOf(money) > 0n) return refused('debt_open');
  return happens({ type: 'PersonalDataErased', reason });
};
