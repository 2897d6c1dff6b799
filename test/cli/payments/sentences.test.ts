import { expect, it } from 'vitest';
import { paymentSentence } from '../../../src/cli/payments/sentences.ts';
import type { PaymentEvent } from '../../../src/domain/payments/events.ts';
import { paymentsOnDisk, usd } from '../../domain/payments/examples.ts';

const of = (type: PaymentEvent['type']): PaymentEvent => paymentsOnDisk[type][0];

const cases: readonly (readonly [PaymentEvent, RegExp])[] = [
  [of('PaymentOpened'), /^acc_1 asked to top up 25\.00 USD, to be paid to creem\.$/],
  [of('CheckoutCreated'), /^The payment page ch_1 was opened\.$/],
  [of('PaymentExpired'), /^Expired: not paid in time\.$/],
  [
    of('PaymentCompleted'),
    /^Paid 30\.00 USD, of which 5\.00 USD are tax \(transaction tran_1, order ord_1\): 25\.00 USD are credited\.$/,
  ],
  [
    of('PaymentQuarantined'),
    /^In quarantine, not credited: \d+ of the smallest unit of [A-Z]{3}, of which \d+ are tax/,
  ],
  [of('QuarantineReleased'), /^Released tran_1 from quarantine: .+ USD are credited; checked\.$/],
  [of('QuarantineRejected'), /^Rejected tran_1, which gives no credits: paid twice\.$/],
  [
    of('QuarantineReturned'),
    /^Of tran_1 in quarantine, \d+ of the smallest unit went back \((?:refund|dispute) .+\)\.$/,
  ],
  [of('RefundRequested'), /^Refund \w+ of .+ USD requested, .+ with tax; the credits are not needed\.$/],
  [of('RefundApproved'), /^Approved the refund \w+: unused\.$/],
  [of('RefundRefused'), /^Refused the refund \w+: used\.$/],
  [of('RefundSent'), /^The payment partner has accepted the refund \w+\.$/],
  [
    of('RefundPending'),
    /^The payment partner is making a refund of .+ with tax \(\w+\), (?:for \w+|without a request)\.$/,
  ],
  [of('RefundCompleted'), /^The payment partner refunded .+ with tax \(\w+\), .+: .+ USD of credits\.$/],
  [of('RefundFailed'), /was not made.*: /],
  [of('DisputeOpened'), /^Disputed: .+ with tax \(\w+\); .+ USD of credits are at stake\.$/],
  [
    { type: 'DisputeClosed', disputeId: 'dis_1', outcome: 'lost', how: 'time', amount: usd(2500) },
    /^The dispute dis_1 was lost, because nothing was reported for 120 days: 25\.00 USD of credits are charged back\.$/,
  ],
  [
    { type: 'DisputeClosed', disputeId: 'dis_1', outcome: 'won', how: 'staff', amount: 0n },
    /^The dispute dis_1 was won, as staff recorded\.$/,
  ],
];
it.each(cases.map(([event, expected]) => [event.type, event, expected] as const))(
  'describes %s in one sentence',
  (_, event, expected) => expect(paymentSentence(event)).toMatch(expected),
);

it('shows texts of others without their control characters', () => {
  expect(paymentSentence({ type: 'PaymentExpired', reason: 'a\u001b[31mb' })).toBe('Expired: a·[31mb.');
});
