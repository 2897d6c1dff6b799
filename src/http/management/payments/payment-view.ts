import { z } from 'zod';
import { refundReasons } from '../../../domain/account/refunds/events.ts';
import { quarantineReasons } from '../../../domain/payments/events.ts';
import { formatUsd } from '../../../domain/money.ts';
import type { PaymentRow } from '../../../projections/rows/payments.ts';
import { lotExample, lotView } from '../accounts/views/lot-view.ts';
import { accountId, disputeId, lotId, paymentId, refundId, time, transactionId, usd } from '../router/fields.ts';

const orderId = z
  .string()
  .meta({ description: 'Order, by the id of the payment partner', example: 'ord_4aDwWXjMLpes4Kj' });
const money = z
  .string()
  .regex(/^\d+\.\d{2,9}$/)
  .meta({ description: 'Decimal, in the currency that `currency` names', example: '29.75' });
const minorUnits = z
  .string()
  .regex(/^\d+$/)
  .meta({ description: 'In the smallest unit of the currency, such as cents', example: '2975' });
const text = z.string().nullable();

export const paymentStatus = z.enum(['open', 'completed', 'quarantined', 'rejected', 'expired']).meta({
  description:
    'open: not paid yet. completed: credited. quarantined: paid otherwise than asked; staff decide. rejected: staff gave no credits for it. expired: not paid in time; it completes if it is paid later',
});

export const paymentSummary = z
  .strictObject({
    payment_id: paymentId,
    account_id: accountId,
    status: paymentStatus,
    partner: z.string().meta({ description: 'The payment partner', example: 'creem' }),
    amount_usd: usd.meta({ description: 'What was asked for, without tax', example: '25.00' }),
    credited_usd: usd.meta({ description: 'What was credited, without tax', example: '25.00' }),
    refunded_usd: usd.meta({ description: 'Credits that were refunded, without tax' }),
    charged_back_usd: usd.meta({ description: 'Credits that lost disputes have taken' }),
    order_id: orderId.nullable(),
    opened_at: time,
    completed_at: time.nullable(),
  })
  .meta({ id: 'PaymentSummary' });

export type PaymentSummary = z.output<typeof paymentSummary>;

export const viewRow = (row: PaymentRow): PaymentSummary => ({
  payment_id: row.payment_id,
  account_id: row.account_id,
  status: row.status,
  partner: row.partner,
  amount_usd: formatUsd(row.amount),
  credited_usd: formatUsd(row.credited),
  refunded_usd: formatUsd(row.refunded),
  charged_back_usd: formatUsd(row.charged_back),
  order_id: row.order_id,
  opened_at: row.opened_at.toISOString(),
  completed_at: row.completed_at?.toISOString() ?? null,
});

export const refundStatus = z.enum(['requested', 'approved', 'sent', 'completed', 'refused', 'failed']).meta({
  description:
    'requested: staff have not answered. approved: the payment partner has not made it yet. sent: the payment partner is making it',
});

export const refundView = z
  .strictObject({
    refund_id: refundId,
    status: refundStatus,
    amount_usd: usd.meta({ description: 'Credits, without tax' }),
    gross: money.meta({ description: 'What the payment partner returns, tax included, in the currency of the sale' }),
    is_full: z.boolean().meta({ description: 'Whether it returns the whole payment, of which nothing was returned' }),
    reason: z.enum(refundReasons),
    answer_reason: text.meta({
      description: 'The reason of staff, or why it failed. Customers see it if it was not made',
    }),
    requested_at: time,
    answered_at: time.nullable(),
    ended_at: time.nullable(),
  })
  .meta({ id: 'RefundRequest' });

export const disputeView = z
  .strictObject({
    dispute_id: disputeId,
    status: z.enum(['open', 'won', 'lost']).meta({ description: 'won: in favour of the operator' }),
    gross: money,
    amount_usd: usd.meta({ description: 'The credits that a chargeback takes at most' }),
    charged_back_usd: usd.meta({ description: 'The credits that the chargeback has taken' }),
    opened_at: time,
    closed_at: time.nullable(),
  })
  .meta({ id: 'Dispute' });

export const quarantineView = z
  .strictObject({
    transaction_id: transactionId,
    order_id: orderId,
    status: z.enum(['waiting', 'released', 'rejected']),
    reason: z.enum(quarantineReasons),
    currency: z.string().meta({ example: 'EUR' }),
    paid: minorUnits,
    tax: minorUnits,
    returned: minorUnits.meta({ description: 'What the payment partner has returned of it' }),
    decision_reason: text.meta({ description: 'The reason of staff; for staff' }),
    quarantined_at: time,
    decided_at: time.nullable(),
  })
  .meta({ id: 'QuarantinedTransaction' });

