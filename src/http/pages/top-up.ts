import { readFileSync } from 'node:fs';
import type { RequestHandler, Response } from 'express';
import { formatUsd } from '../../domain/money.ts';
import type { KnownPayment } from '../../domain/payments/payment.ts';
import type { Payments } from '../../payments/payments.ts';
import { escapeHtml, pageOf, withPolicy } from './html.ts';
import { withSupport, type Support } from '../server/support.ts';

type Shown = {
  readonly title: string;
  /** In USD. */
  readonly amount?: string;
  readonly text: string;
  readonly simulated?: boolean;
  /** After so many seconds, the page is loaded again with this query. */
  readonly refresh?: { readonly seconds: number; readonly query: string };
};

/**
 * The page to which a customer returns from the payment page, and its style. It needs no sign-in, so it shows only the
 * amount and the status. What the partner adds to the address is ignored: the partner is asked instead.
 */
export const topUpPages = (
  payments: Pick<Payments, 'check' | 'find'>,
  isSimulatedPartner: (name: string) => boolean,
  now: () => Date,
  support: () => Support,
): Readonly<Record<string, RequestHandler>> => {
  const look = createLook(payments, now);
  const style = readFileSync(new URL('top-up.css', import.meta.url), 'utf8');
  return {
    '/top-ups/:payment_id': async ({ params, query }, response) => {
      const { payment_id: paymentId } = params as Readonly<Record<string, string>>;
      const payment = paymentId !== undefined && ID.test(paymentId) ? await look(paymentId) : undefined;
      if (!payment) return send(response.status(404), UNKNOWN);
      const simulated = isSimulatedPartner(payment.partner);
      send(response, { ...show(payment, loadsOf(query['n']), support()), simulated });
    },
    '/top-up.css': (_request, response) => void withPolicy(response).type('css').send(style),
  };
};

const ID = /^pay_[\w-]{1,60}$/;

/** The partner limits how often it may be asked; the page may be loaded more often. */
const CHECK_EVERY_MS = 3000;
const REMEMBERED = 1000;

/** Looks a payment up at the partner, or in the log alone if that was done a moment ago or the partner gives no answer. */
const createLook = (payments: Pick<Payments, 'check' | 'find'>, now: () => Date) => {
  const checkedAt = new Map<string, number>();
  return (paymentId: string): Promise<KnownPayment | undefined> => {
    const at = now().getTime();
    if (at - (checkedAt.get(paymentId) ?? -Infinity) < CHECK_EVERY_MS) return payments.find(paymentId);
    checkedAt.delete(paymentId);
    checkedAt.set(paymentId, at);
    for (const oldest of checkedAt.keys()) {
      if (checkedAt.size <= REMEMBERED) break;
      checkedAt.delete(oldest);
    }
    return payments.check(paymentId).catch(() => payments.find(paymentId));
  };
};

const UNKNOWN: Shown = { title: 'There is no such payment', text: 'Check the address of this page.' };

const loadsOf = (n: unknown): number => (typeof n === 'string' && /^\d{1,4}$/.test(n) ? Number(n) : 0);

/** Every five seconds for two minutes, then every minute for an hour, because each load asks the partner. */
const refreshAfter = (loads: number): Shown['refresh'] => {
  const query = `?n=${loads + 1}`;
  if (loads < 24) return { seconds: 5, query };
  return loads < 84 ? { seconds: 60, query } : undefined;
};

const show = ({ status, amount, sale }: KnownPayment, loads: number, support: Support): Shown => {
  switch (status) {
    case 'completed':
      return { title: 'Payment received', amount: formatUsd(sale?.credited ?? amount), text: RECEIVED };
    case 'open': {
      const refresh = refreshAfter(loads);
      const waiting = { title: 'We are waiting for the confirmation', amount: formatUsd(amount) };
      return refresh ? { ...waiting, text: WAITING, refresh } : { ...waiting, text: `${NOT_YET} Load it again later.` };
    }
    case 'expired':
      return { title: 'Not paid', amount: formatUsd(amount), text: EXPIRED };
    case 'quarantined':
      return { title: 'Your payment is being checked', amount: formatUsd(amount), text: CHECKED };
    case 'rejected':
      return {
        title: 'Your payment was not credited',
        amount: formatUsd(amount),
        text: withSupport(REJECTED, support),
      };
  }
};

const RECEIVED = 'The credits are in your account. You can close this page.';
const NOT_YET = 'The payment is not confirmed yet. If you have not paid, nothing is charged.';
const WAITING = `${NOT_YET} This page reloads automatically.`;
const EXPIRED =
  'It was not paid in time, and nothing was charged. Open a new top-up. If you have paid after all, the credits are added once the payment is confirmed.';
const CHECKED =
  'What was paid differs from what was asked for, so our staff decide about it. You need not do anything.';
const REJECTED = 'Our staff have not credited this payment. Contact support if you have questions.';

const htmlOf = ({ title, amount, text, simulated = false, refresh }: Shown): string => {
  const main = [
    ...(simulated ? ['<p class="simulated">Simulated payment: no money is moved.</p>'] : []),
    `<h1>${escapeHtml(title)}</h1>`,
    ...(amount === undefined ? [] : [`<p class="amount">$${escapeHtml(amount)} of credits</p>`]),
    `<p role="status">${escapeHtml(text)}</p>`,
  ];
  const head = refresh
    ? [`<meta http-equiv="refresh" content="${refresh.seconds}; url=${escapeHtml(refresh.query)}" />`]
    : [];
  return pageOf({ title, style: '../top-up.css', main, head });
};

const send = (response: Response, shown: Shown): void => void withPolicy(response).type('html').send(htmlOf(shown));
