import express, { Router } from 'express';
import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { Refusal, find } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import { expire } from '../shop/checkouts.ts';
import { closePayout, statement } from '../shop/payouts.ts';
import { closeDispute, openDispute, refund, settleRefund } from '../shop/transactions.ts';
import { describeOutcome } from '../webhooks/deliveries.ts';
import type { Deliveries } from '../webhooks/deliveries.ts';
import type { Faults } from '../webhooks/faults.ts';
import { html } from './html.ts';
import { deliveries, openCheckouts, payments, payouts } from './operator-lists.ts';
import { paymentPage } from './operator-payment.ts';
import { sendPage } from './page.ts';

const LABEL = 'Simulated partner dashboard. No money moves.';
const SHOWN_DELIVERIES = 20;

const RefundForm = z.object({
  amount: z.string().regex(/^\d{1,9}(\.\d{1,2})?$/),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer', 'other']),
  status: z.enum(['succeeded', 'pending', 'requiresAction', 'failed']),
});

const centsOf = (amount: string): number => {
  const [whole = '', part = ''] = amount.split('.');
  return Number(`${whole}${part.padEnd(2, '0')}`);
};

const sendRefusal = (response: Response, { status, message }: { readonly status: number; readonly message: string }) =>
  sendPage(response, status, {
    title: 'Not possible',
    label: LABEL,
    body: html`<p class="error" role="alert">${message}</p>
      <p>Nothing was changed.</p>
      <p>Use the back button of the browser.</p>`,
    narrow: true,
  });

/** Shows a refusal of `work` as a page. */
const guarded =
  (work: (id: string, form: unknown, response: Response) => void | Promise<void>): RequestHandler<{ id?: string }> =>
  async (request, response) => {
    try {
      await work(request.params.id ?? '', request.body ?? {}, response);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      sendRefusal(response, error);
    }
  };

const settleRoutes = (shop: Shop): Router => {
  const toPayment = (response: Response, transaction: string): void =>
    response.redirect(303, `../../payments/${transaction}`);
  const router = Router();
  for (const status of ['succeeded', 'failed', 'canceled'] as const) {
    const settle = guarded((id, _form, response) => toPayment(response, settleRefund(shop, id, status).transaction));
    router.post(`/refunds/:id/${status}`, settle);
  }
  for (const outcome of ['won', 'lost'] as const) {
    const close = guarded((id, _form, response) => toPayment(response, closeDispute(shop, id, outcome).transaction));
    router.post(`/disputes/:id/${outcome}`, close);
  }
  return router;
};

const paymentRoutes = (shop: Shop, faults: Faults): Router =>
  Router()
    .get(
      '/payments/:id',
      guarded((id, _form, response) => {
        const transaction = find(shop.state.transactions, id, 'Payment');
        sendPage(response, 200, { title: `Payment ${id}`, label: LABEL, body: paymentPage(shop, transaction) });
      }),
    )
    .post(
      '/payments/:id/refund',
      guarded((id, form, response) => {
        const { data } = RefundForm.safeParse(form);
        if (!data) throw new Refusal('invalid_amount', 'Enter an amount such as 12.00.');
        refund(shop, faults, id, { ...data, amount: centsOf(data.amount) });
        response.redirect(303, `../${id}`);
      }),
    )
    .post(
      '/payments/:id/refund-by-partner',
      guarded((id, _form, response) => {
        refund(shop, faults, id, { reason: 'other' });
        response.redirect(303, `../${id}`);
      }),
    )
    .post(
      '/payments/:id/dispute',
      guarded((id, _form, response) => {
        openDispute(shop, faults, id);
        response.redirect(303, `../${id}`);
      }),
    );

const payoutRoutes = (shop: Shop): Router =>
  Router()
    .post(
      '/payouts',
      guarded((_id, form, response) => {
        const { currency, any } = form as { readonly currency?: unknown; readonly any?: unknown };
        closePayout(shop, { currency: currency === 'EUR' ? 'EUR' : 'USD', ...(any === 'yes' && { minimum: 1 }) });
        response.redirect(303, './');
      }),
    )
    .get(
      '/payouts/:id.csv',
      guarded((id, _form, response) => {
        const csv = statement(shop, id);
        response
          .set({ 'content-disposition': `attachment; filename="${id}.csv"`, 'x-content-type-options': 'nosniff' })
          .type('text/csv')
          .send(csv);
      }),
    );

/** What the operator of a shop does on Creem's dashboard, and what Creem, customers and banks do besides. */
export const operatorPages = (shop: Shop, faults: Faults, sender: Deliveries): Router =>
  Router({ strict: true })
    .use(express.urlencoded({ extended: false, limit: '10kb' }))
    .get('/', (request, response) => {
      const page = /^[1-9]\d{0,5}$/.test(String(request.query['page'])) ? Number(request.query['page']) : 1;
      const newest = shop.state.deliveries.slice(-SHOWN_DELIVERIES).toReversed();
      const body = html`${payments(shop, page)}${openCheckouts(shop)}${payouts(shop)}${deliveries(shop, newest)}`;
      sendPage(response, 200, { title: 'Payment partner', label: LABEL, body });
    })
    .use(paymentRoutes(shop, faults), settleRoutes(shop), payoutRoutes(shop))
    .post(
      '/checkouts/:id/expire',
      guarded((id, _form, response) => {
        expire(shop, id);
        response.redirect(303, '../../');
      }),
    )
    .post(
      '/events/:id/resend',
      guarded(async (id, _form, response) => {
        const outcome = await sender.resend(id);
        const body = html`<p><code>${id}</code> ${describeOutcome(outcome)}.</p>
          <p><a href="../../">All payments</a></p>`;
        sendPage(response, 200, { title: 'Sent again', label: LABEL, body, narrow: true });
      }),
    );
