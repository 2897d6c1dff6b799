import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PaymentCommand, PaymentRefusal } from '../../../src/domain/payments/commands.ts';
import { paymentDecider } from '../../../src/domain/payments/decide.ts';
import type { PaymentEvent } from '../../../src/domain/payments/events.ts';
import {
  openRequestsOf,
  partsOf,
  returnedOf,
  type KnownPayment,
  type Payment,
} from '../../../src/domain/payments/payment.ts';
import { anyPaymentCommand } from './arbitrary.ts';
import { dispute, opened, pay, refund, usd } from './examples.ts';

/** A payment that receives commands as its caller sends them. */
const createPayment = () => {
  let payment: Payment = paymentDecider.evolve(paymentDecider.initial(), opened);
  const events: PaymentEvent[] = [opened];
  const execute = (command: PaymentCommand): PaymentRefusal['code'] | undefined => {
    const decision = paymentDecider.decide(command, payment);
    if (decision.kind === 'refused') return decision.refusal.code;
    events.push(...decision.events);
    payment = decision.events.reduce(paymentDecider.evolve, payment);
    return undefined;
  };
  return {
    events,
    known: (): KnownPayment => {
      if (payment.status === 'unknown') throw new Error('the payment was opened');
      return payment;
    },
    /** Fetches the transaction first if it is not recorded yet. */
    deliver: (command: PaymentCommand) => {
      const refused = execute(command);
      if (refused !== 'payment_not_completed') return refused;
      const transactionId = 'transactionId' in command ? command.transactionId : pay.transactionId;
      execute({ ...pay, transactionId });
      return execute(command);
    },
  };
};

type Part = { readonly kind: 'refund' | 'dispute'; readonly gross: number };
const part: fc.Arbitrary<Part> = fc.record({
  kind: fc.constantFrom('refund' as const, 'dispute' as const),
  // Some of them add up to exactly what was paid.
  gross: fc.oneof(fc.integer({ min: 1, max: 1800 }), fc.constantFrom(1001, 1999)),
});

/** The facts of one refund or dispute, in the order in which they happened. */
const factsOf = ({ kind, gross }: Part, n: number): PaymentCommand[] => {
  const id = `id_${n}`;
  return kind === 'refund'
    ? [refund(BigInt(gross), { reference: id, status: 'pending' }), refund(BigInt(gross), { reference: id })]
    : [
        dispute(BigInt(gross), { disputeId: id }),
        { type: 'CloseDispute', disputeId: id, outcome: 'lost', how: 'time' },
      ];
};

/** All facts, some of them twice, in any order. A dispute is closed after it is recorded: its end is polled. */
const deliveries = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(), { minLength: 30, maxLength: 30 }))
  .map(([parts, order]) => {
    const facts: PaymentCommand[] = [pay, ...parts.flatMap(factsOf)];
    const twice = [...facts, ...facts].map((fact, n) => ({ fact, place: order[n] ?? 0 }));
    const shuffled = twice.toSorted((a, b) => a.place - b.place).map(({ fact }) => fact);
    const closings = facts.filter(({ type }) => type === 'CloseDispute');
    return { parts, facts: [...shuffled, ...closings] };
  });

const ofType = <Type extends PaymentEvent['type']>(events: readonly PaymentEvent[], type: Type) =>
  events.filter((event): event is Extract<PaymentEvent, { type: Type }> => event.type === type);

const isUnique = (ids: readonly (string | null)[]): boolean => new Set(ids).size === ids.length;

describe('facts of the partner, in any order and any number of times', () => {
  it('are recorded once each, with the same sum', () =>
    fc.assert(
      fc.property(deliveries, ({ parts, facts }) => {
        const { deliver, known, events } = createPayment();
        for (const fact of facts) {
          const refused = deliver(fact);
          if (fact.type !== 'CloseDispute') expect(refused).toBeUndefined();
        }
        const { gross, net } = returnedOf(known());
        const asked = parts.reduce((all, one) => all + one.gross, 0);
        const inProportion = parts.reduce((all, one) => all + Math.floor((one.gross * 2500) / 3000), 0);
        expect(net).toBe(asked >= 3000 ? usd(2500) : usd(inProportion));
        if (asked <= 3000) expect(gross).toBe(usd(asked));

        expect(ofType(events, 'PaymentCompleted')).toHaveLength(1);
        const refunds = ofType(events, 'RefundCompleted').map(({ reference }) => reference);
        const disputes = ofType(events, 'DisputeOpened').map(({ disputeId }) => disputeId);
        expect(refunds).toHaveLength(parts.filter(({ kind }) => kind === 'refund').length);
        expect(disputes).toHaveLength(parts.filter(({ kind }) => kind === 'dispute').length);
        expect([isUnique(refunds), isUnique(disputes)]).toEqual([true, true]);

        const before = events.length;
        for (const fact of facts) deliver(fact);
        expect(events.length).toBe(before);
      }),
      { numRuns: 500 },
    ));
});

describe('commands in any order', () => {
  it('credit a payment once, and return at most what was credited', () =>
    fc.assert(
      fc.property(fc.array(anyPaymentCommand, { minLength: 5, maxLength: 60, size: 'max' }), (commands) => {
        const { deliver, known, events } = createPayment();
        for (const command of commands) {
          if (deliver(command) !== undefined) continue;
          const after = events.length;
          expect(deliver(command), `${command.type} again`).toBeUndefined();
          expect(events.length, `${command.type} again`).toBe(after);
        }
        const payment = known();
        const credited = [...ofType(events, 'PaymentCompleted'), ...ofType(events, 'QuarantineReleased')];
        expect(credited.length).toBeLessThanOrEqual(1);
        expect(payment.sale?.credited).toBe(credited[0]?.credited);

        const whole = payment.sale ?? { paid: 0n, credited: 0n };
        const returned = returnedOf(payment);
        const open = partsOf(openRequestsOf(payment));
        expect(returned.net + open.net).toBeLessThanOrEqual(whole.credited);
        if (open.gross > 0n) expect(returned.gross + open.gross).toBeLessThanOrEqual(whole.paid);
        if (returned.gross < whole.paid) expect(returned.net).toBeLessThanOrEqual(whole.credited);

        const fulfilled = ofType(events, 'RefundCompleted').filter(({ refundId }) => refundId !== null);
        expect(isUnique(fulfilled.map(({ refundId }) => refundId))).toBe(true);
        for (const { refundId, amount: taken } of fulfilled) {
          expect(taken).toBe(payment.requests.find((one) => one.refundId === refundId)?.amount);
        }
        const references = [...ofType(events, 'RefundCompleted'), ...ofType(events, 'QuarantineReturned')];
        expect(
          isUnique(references.map((one) => ('reference' in one ? one.reference : JSON.stringify(one.cause)))),
        ).toBe(true);
      }),
      { numRuns: 1000 },
    ));
});
