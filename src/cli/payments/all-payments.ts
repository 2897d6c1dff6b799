import type { PaymentEvent } from '../../domain/payments/events.ts';
import { evolvePayment, paymentOfStream, type KnownPayment, type Payment } from '../../domain/payments/payment.ts';
import type { ChainedLog } from '../../eventstore/chained-log.ts';
import { PAGE } from '../../eventstore/event-store.ts';
import { decode } from '../../eventstore/journal/codec.ts';
import { paymentEventShapes } from '../../eventstore/journal/shapes/payments.ts';
import { createOpenPayments, type OpenPayments } from '../../projections/views/open-payments.ts';

export type ListedPayment = { readonly paymentId: string; readonly payment: KnownPayment; readonly openedAt: Date };

type AllPayments = {
  /** The newest first. */
  readonly payments: readonly ListedPayment[];
  readonly open: OpenPayments;
  /** The payment of each transaction and each order of the partner. */
  readonly byPartnerId: ReadonlyMap<string, string>;
  /** Adds what was appended to the log meanwhile to `open` and to `byPartnerId`. */
  readFurther(): Promise<void>;
};

const TYPES: readonly string[] = Object.keys(paymentEventShapes);

/** All payments, from the log alone. */
export const readAllPayments = async (store: Pick<ChainedLog, 'readAll' | 'head'>): Promise<AllPayments> => {
  const states = new Map<string, { readonly state: Payment; readonly openedAt: Date }>();
  const byPartnerId = new Map<string, string>();
  const open = createOpenPayments();
  let after = 0;
  const readFurther = async (): Promise<void> => {
    // Then the log that is read has what was appended before the call.
    await store.head();
    for (;;) {
      const page = (await store.readAll(after, PAGE, TYPES)).map(decode);
      for (const { stream, event, time } of page) {
        const paymentId = paymentOfStream(stream);
        if (paymentId === undefined) continue;
        const { state, openedAt } = states.get(paymentId) ?? { state: { status: 'unknown' }, openedAt: time };
        states.set(paymentId, { state: evolvePayment(state, event as PaymentEvent), openedAt });
        if (event.type !== 'PaymentCompleted' && event.type !== 'PaymentQuarantined') continue;
        byPartnerId.set(event.transactionId, paymentId).set(event.orderId, paymentId);
      }
      const last = page.at(-1);
      if (!last) break;
      void open.apply(page, last.position, after);
      after = last.position;
    }
  };
  await readFurther();
  const payments = [...states].flatMap(([paymentId, { state, openedAt }]) =>
    state.status === 'unknown' ? [] : [{ paymentId, payment: state, openedAt }],
  );
  return { payments: payments.reverse(), open, byPartnerId, readFurther };
};
