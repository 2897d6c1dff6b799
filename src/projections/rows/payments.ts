import { fromMinorUnits } from '../../domain/payments/amounts.ts';
import type { PaymentEvent } from '../../domain/payments/events.ts';
import { paymentOfStream } from '../../domain/payments/payment.ts';
import type { DomainEvent } from '../../eventstore/journal/codec.ts';
import type { Projection } from '../projection.ts';

export type PaymentRow = {
  readonly payment_id: string;
  readonly account_id: string;
  readonly partner: string;
  readonly status: 'open' | 'completed' | 'quarantined' | 'rejected' | 'expired';
  /** What was asked, without tax. */
  readonly amount: bigint;
  readonly paid: bigint;
  readonly tax: bigint;
  readonly credited: bigint;
  /** Without tax. */
  readonly refunded: bigint;
  readonly charged_back: bigint;
  readonly checkout_id: string | null;
  readonly order_id: string | null;
  readonly opened_at: Date;
  readonly completed_at: Date | null;
};

const types = new Set<DomainEvent['type']>([
  ...(['PaymentOpened', 'CheckoutCreated', 'PaymentExpired', 'PaymentCompleted', 'PaymentQuarantined'] as const),
  ...(['QuarantineReleased', 'QuarantineRejected', 'RefundCompleted', 'DisputeClosed'] as const),
]);

/** One row per payment. Amounts are in nano-USD. */
export const payments: Projection<PaymentRow> = {
  name: 'payments',
  version: 1,
  columns: {
    payment_id: 'text',
    account_id: 'text',
    partner: 'text',
    status: 'text',
    amount: 'bigint',
    paid: 'bigint',
    tax: 'bigint',
    credited: 'bigint',
    refunded: 'bigint',
    charged_back: 'bigint',
    checkout_id: 'text',
    order_id: 'text',
    opened_at: 'timestamptz',
    completed_at: 'timestamptz',
  },
  keyLength: 1,
  indexes: [{ columns: ['account_id', 'opened_at'] }, { columns: ['order_id'] }],
  types,
  makes: new Set(['PaymentOpened']),
  keysOf: ({ stream, event }) => {
    const paymentId = paymentOfStream(stream);
    return paymentId !== undefined && types.has(event.type) ? [[paymentId]] : [];
  },
  evolve: (existing, { event, time }, [paymentId = '']) => {
    const row = existing ?? emptyRow(paymentId, time);
    return { ...row, ...changed(row, event as PaymentEvent, time) };
  },
};

const emptyRow = (paymentId: string, openedAt: Date): PaymentRow => ({
  ...{ payment_id: paymentId, account_id: '', partner: '', status: 'open', amount: 0n, paid: 0n, tax: 0n },
  ...{ credited: 0n, refunded: 0n, charged_back: 0n, checkout_id: null, order_id: null, opened_at: openedAt },
  completed_at: null,
});

const changed = (row: PaymentRow, event: PaymentEvent, time: Date): Partial<PaymentRow> => {
  switch (event.type) {
    case 'PaymentOpened':
      return { account_id: event.accountId, partner: event.partner, amount: event.amount };
    case 'CheckoutCreated':
      return { checkout_id: event.checkoutId };
    case 'PaymentExpired':
      return { status: 'expired' };
    case 'PaymentCompleted': {
      const { orderId, paid, tax, credited } = event;
      return { status: 'completed', order_id: orderId, paid, tax, credited, completed_at: time };
    }
    case 'PaymentQuarantined': {
      if (row.status === 'completed') return {};
      const { orderId, paid, tax } = event;
      return { status: 'quarantined', order_id: orderId, paid: fromMinorUnits(paid), tax: fromMinorUnits(tax) };
    }
    case 'QuarantineReleased':
      return { status: 'completed', credited: event.credited, completed_at: time };
    case 'QuarantineRejected':
      return row.status === 'completed' ? {} : { status: 'rejected' };
    case 'RefundCompleted':
      return { refunded: row.refunded + event.amount };
    case 'DisputeClosed':
      return { charged_back: row.charged_back + (event.outcome === 'lost' ? event.amount : -event.amount) };
    case 'QuarantineReturned':
    case 'RefundRequested':
    case 'RefundApproved':
    case 'RefundRefused':
    case 'RefundSent':
    case 'RefundPending':
    case 'RefundFailed':
    case 'DisputeOpened':
      return {};
  }
};
