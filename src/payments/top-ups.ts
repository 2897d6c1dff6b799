import { paymentStream } from '../domain/payments/payment.ts';
import { CENT } from '../domain/payments/amounts.ts';
import { derivedId } from '../eventstore/ids.ts';
import { PartnerFailed, type PaymentPartner } from './partner.ts';
import type { TopUpAsked, TopUpOutcome } from './payments.ts';
import type { PaymentsOptions } from './payments-options.ts';
import { readPayment } from './record-reports.ts';

/** A payment that was not paid expires after this time. If it is paid later, it completes. */
export const PAYABLE_MS = 24 * 60 * 60 * 1000;

/** Records the payment, then opens the page on which the customer pays. */
export const openTopUp = async (options: PaymentsOptions, asked: TopUpAsked): Promise<TopUpOutcome> => {
  const { payments, partner } = options;
  if (!partner) return { kind: 'unavailable' };
  const { accountId, amount, metadata, mayRepeat } = asked;
  const paymentId = derivedId('pay', metadata.commandId);
  const stream = paymentStream(paymentId);
  const command = { type: 'OpenPayment', accountId, amount, partner: partner.name } as const;
  const outcome = await payments.execute(stream, command, metadata, { mayRepeat });
  if (outcome.kind === 'refused') return outcome;
  const opened = await readPayment(options, paymentId);
  const known = opened?.checkouts.at(-1);
  if (opened && known) return { kind: 'opened', paymentId, url: known.url, payment: opened };
  const page = await openPage(options, partner, paymentId, asked);
  if (!page) return { kind: 'partner_failed' };
  const { checkoutId, url } = page;
  const record = { type: 'RecordCheckout', checkoutId, url } as const;
  const recording = { actor: `partner:${partner.name}`, commandId: derivedId('checkout', checkoutId) };
  await payments.execute(stream, record, recording, { mayRepeat: true });
  const payment = await readPayment(options, paymentId);
  return payment ? { kind: 'opened', paymentId, url, payment } : { kind: 'partner_failed' };
};

const openPage = async (
  { customerOf, publicUrl, alarm }: PaymentsOptions,
  partner: PaymentPartner,
  paymentId: string,
  { accountId, amount }: TopUpAsked,
): Promise<{ readonly checkoutId: string; readonly url: string } | undefined> => {
  const order = {
    ...{ paymentId, accountId, amount: amount / CENT, customer: await customerOf(accountId) },
    successUrl: `${publicUrl()}/top-ups/${paymentId}`,
  };
  try {
    const answer = await partner.checkout(order);
    if (answer.kind === 'created') return answer;
    alarm('payment_fact_refused', { paymentId, code: answer.reason });
  } catch (error) {
    if (!(error instanceof PartnerFailed)) throw error;
    alarm('payment_fact_refused', { paymentId, code: error.code });
  }
  return undefined;
};

/** After these times, a payment that was not reported as paid is looked up at the partner; then every six hours. */
const CHECKS_MS = [1, 5, 30, 6 * 60, 12 * 60, 18 * 60].map((minutes) => minutes * 60_000);

/** Looks up unpaid payments when it is time, and ends those that were not paid in time. One node at a time does this. */
export const createUnpaidRounds = (options: PaymentsOptions, check: (paymentId: string) => Promise<unknown>) => {
  /** How many of the look-ups were made, by payment. A node that takes over makes one for each payment at once. */
  const made = new Map<string, number>();
  return async (): Promise<void> => {
    const unpaid = await options.unpaid();
    const ids = new Set(unpaid.map(({ paymentId }) => paymentId));
    for (const paymentId of made.keys()) if (!ids.has(paymentId)) made.delete(paymentId);
    for (const { paymentId, since } of unpaid) {
      const age = options.now().getTime() - since.getTime();
      const due = CHECKS_MS.filter((after) => age >= after).length;
      const isOver = age >= PAYABLE_MS;
      if (due <= (made.get(paymentId) ?? 0) && !isOver) continue;
      await check(paymentId);
      made.set(paymentId, due);
      if (isOver) await expire(options, paymentId);
    }
  };
};

const expire = async ({ payments }: PaymentsOptions, paymentId: string): Promise<void> => {
  const metadata = { actor: 'system:payments', commandId: derivedId('expire', paymentId) };
  const command = { type: 'ExpirePayment', reason: 'not paid within 24 hours' } as const;
  await payments.execute(paymentStream(paymentId), command, metadata, { mayRepeat: true });
};
