import { z } from 'zod';
import { refundReasons } from '../../../domain/account/refunds/events.ts';
import { disputeEnds, disputeOutcomes, quarantineReasons, type PaymentEvent } from '../../../domain/payments/events.ts';
import type { Shapes } from './shape.ts';
import { credits } from './values.ts';

const id = z.string().min(1);
const reason = z.string();
/** Amounts in another unit than credits are stored like credits, as decimal digits. */
const minorUnits = credits;
const transaction = { transactionId: id, orderId: id };
const decision = z.object({ refundId: id, reason });

export const paymentEventShapes: Shapes<PaymentEvent> = {
  PaymentOpened: { version: 1, schema: z.object({ accountId: id, amount: credits, partner: id }) },
  CheckoutCreated: { version: 1, schema: z.object({ checkoutId: id, url: id }) },
  PaymentExpired: { version: 1, schema: z.object({ reason }) },
  PaymentCompleted: {
    version: 1,
    schema: z.object({
      ...{ ...transaction, checkoutId: id.nullable() },
      ...{ paid: credits, tax: credits, credited: credits },
    }),
  },
  PaymentQuarantined: {
    version: 1,
    schema: z.object({
      ...{ ...transaction, paid: minorUnits, tax: minorUnits },
      ...{ currency: z.string().regex(/^[A-Z]{3}$/), reason: z.enum(quarantineReasons) },
    }),
  },
  QuarantineReleased: { version: 1, schema: z.object({ transactionId: id, credited: credits, reason }) },
  QuarantineRejected: { version: 1, schema: z.object({ transactionId: id, reason }) },
  QuarantineReturned: {
    version: 1,
    schema: z.object({
      transactionId: id,
      cause: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('refund'), reference: id }),
        z.strictObject({ kind: z.literal('dispute'), disputeId: id }),
      ]),
      gross: minorUnits,
    }),
  },
  RefundRequested: {
    version: 1,
    schema: z.object({ refundId: id, amount: credits, gross: credits, reason: z.enum(refundReasons) }),
  },
  RefundApproved: { version: 1, schema: decision },
  RefundRefused: { version: 1, schema: decision },
  RefundSent: { version: 1, schema: z.object({ refundId: id }) },
  RefundPending: { version: 1, schema: z.object({ refundId: id.nullable(), reference: id, gross: credits }) },
  RefundCompleted: {
    version: 1,
    schema: z.object({ refundId: id.nullable(), reference: id, gross: credits, amount: credits }),
  },
  RefundFailed: { version: 1, schema: z.object({ refundId: id.nullable(), reference: id.nullable(), reason }) },
  DisputeOpened: { version: 1, schema: z.object({ disputeId: id, gross: credits, amount: credits }) },
  DisputeClosed: {
    version: 1,
    schema: z.object({
      disputeId: id,
      ...{ outcome: z.enum(disputeOutcomes), how: z.enum(disputeEnds), amount: credits },
    }),
  },
};
