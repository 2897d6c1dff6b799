import { describe, expect, it } from 'vitest';
import { balanceInWords, lockedInWords } from '../../../src/cli/account-history/money-sentences.ts';
import { sentence } from '../../../src/cli/account-history/sentences.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { drawn, lateCharged, paid, suspended, toppedUp } from '../../domain/account/examples.ts';
import { fold } from '../../domain/books/account-histories.ts';
import {
  chargebackReversed,
  chargedBack,
  debt,
  ended,
  endingGrant,
  frozen,
  heldForRefund,
  refunded,
  refundReleased,
  reinstatedFromDispute,
  repaid,
  reversed,
  suspendedForDebt,
  suspendedForDispute,
  unfrozen,
} from '../../domain/account/refunds/examples.ts';

const cents = (count: number): bigint => BigInt(count) * 10_000_000n;
const of = { lotId: 'lot_2', amount: cents(3) };

describe('the sentences about money', () => {
  it.each<[AccountEvent, string]>([
    [endingGrant(cents(5)), 'Added 0.05 USD (lot_1), granted: welcome, until 2026-01-31T12:00:00.000Z.'],
    [ended(cents(5)), 'Ended 0.05 USD of promotional credits (lot_1): their time is over.'],
    [ended(0n), 'Promotional credits (lot_1) end with the open requests that may need them: their time is over.'],
    [
      heldForRefund(cents(3)),
      'Asked for the refund ref_1: 0.03 USD of lot_2 are held for it; the credits are not needed.',
    ],
    [refundReleased(cents(3)), 'The refund ref_1 no longer holds 0.03 USD of lot_2: refused.'],
    [refunded(cents(3), { refundId: 'ref_1' }), 'Refunded 0.03 USD of lot_2: the refund ref_1 (partner_ref_1).'],
    [
      refunded(cents(3), { awaited: cents(1) }),
      'Refunded 0.03 USD of lot_2: the payment partner refunded without a request (partner_ref_1). Another 0.01 USD are ' +
        'taken as open requests end, as far as they leave them.',
    ],
    [suspendedForDispute, 'Suspended (dispute disp_1): a payment is disputed.'],
    [frozen(cents(3)), 'Froze 0.03 USD of lot_2: its payment is disputed (disp_1).'],
    [unfrozen(cents(3)), 'Unfroze 0.03 USD of lot_2: the dispute disp_1 is closed.'],
    [reinstatedFromDispute, 'Reinstated (dispute disp_1): the dispute was closed.'],
    [chargedBack(cents(3)), 'Charged back 0.03 USD of lot_2: the dispute disp_1 was lost.'],
    [chargebackReversed(cents(3)), 'Reversed the chargeback of the dispute disp_1: 0.03 USD are back in lot_2.'],
    [
      chargebackReversed(cents(3), {
        ...{ cancelled: cents(2), returned: [drawn(cents(1), 'lot_3')], reduced: cents(4) },
      }),
      'Reversed the chargeback of the dispute disp_1: 0.03 USD are back in lot_2. The debt of 0.02 USD ends. What had ' +
        'repaid it goes back: 0.01 USD (lot_3). What reversals of charges had taken off it is back in lot_2: 0.04 USD.',
    ],
    [debt(cents(3)), 'Owes 0.03 USD: credits of lot_2 had been used before its payment was refunded (partner_ref_1).'],
    [
      debt(cents(3), 'chargeback', 'disp_1'),
      'Owes 0.03 USD: credits of lot_2 had been used before its payment was charged back (disp_1).',
    ],
    [suspendedForDebt, 'Suspended (debt): credits that were used have been refunded.'],
    [repaid(cents(3), 'lot_3'), 'Repaid 0.03 USD of the debt for lot_2 from lot_3.'],
    [
      { type: 'DebtWrittenOff', ...of, reason: 'insolvent\u001b' },
      'Wrote off 0.03 USD of the debt for lot_2, insolvent\u00b7: the operator bears it.',
    ],
    [{ type: 'CreditsForfeited', ...of, reason: 'resale' }, 'Forfeited 0.03 USD of lot_2: resale.'],
    [{ type: 'CreditsWaived', ...of, reason: 'asked' }, 'The holder gave up 0.03 USD of lot_2: asked.'],
    [
      reversed(cents(6), {
        ...{ returned: [drawn(cents(1))], debtReduced: [drawn(cents(2), 'lot_2')] },
        granted: [drawn(cents(3), 'lot_3')],
      }),
      'Reversed 0.06 USD of the charge for req_1, wrong model; back in its lots: 0.01 USD (lot_1); taken off the debt: ' +
        '0.02 USD (lot_2); granted anew, because the lot has ended: 0.03 USD (lot_3).',
    ],
    [suspended(), 'Suspended: resale.'],
  ])('is told in sentences: %#', (event, words) => expect(sentence(event)).toBe(words));

  it('ends with the parts of the balance, and with what is open', () => {
    const { wallet } = fold([
      ...[toppedUp(cents(5)), paid(cents(20)), paid(cents(9), 'lot_3')],
      ...[lateCharged(1, { charged: cents(6), drawn: [drawn(cents(5)), drawn(cents(1), 'lot_2')] })],
      reversed(cents(1), { returned: [drawn(cents(1), 'lot_2')] }),
      heldForRefund(cents(4)),
      refunded(cents(2)),
      frozen(cents(3), 'disp_1', 'lot_3'),
      debt(cents(8)),
    ]);
    expect(balanceInWords(wallet)).toBe('0.27 USD = 0.34 added + 0.01 reversed - 0.06 charged - 0.02 refunded');
    expect(lockedInWords(wallet)).toEqual([
      '  refund     0.04 USD of lot_2, ref_1',
      '  frozen     0.03 USD of lot_3',
      '  owes       0.08 USD for lot_2',
    ]);
  });
});
