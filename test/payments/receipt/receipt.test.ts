import { expect, it } from 'vitest';
import { paymentDecider } from '../../../src/domain/payments/decide.ts';
import type { PaymentEvent } from '../../../src/domain/payments/events.ts';
import type { KnownPayment } from '../../../src/domain/payments/payment.ts';
import { receipt, type Receipt } from '../../../src/payments/receipt/receipt.ts';
import {
  closedAs,
  completed,
  disputed,
  opened,
  quarantined,
  refunded,
  released,
  usd,
} from '../../domain/payments/examples.ts';

const receiptOf = (...events: readonly PaymentEvent[]): Receipt | undefined =>
  receipt({
    paymentId: 'pay_019ad3f2-7b1c-7aaa-8bbb-3f9a0c1b2d4e',
    payment: [opened, ...events].reduce(paymentDecider.evolve, paymentDecider.initial()) as KnownPayment,
    creditedAt: Date.UTC(2026, 10, 30, 23, 59, 30),
    ...{ holder: 'Łukasz', debtRepaid: 1_234_567_891n, isSimulated: false },
  });

it('states what was paid, the tax as collected by Creem, and what was credited', () =>
  expect(receiptOf(completed)).toEqual({
    number: 'KR-2026-11-3F9A0C1B2D4E',
    date: '2026-11-30T23:59:30.000Z',
    payment_id: 'pay_019ad3f2-7b1c-7aaa-8bbb-3f9a0c1b2d4e',
    order_id: 'ord_1',
    account: { id: 'acc_1', holder: 'Łukasz' },
    currency: 'USD',
    net: '25.00',
    tax: '5.00',
    tax_note: 'as collected by Creem',
    total_paid: '30.00',
    credited_usd: '25.00',
    debt_repaid_usd: '1.234567891',
    returned: '0.00',
    returned_credits_usd: '0.00',
    seller_note: 'Creem is the merchant of record; its invoice is the tax document.',
    simulated: false,
  }));

it('adds up refunds and chargebacks', () =>
  expect(
    receiptOf(completed, refunded(1200, usd(1000)), disputed(1800, usd(1500)), closedAs('lost', usd(1500))),
  ).toMatchObject({ total_paid: '30.00', returned: '30.00', returned_credits_usd: '25.00' }));

it('states what the customer paid, even if part of it went back before it was released from quarantine', () => {
  const returned: PaymentEvent = {
    ...{ type: 'QuarantineReturned', transactionId: 'tran_1', gross: 600n },
    cause: { kind: 'refund', reference: 'ref_1' },
  };
  expect(receiptOf(quarantined('more_than_asked'), returned, released(usd(2000)))).toMatchObject({
    ...{ net: '25.00', tax: '5.00', total_paid: '30.00' },
    ...{ credited_usd: '20.00', returned: '6.00', returned_credits_usd: '0.00' },
  });
});

it('states amounts of another currency in that currency', () =>
  expect(receiptOf(quarantined('other_currency', { currency: 'EUR' }), released(usd(2000)))).toMatchObject({
    ...{ currency: 'EUR', total_paid: '30.00', credited_usd: '20.00' },
  }));

it('does not exist before the payment is credited', () => {
  expect(receiptOf()).toBeUndefined();
  expect(receiptOf(quarantined('more_than_asked'))).toBeUndefined();
});
