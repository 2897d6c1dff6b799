import type { PartnerReport, WebhookHeaders, WebhookReading } from './partner.ts';
import { PartnerFailed } from './partner.ts';
import type { WebhookAnswer } from './payments.ts';
import type { PaymentsOptions } from './payments-options.ts';
import { recordReport } from './record-reports.ts';

type Signed = Exclude<WebhookReading, { kind: 'bad_signature' }>;

/**
 * 400 only for a wrong signature, because the partner may not repeat a delivery after it; 500 for what must be repeated; 200
 * once everything is in the log or kept for the operator.
 */
export const receiveWebhook = async (
  options: PaymentsOptions,
  headers: WebhookHeaders,
  rawBody: Uint8Array,
): Promise<WebhookAnswer> => {
  const { partner, alarm, kept } = options;
  if (!partner) return { status: 500, message: 'no payment partner is configured' };
  const reading = partner.readWebhook(headers, rawBody);
  if (reading.kind === 'bad_signature') {
    alarm('webhook_bad_signature', { check: reading.check });
    return { status: 400, message: `the signature is wrong: ${reading.check}` };
  }
  const keep = (reason: string): Promise<void> => kept.keep({ ...eventOf(reading), reason, rawBody });
  switch (reading.kind) {
    case 'wrong_mode':
      alarm('webhook_wrong_mode', { ...eventOf(reading), mode: reading.mode });
      return { status: 403, message: `the mode ${reading.mode} is not the one of this server` };
    case 'unreadable': {
      const { needed, fields } = reading;
      await keep(`unreadable: ${fields.join(', ')}`);
      alarm('webhook_unreadable', { ...eventOf(reading), fields: fields.join(', ') });
      return needed ? { status: 500, message: 'the event cannot be read' } : ok('kept: the event cannot be read');
    }
    case 'ignored':
      return ok('not needed');
    case 'facts':
      return receiveFacts(options, reading.facts, eventOf(reading), keep);
  }
};

const ok = (message: string): WebhookAnswer => ({ status: 200, message });

const eventOf = ({ eventId, eventType }: Pick<Signed, 'eventId' | 'eventType'>) => ({ eventId, eventType });

const receiveFacts = async (
  options: PaymentsOptions,
  facts: readonly PartnerReport[],
  event: ReturnType<typeof eventOf>,
  keep: (reason: string) => Promise<void>,
): Promise<WebhookAnswer> => {
  for (const report of facts) {
    const recorded = await recordReport(options, report).catch((error: unknown) => {
      if (error instanceof PartnerFailed) return { kind: 'later' } as const;
      throw error;
    });
    switch (recorded.kind) {
      case 'recorded':
        break;
      case 'later':
        return { status: 500, message: 'what the event refers to is not recorded yet' };
      case 'unmatched':
        await keep('no payment of ours');
        options.alarm('payment_unmatched', { ...event, transactionId: report.transactionId });
        break;
      case 'refused': {
        const { paymentId, code } = recorded;
        await keep(`refused: ${code}`);
        options.alarm('payment_fact_refused', { ...event, paymentId, code });
      }
    }
  }
  return ok('recorded');
};
