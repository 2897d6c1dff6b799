import type { PaymentEvent } from '../../../domain/payments/events.ts';
import { evolvePayment, paymentStream, type KnownPayment, type Payment } from '../../../domain/payments/payment.ts';
import { streamPages } from '../../../eventstore/event-store.ts';
import { decode, type Recorded } from '../../../eventstore/journal/codec.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';

/** A payment with its events, the oldest first. */
export type PaymentHistory = {
  readonly paymentId: string;
  readonly payment: KnownPayment;
  readonly events: readonly Recorded<PaymentEvent>[];
};

/** Undefined if there is no such payment. */
export const readHistory = async (
  { store }: Pick<ManagementDeps, 'store'>,
  paymentId: string,
): Promise<PaymentHistory | undefined> => {
  const events: Recorded<PaymentEvent>[] = [];
  let payment: Payment = { status: 'unknown' };
  for await (const page of streamPages(store, paymentStream(paymentId))) {
    for (const stored of page) {
      const recorded = decode(stored) as Recorded<PaymentEvent>;
      events.push(recorded);
      payment = evolvePayment(payment, recorded.event);
    }
  }
  return payment.status === 'unknown' ? undefined : { paymentId, payment, events };
};

/** The payments of other accounts do not exist for this one. */
export const paymentOfAccount = async (
  deps: Pick<ManagementDeps, 'store'>,
  accountId: string,
  paymentId: string,
): Promise<PaymentHistory | Problem> => {
  const history = await readHistory(deps, paymentId);
  return history?.payment.accountId === accountId ? history : problem('payment_not_found');
};

/** The time of the first matching event; null if no event matches. */
export const timeOf = (
  { events }: Pick<PaymentHistory, 'events'>,
  matches: (event: PaymentEvent) => boolean,
): Date | null => events.find(({ event }) => matches(event))?.time ?? null;