export const paymentView = z
  .strictObject({
    ...paymentSummary.shape,
    simulated: z.boolean().meta({ description: 'No money has moved: the partner is a simulation' }),
    checkout_url: z.string().nullable().meta({ description: 'Where it can be paid; null unless it is open' }),
    expires_at: time.nullable().meta({ description: 'null unless it is open' }),
    lot_id: lotId.meta({ description: 'The lot that it is credited as' }),
    lot: lotView.nullable().meta({ description: 'null until it is credited' }),
    refundable_usd: usd.meta({ description: 'What a refund can be now, in whole cents' }),
    sale: z
      .strictObject({
        ...{ transaction_id: transactionId, order_id: orderId, checkout_id: text, currency: z.string() },
        paid: money.meta({ description: 'With tax' }),
        tax: money.meta({ description: 'Collected by the payment partner' }),
      })
      .nullable()
      .meta({ description: 'The transaction that was credited; null until then' }),
    refunds: z.array(refundView).meta({ description: 'Requests for a refund, the oldest first' }),
    partner_refunds: z
      .array(
        z.strictObject({
          reference: z
            .string()
            .meta({ description: 'Refund, by the id of the payment partner', example: 'ref_3DB9NQFvk18TJwSqd0N6bd' }),
          refund_id: refundId
            .nullable()
            .meta({ description: 'The request that it fulfils; null if it was made without one' }),
          ...{ status: z.enum(['pending', 'succeeded', 'failed']), gross: money, amount_usd: usd },
        }),
      )
      .meta({ description: 'What the payment partner has reported' }),
    disputes: z.array(disputeView),
    quarantined: z.array(quarantineView).meta({ description: 'Transactions that were paid otherwise than asked' }),
    events: z
      .array(z.strictObject({ type: z.string(), position: z.int().positive(), time, actor: z.string() }))
      .meta({ description: 'The events of the payment in the log, the oldest first' }),
  })
  .meta({ id: 'Payment' });

export type PaymentView = z.output<typeof paymentView>;

export const summaryExample: PaymentSummary = {
  ...{ payment_id: 'pay_6d1f0a93c5b24e7790ab3e51', account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20' },
  ...{ status: 'completed', partner: 'creem', amount_usd: '25.00', credited_usd: '25.00' },
  ...{ refunded_usd: '0.00', charged_back_usd: '0.00', order_id: 'ord_4aDwWXjMLpes4Kj' },
  ...{ opened_at: '2026-01-31T10:00:00.000Z', completed_at: '2026-01-31T10:01:12.402Z' },
};

export const refundExample: z.output<typeof refundView> = {
  ...{ refund_id: 'ref_2b8e47c0d95f4163ba07c4e9', status: 'requested', amount_usd: '10.00', gross: '11.90' },
  ...{ is_full: false, reason: 'not_needed', answer_reason: null, requested_at: '2026-02-02T09:00:00.000Z' },
  ...{ answered_at: null, ended_at: null },
};

export const disputeExample: z.output<typeof disputeView> = {
  ...{ dispute_id: 'disp_6mAyHTVDNRYbxZSjzHdh7f', status: 'open', gross: '29.75', amount_usd: '25.00' },
  ...{ charged_back_usd: '0.00', opened_at: '2026-02-20T08:00:00.000Z', closed_at: null },
};

export const quarantineExample: z.output<typeof quarantineView> = {
  ...{ transaction_id: 'tran_5yMaWzAl3jxuGJMCOrYWwk', order_id: 'ord_4aDwWXjMLpes4Kj', status: 'waiting' },
  ...{ reason: 'other_currency', currency: 'EUR', paid: '2975', tax: '475', returned: '0', decision_reason: null },
  ...{ quarantined_at: '2026-01-31T10:01:12.402Z', decided_at: null },
};

export const paymentExample: PaymentView = {
  ...summaryExample,
  ...{ simulated: false, checkout_url: null, expires_at: null, lot_id: 'lot_6d1f0a93c5b24e7790ab3e51' },
  lot: {
    ...{ ...lotExample, lot_id: 'lot_6d1f0a93c5b24e7790ab3e51', ends_at: null, amount_usd: '25.00' },
    ...{ source: { kind: 'payment', reference: 'pay_6d1f0a93c5b24e7790ab3e51' }, remaining_usd: '24.9975' },
    ...{ held_for_refund_usd: '10.00', refundable_usd: '14.9975' },
  },
  refundable_usd: '14.99',
  sale: {
    ...{
      transaction_id: 'tran_1a2b3c4d5e6f7g8h9i0j1k',
      order_id: 'ord_4aDwWXjMLpes4Kj',
      checkout_id: 'ch_5yMaWzAl3jx',
    },
    ...{ currency: 'USD', paid: '29.75', tax: '4.75' },
  },
  refunds: [refundExample],
  ...{ partner_refunds: [], disputes: [], quarantined: [] },
  events: [
    {
      type: 'PaymentOpened',
      position: 1041,
      time: '2026-01-31T10:00:00.000Z',
      actor: 'person:per_5b0d27c41e8f4a96b3c7d810',
    },
    { type: 'PaymentCompleted', position: 1043, time: '2026-01-31T10:01:12.402Z', actor: 'partner:creem' },
  ],
};
