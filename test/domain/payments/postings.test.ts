import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BookAccount } from '../../../src/domain/books/chart.ts';
import { fromMinorUnits } from '../../../src/domain/payments/amounts.ts';
import type { PaymentCommand } from '../../../src/domain/payments/commands.ts';
import { paymentDecider } from '../../../src/domain/payments/decide.ts';
import type { PaymentEvent } from '../../../src/domain/payments/events.ts';
import { returnedOf, returnsOf, type KnownPayment, type Payment } from '../../../src/domain/payments/payment.ts';
import { paymentPostings } from '../../../src/domain/payments/postings.ts';
import { sum } from '../../support/money.ts';
import { anyPaymentCommand } from './arbitrary.ts';
import {
  closedAs,
  completed,
  disputed,
  opened,
  pay,
  quarantined,
  refunded,
  rejected,
  released,
  usd,
} from './examples.ts';

const fold = (events: readonly PaymentEvent[]): KnownPayment => {
  const payment = events.reduce<Payment>(paymentDecider.evolve, paymentDecider.initial());
  if (payment.status === 'unknown') throw new Error('the payment was opened');
  return payment;
};

/** In USD: `1100 -3.00` is a credit of 3 USD. */
const lines = (event: PaymentEvent, ...before: readonly PaymentEvent[]): readonly string[] =>
  paymentPostings(event, fold([opened, ...before])).map(
    ({ account, amount }) => `${account} ${(Number(amount) / 1e9).toFixed(3)}`,
  );

// 3.9 % of 30.00 USD and 0.40 USD.
const FEE = ['6010:Platform 1.570', '1100 -1.570'];
const DISPUTE_FEE = ['6010:Chargeback 25.000', '1100 -25.000'];
const returned = (gross: bigint, cause: 'refund' | 'dispute' = 'refund'): PaymentEvent => ({
  ...{ type: 'QuarantineReturned', transactionId: 'tran_1', gross },
  cause: cause === 'refund' ? { kind: cause, reference: `ref_${gross}` } : { kind: cause, disputeId: 'disp_1' },
});

describe('the postings of', () => {
  it('a payment that completes: the money without tax, and the fee on the money with tax', () =>
    expect(lines(completed)).toEqual(['1100 25.000', '1140 -25.000', ...FEE]));

  it('a payment in quarantine: suspense', () =>
    expect(lines(quarantined('more_than_asked'))).toEqual(['1100 25.000', '1130 -25.000', ...FEE]));

  it('a payment in another currency: nothing before the payout', () =>
    expect(lines(quarantined('other_currency', { currency: 'EUR' }))).toEqual([]));

  it('a release from quarantine: out of suspense; a rejection: nothing', () => {
    expect(lines(released(usd(2000)), quarantined('more_than_asked'))).toEqual(['1130 20.000', '1140 -20.000']);
    expect(lines(rejected(), quarantined('more_than_asked'))).toEqual([]);
  });

  it('money that goes back from quarantine: the part without tax; all parts together are exact', () => {
    const before = [quarantined('more_than_asked'), returned(1000n)];
    expect(lines(returned(1000n), quarantined('more_than_asked'))).toEqual(['1130 8.333', '1100 -8.333']);
    expect(lines(returned(2000n, 'dispute'), ...before)).toEqual(['1130 16.667', '1100 -16.667', ...DISPUTE_FEE]);
    const both = [returned(1000n), returned(2000n)].flatMap((event, n) =>
      paymentPostings(event, fold([opened, ...before.slice(0, n + 1)])),
    );
    expect(sum(both.filter(({ account }) => account === '1130').map(({ amount }) => amount))).toBe(usd(2500));
  });

  it('a refund: less is owed by the partner, to be taken from the account', () =>
    expect(lines(refunded(1200, usd(1000)), completed)).toEqual(['1140 10.000', '1100 -10.000']));

  it('a refund of a payment that was released in part: the same part of the suspense', () => {
    const before = [quarantined('more_than_asked'), released(usd(2000))];
    expect(lines(refunded(1500, usd(1000)), ...before)).toEqual([
      ...['1140 10.000', '1100 -10.000', '1130 2.500', '1100 -2.500'],
    ]);
  });

  it('a refund of a payment in another currency: suspense instead of clearing', () => {
    const before = [quarantined('other_currency', { currency: 'EUR' }), released(usd(2000))];
    expect(lines(refunded(1500, usd(1000)), ...before)).toEqual(['1140 10.000', '1130 -10.000']);
  });

  it('a dispute: the money is disputed, and the fee is due', () =>
    expect(lines(disputed(3000, usd(2500)), completed)).toEqual(['1120 25.000', '1100 -25.000', ...DISPUTE_FEE]));

  it('a dispute that is won: the money is owed again', () =>
    expect(lines(closedAs('won', 0n), completed, disputed(3000, usd(2500)))).toEqual(['1100 25.000', '1120 -25.000']));

  it('a dispute that is lost: what the chargeback takes, without what was refunded meanwhile', () => {
    const before = [completed, disputed(3000, usd(2500)), refunded(1200, usd(1000))];
    expect(lines(closedAs('lost', usd(1500)), ...before)).toEqual([
      ...['1100 25.000', '1120 -25.000', '1140 15.000', '1100 -15.000'],
    ]);
  });

  it('a lost dispute that is won after all: the money comes back', () => {
    const before = [completed, disputed(3000, usd(2500)), closedAs('lost', usd(2500))];
    expect(lines(closedAs('won', usd(2500)), ...before)).toEqual(['1140 -25.000', '1100 25.000']);
  });
});

