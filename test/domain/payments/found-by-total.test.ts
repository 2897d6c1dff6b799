import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PaymentCommandOf } from '../../../src/domain/payments/commands.ts';
import { paymentDecider } from '../../../src/domain/payments/decide.ts';
import type { PaymentEvent } from '../../../src/domain/payments/events.ts';
import { idByTotal, returnedOf, type KnownPayment, type Payment } from '../../../src/domain/payments/payment.ts';
import { specify } from '../../given.ts';
import { closedAs, completed, dispute, disputed, opened, refund, refunded, usd } from './examples.ts';

/** 30.00 USD were paid, with 5.00 USD of tax. */
const given = specify(paymentDecider, opened, completed);
const byTotal = (total: bigint): string => idByTotal('tran_1', total);

describe('a refund that was found in the total of its transaction', () => {
  const found = refunded(1200, usd(1000), null, byTotal(1200n));

  it('is recorded once', () => {
    given()
      .when(refund(1200n, { reference: byTotal(1200n), total: 1200n }))
      .then(found);
    given(found)
      .when(refund(1200n, { reference: byTotal(1200n), total: 1200n }))
      .then();
  });
  it('is not recorded if its report came first', () =>
    given(refunded(1200, usd(1000)))
      .when(refund(1200n, { reference: byTotal(1200n), total: 1200n }))
      .then());
  it('makes later reports depend on the total', () =>
    given(found).when(refund(1200n)).thenRefused('refund_total_needed'));
  it('does not count again by its report, nor by the reports of its parts', () => {
    given(found)
      .when(refund(1200n, { total: 1200n }))
      .then();
    given(found)
      .when(refund(600n, { total: 1200n }))
      .then();
  });
  it('does not hide a further refund', () =>
    given(found)
      .when(refund(600n, { total: 1800n }))
      .then(refunded(600, usd(500))));
  it('does not count again by its report after a chargeback of the rest, which is part of the total', () => {
    for (const end of [[], [closedAs('lost', usd(1500))]]) {
      given(found, disputed(1800, usd(1500)), ...end)
        .when(refund(1200n, { total: 3000n }))
        .then();
    }
  });
  it('does not hide a further refund after a dispute that was won', () =>
    given(found, disputed(1800, usd(1500)), closedAs('won', 0n))
      .when(refund(600n, { total: 1800n }))
      .then(refunded(600, usd(500))));
});

describe('a chargeback that was found in its transaction', () => {
  const disputeId = byTotal(3000n);
  const found = { ...disputed(3000, usd(2500)), disputeId };

  it('is recorded once, and its report changes nothing', () => {
    given().when(dispute(3000n, { disputeId })).then(found);
    given(found).when(dispute(3000n)).then();
    given(found, { ...closedAs('lost', usd(2500)), disputeId })
      .when(dispute(3000n))
      .then();
  });
  it('does not hide another dispute after it was won', () =>
    given(found, { ...closedAs('won', 0n), disputeId })
      .when(dispute(3000n))
      .then(disputed(3000, usd(2500))));
});

type Step =
  | { readonly kind: 'refund'; readonly gross: number }
  /** Delivers the webhook of one of the refunds, or looks at the total and records the difference now or later. */
  | { readonly kind: 'deliver' | 'look' | 'record'; readonly which: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('refund' as const), gross: fc.integer({ min: 1, max: 900 }) }),
  fc.record({ kind: fc.constantFrom('deliver', 'look', 'record'), which: fc.nat(20) }),
);

/** The partner, which has made refunds, and our payment. */
const createScene = () => {
  const refunds: bigint[] = [];
  const looks: PaymentCommandOf<'RecordRefund'>[] = [];
  let payment = [opened, completed].reduce<Payment>(paymentDecider.evolve, paymentDecider.initial());
  const events: PaymentEvent[] = [];
  const total = (): bigint => refunds.reduce((sum, gross) => sum + gross, 0n);
  const known = (): KnownPayment => {
    if (payment.status === 'unknown') throw new Error('the payment was opened');
    return payment;
  };
  const execute = (command: PaymentCommandOf<'RecordRefund'>) => {
    const decision = paymentDecider.decide(command, payment);
    if (decision.kind === 'refused') return decision.refusal.code;
    events.push(...decision.events);
    payment = decision.events.reduce(paymentDecider.evolve, payment);
    return undefined;
  };
  const deliver = (n: number): void => {
    const report = refund(refunds[n] ?? 0n, { reference: `ref_${n}` });
    if (execute(report) === 'refund_total_needed') expect(execute({ ...report, total: total() })).toBeUndefined();
  };
  const look = (): void => {
    const gross = total() - returnedOf(known()).gross / usd(1);
    if (gross > 0n) looks.push(refund(gross, { reference: byTotal(total()), total: total() }));
  };
  const record = (which: number): void => {
    const [late] = looks.splice(which % Math.max(1, looks.length), 1);
    if (late) expect(execute(late)).toBeUndefined();
  };
  const play = (one: Step): void => {
    if (one.kind === 'refund') {
      if (total() + BigInt(one.gross) <= 3000n) refunds.push(BigInt(one.gross));
    } else if (one.kind === 'look') look();
    else if (one.kind === 'record') record(one.which);
    else if (refunds.length > 0) deliver(one.which % refunds.length);
  };
  return { refunds, looks, events, total, known, deliver, look, record, play };
};

it('refunds add up to the total of the transaction, however they become known', () =>
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }), (steps) => {
      const { refunds, looks, total, known, deliver, look, record, play } = createScene();
      for (const one of steps) {
        play(one);
        expect(returnedOf(known()).gross).toBeLessThanOrEqual(total() * usd(1));
      }
      while (looks.length > 0) record(0);
      for (const n of refunds.keys()) deliver(n);
      look();
      record(0);
      const { gross, net } = returnedOf(known());
      expect(gross).toBe(total() * usd(1));
      const exact = (total() * usd(2500)) / 3000n;
      if (total() === 3000n) expect(net).toBe(usd(2500));
      expect(net).toBeLessThanOrEqual(exact);
      expect(net).toBeGreaterThan(exact - usd(refunds.length + 1));
    }),
    { numRuns: 1000 },
  ));
