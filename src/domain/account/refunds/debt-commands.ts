import { accept } from '../../decider.ts';
import { min } from '../../money.ts';
import type { Account } from '../account.ts';
import type { AccountDecision, CommandOf } from '../commands.ts';
import { free, lotOf } from '../lots.ts';
import { no } from '../reserve.ts';
import { openDebt } from '../wallet.ts';
import { debtOf, debtsByLot } from './debts.ts';
import { openDraft, reinstateWithoutDebt } from './draft.ts';

/** A payment repays debts before it is credited. A grant never does. */
export const topUp = (command: CommandOf<'TopUp'>, account: Account): AccountDecision => {
  const { lotId, amount, source, endsAt } = command;
  if (amount <= 0n) return no('invalid_amount');
  const known = lotOf(account.wallet, lotId);
  if (known) return known.amount === amount ? accept() : no('lot_exists');
  const event = {
    ...({ type: 'CreditsToppedUp', lotId, amount, source } as const),
    ...(endsAt === undefined ? {} : { endsAt }),
  };
  if (source.kind === 'grant' || openDebt(account.wallet) === 0n) return accept(event);
  const draft = openDraft(account);
  draft.add(event);
  const lot = lotOf(draft.wallet, lotId);
  for (const [debtor, owed] of debtsByLot(draft.wallet.debts)) {
    const part = min(owed, lot ? free(lot) : 0n);
    if (part > 0n) draft.add({ type: 'DebtRepaid', lotId: debtor, amount: part, from: lotId });
  }
  reinstateWithoutDebt(draft);
  return draft.decision();
};

export const writeOffDebt = (
  { lotId, amount, reason }: CommandOf<'WriteOffDebt'>,
  account: Account,
): AccountDecision => {
  const owed = debtOf(account.wallet.debts, lotId);
  if (owed === 0n) return no('debt_not_found');
  if (amount <= 0n) return no('invalid_amount');
  if (amount > owed) return no('more_than_owed');
  const draft = openDraft(account);
  draft.add({ type: 'DebtWrittenOff', lotId, amount, reason });
  reinstateWithoutDebt(draft);
  return draft.decision();
};
