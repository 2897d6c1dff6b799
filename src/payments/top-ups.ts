import { paymentStream } from '../domain/payments/payment.ts';
import { CENT } from '../domain/payments/amounts.ts';
import { derivedId } from '../eventstore/ids.ts';
import { eachAlone, PartnerFailed, type PaymentPartner } from './partner.ts';
import type { TopUpAsked, TopUpOutcome } from './payments.ts';
import type { PaymentsOptions } from './payments-options.ts';
import { readPayment } from './record-reports.ts';

/** A payment that was not paid expires after this time. If it is paid later, it completes. */
export const PAYABLE_MS = 24 * 60 * 60 * 1000;

/** Each page is a call of the partner, and is looked up for a day: an account must not open them without end. */
const MOST_UNPAID = 30;

/** Records the payment, then opens the page on which the customer pays. */
export const openTopUp = async (options: PaymentsOptions, asked: TopUpAsked): Promise<TopUpOutcome> => {
  const { payments, partner } = options;
  if (!partner) return { kind: 'unavailable' };
  const { accountId, amount, metadata, mayRepeat } = asked;
  const paymentId = derivedId('pay', metadata.commandId);
  const stream = paymentStream(paymentId);
  if (!(await readPayment(options, paymentId)) && (await unpaidOf(options, accountId)) >= MOST_UNPAID) {
    return { kind: 'too_many' };
  }
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

const unpaidOf = async ({ unpaid }: PaymentsOptions, accountId: string): Promise<number> =>
  (await unpaid()).filter((one) => one.accountId === accountId).length;

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
    alarm('payment_page_failed', { paymentId, code: answer.reason });
  } catch (error) {
    if (!(error instanceof PartnerFailed)) throw error;
    alarm('payment_page_failed', { paymentId, code: error.code });
  }
  return undefined;
};

/** After these times, a payment that was not reported as paid is looked up at the partner; then every six hours. */
const CHECKS_MS = [1, 5, 30, 6 * 60, 12 * 60, 18 * 60].map((minutes) => minutes * 60_000);

/** After this time, a look-up that failed is repeated. */
const AFTER_FAILURE_MS = 5 * 60_000;
/** After this time, a payment expires even if it cannot be looked up. A report that it was paid still completes it. */
const GIVE_UP_MS = 2 * PAYABLE_MS;

/**
 * Looks up unpaid payments when it is time, and ends those that were not paid in time. One node at a time does this. Rejects
 * after the round if the partner gave no usable answer about one of them.
 */
export const createUnpaidRounds = (options: PaymentsOptions, check: (paymentId: string) => Promise<unknown>) => {
  /** How many of the look-ups were made, by payment. A node that takes over makes one for each payment at once. */
  const made = new Map<string, number>();
  const failedAt = new Map<string, number>();
  return async (): Promise<void> => {
    const unpaid = await options.unpaid();
    const ids = new Set(unpaid.map(({ paymentId }) => paymentId));
    for (const known of [made, failedAt]) {
      for (const paymentId of known.keys()) if (!ids.has(paymentId)) known.delete(paymentId);
    }
    let failure: PartnerFailed | undefined;
    for (const { paymentId, since } of unpaid) {
      const now = options.now().getTime();
      const age = now - since.getTime();
      const due = CHECKS_MS.filter((after) => age >= after).length;
      const isOver = age >= PAYABLE_MS;
      if (due <= (made.get(paymentId) ?? 0) && !isOver) continue;
      if (now - (failedAt.get(paymentId) ?? -Infinity) < AFTER_FAILURE_MS) continue;
      const fault = await eachAlone(() => check(paymentId));
      failure ??= fault;
      if (fault) failedAt.set(paymentId, now);
      else made.set(paymentId, due);
      if (isOver && (!fault || age >= GIVE_UP_MS)) await expire(options, paymentId);
    }
    if (failure) throw failure;
  };
};

const expire = async ({ payments }: PaymentsOptions, paymentId: string): Promise<void> => {
  const metadata = { actor: 'system:payments', commandId: derivedId('expire', paymentId) };
  const command = { type: 'ExpirePayment', reason: 'not paid within 24 hours' } as const;
  await payments.execute(paymentStream(paymentId), command, metadata, { mayRepeat: true });
};
