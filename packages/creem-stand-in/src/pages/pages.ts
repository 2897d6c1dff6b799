import { Router } from 'express';
import type { ErrorRequestHandler } from 'express';
import type { Shop } from '../store/shop.ts';
import type { Deliveries } from '../webhooks/deliveries.ts';
import type { Faults } from '../webhooks/faults.ts';
import { checkoutPages } from './checkout.ts';
import { html } from './html.ts';
import { operatorPages } from './operator.ts';
import { refuseOtherSites, sendPage } from './page.ts';

const LABEL = 'Simulated payment partner. No money moves.';

const answerErrors: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) return next(error);
  const { status } = error as { readonly status?: unknown };
  const isOfRequest = typeof status === 'number' && status < 500;
  const body = html`<p>${isOfRequest ? 'The request cannot be read.' : 'The stand-in has failed.'}</p>`;
  sendPage(response, isOfRequest ? status : 500, { title: 'Failed', label: LABEL, body, narrow: true });
};

/** The pages for a browser. */
export const pages = (shop: Shop, faults: Faults, deliveries: Deliveries): Router =>
  Router()
    .use(refuseOtherSites(shop))
    .use('/checkout', checkoutPages(shop, faults))
    // Links of the page are relative, so its address ends with a slash.
    .get('/operator', (request, response, next) =>
      request.path.endsWith('/') ? next() : response.redirect(302, 'operator/'),
    )
    .use('/operator', operatorPages(shop, faults, deliveries))
    .get('/', (_request, response) => response.redirect(302, 'operator/'))
    .use((_request, response) => {
      sendPage(response, 404, {
        title: 'Not found',
        label: LABEL,
        body: html`<p>There is no such page.</p>`,
        narrow: true,
      });
    })
    .use(answerErrors);