type Totals = ReadonlyMap<BookAccount, bigint>;

/** The totals after the accepted commands; every event sums to zero. */
const totalsOf = (commands: readonly PaymentCommand[]): { readonly totals: Totals; readonly payment: KnownPayment } => {
  const totals = new Map<BookAccount, bigint>();
  let payment = fold([opened]);
  for (const command of commands) {
    const decision = paymentDecider.decide(command, payment);
    for (const event of decision.kind === 'accepted' ? decision.events : []) {
      const postings = paymentPostings(event, payment);
      expect(sum(postings.map(({ amount }) => amount)), event.type).toBe(0n);
      for (const { account, amount } of postings) totals.set(account, (totals.get(account) ?? 0n) + amount);
      payment = paymentDecider.evolve(payment, event) as KnownPayment;
    }
  }
  return { totals, payment };
};

/** What is in suspense: transactions in quarantine, and what a release did not credit. */
const suspenseOf = ({ quarantined: all, sale, ...payment }: KnownPayment): bigint =>
  sum(
    all.map((one) => {
      if (one.currency !== 'USD') return 0n;
      const net = fromMinorUnits(one.paid - one.tax);
      const left = net - (fromMinorUnits(returnsOf(one)) * (one.paid - one.tax)) / one.paid;
      if (one.transactionId !== sale?.transactionId) return left;
      const notCredited = left - sale.credited;
      const { net: taken } = returnedOf({ ...payment, sale, quarantined: all });
      return notCredited - (notCredited * taken) / sale.credited;
    }),
  );

it('of commands in any order, balance, and agree with the payment', () =>
  fc.assert(
    fc.property(fc.array(anyPaymentCommand, { minLength: 5, maxLength: 60, size: 'max' }), (commands) => {
      const { totals, payment } = totalsOf([...commands, pay]);
      const total = (account: BookAccount): bigint => totals.get(account) ?? 0n;
      const credited = payment.sale?.credited ?? 0n;
      const disputes = payment.disputes.filter(({ status }) => status === 'open');
      expect(sum(totals.values())).toBe(0n);
      expect(total('1140')).toBe(returnedOf(payment).net - credited);
      expect(total('1120')).toBe(sum(disputes.map(({ amount }) => amount)));
      if (payment.sale && payment.sale.currency !== 'USD') return;
      expect(total('1130')).toBe(-suspenseOf(payment));
      const fees = total('6010:Platform') + total('6010:Chargeback');
      expect(total('1100')).toBe(credited - returnedOf(payment).net + suspenseOf(payment) - total('1120') - fees);
    }),
    { numRuns: 1000 },
  ));
