import { expect, it } from 'vitest';
import { evolveAccount, initialAccount } from '../../../../src/domain/account/account.ts';
import { decideAccount, type AccountCommand } from '../../../../src/domain/account/decide.ts';
import { openDebt } from '../../../../src/domain/account/wallet.ts';
import { customer, delivery, paid, reserved, tokens } from '../examples.ts';

it('a chargeback that is reversed cancels all parts of its debt, which arose as holds ended', () => {
  const dispute = { lotId: 'lot_1', disputeId: 'dsp_1' };
  const commands: readonly AccountCommand[] = [
    { type: 'FreezeLot', ...dispute },
    { type: 'RecordChargeback', ...dispute, amount: 10n },
    { type: 'SettleHold', requestId: 'req_1', usage: tokens(6), delivery },
    { type: 'SettleHold', requestId: 'req_2', usage: tokens(4), delivery },
    { type: 'ReverseChargeback', ...dispute },
  ];
  const before = [...customer, paid(10n, 'lot_1'), reserved(6n, 'req_1'), reserved(4n, 'req_2')];
  const owed: bigint[] = [];
  let account = before.reduce(evolveAccount, initialAccount());
  for (const command of commands) {
    const decision = decideAccount(command, account);
    account = (decision.kind === 'accepted' ? decision.events : []).reduce(evolveAccount, account);
    owed.push(openDebt(account.wallet));
  }
  expect(owed).toEqual([0n, 0n, 6n, 10n, 0n]);
  expect(account.standing.status).toBe('active');
});
