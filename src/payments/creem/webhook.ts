import { z } from 'zod';
import type { PartnerReport, WebhookHeaders, WebhookReading } from '../partner.ts';
import { completedCheckout, createdDispute, createdRefund, envelope, modes, paidReport, readOrder } from './shapes.ts';
import { failedCheck } from './signature.ts';

type WebhookOptions = {
  readonly secret: string;
  /** The values of `mode` that belong to this environment. */
  readonly modes: ReadonlySet<string>;
};

type ReadWebhook = (headers: WebhookHeaders, rawBody: Uint8Array) => WebhookReading;
type Readers = Readonly<Record<string, (object: unknown) => readonly PartnerReport[]>>;

/** The events that we need. Each reader throws a ZodError if the object cannot be read. */
const readers: Readers = {
  'checkout.completed': (object) => {
    const { id: checkoutId, request_id: paymentId, order } = completedCheckout.parse(object);
    const read = readOrder(order);
    return read.kind === 'paid' ? [paidReport({ checkoutId, paymentId }, read.order)] : [];
  },
  'refund.created': (object) => {
    const refund = createdRefund.parse(object);
    return [
      {
        ...{ kind: 'refund', ...refund.checkout, transactionId: refund.transaction, reference: refund.id },
        ...{ gross: refund.refund_amount, currency: refund.refund_currency, status: refund.status },
      },
    ];
  },
  'dispute.created': (object) => {
    const dispute = createdDispute.parse(object);
    return [
      {
        ...{ kind: 'dispute', ...dispute.checkout, transactionId: dispute.transaction, disputeId: dispute.id },
        ...{ gross: dispute.amount, currency: dispute.currency },
      },
    ];
  },
};

/** Throws if the secret is empty: anyone could then sign. */
export const createWebhookReader = ({ secret, modes: ofEnvironment }: WebhookOptions): ReadWebhook => {
  if (secret.trim() === '') throw new TypeError('The webhook secret of Creem is empty.');
  return (headers, rawBody) => {
    const check = failedCheck(headers, rawBody, secret);
    if (check !== undefined) return { kind: 'bad_signature', check };
    const event = envelope.safeParse(parsed(rawBody));
    if (!event.success) {
      const fields = fieldsOf(event.error);
      return { kind: 'unreadable', needed: true, fields, eventId: null, eventType: null };
    }
    const { id, eventType, object } = event.data;
    const name = { eventId: id ?? null, eventType };
    const stated = modes.parse(object);
    const wrong = stated.find((mode) => !ofEnvironment.has(mode));
    if (wrong !== undefined) return { kind: 'wrong_mode', mode: wrong, ...name };
    const read = Object.hasOwn(readers, eventType) ? readers[eventType] : undefined;
    if (!read) return { kind: 'ignored', ...name };
    // Without a mode, a test payment could count as a real one.
    if (stated.length === 0) return { kind: 'unreadable', needed: true, fields: ['mode'], ...name };
    try {
      const facts = read(object);
      return facts.length === 0 ? { kind: 'ignored', ...name } : { kind: 'facts', facts, ...name };
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      return { kind: 'unreadable', needed: true, fields: fieldsOf(error), ...name };
    }
  };
};

const parsed = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
};

/** Names of fields alone: their values may be personal data. */
const fieldsOf = (error: z.ZodError): readonly string[] => [
  ...new Set(error.issues.map(({ path }) => path.join('.') || 'body')),
];
