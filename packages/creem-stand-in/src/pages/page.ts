import type { RequestHandler, Response } from 'express';
import type { Shop } from '../store/shop.ts';
import { decimal } from '../shop/amounts.ts';
import { Html, html } from './html.ts';
import { STYLE, contentSecurityPolicy } from './style.ts';

export type Page = {
  readonly title: string;
  /** The label at the top, which names what is simulated. */
  readonly label: string;
  readonly body: Html;
  readonly narrow?: boolean;
  /** Other origins that a form of the page may lead to. */
  readonly formTargets?: readonly string[];
};

export const sendPage = (
  response: Response,
  status: number,
  { title, label, body, narrow, formTargets }: Page,
): void => {
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>
<style>${new Html(STYLE)}</style></head>
<body>
<p class="simulated" role="note">${label}</p>
<main${narrow === true && new Html(' class="narrow"')}>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  response
    .status(status)
    .set({
      'content-security-policy': contentSecurityPolicy(formTargets ?? []),
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    })
    .type('html')
    .send(page.markup);
};

export const money = (cents: number, currency: string): string => `${decimal(cents)} ${currency}`;

/** For example `2026-11-12 10:00:06 UTC`. */
export const moment = (at: number): Html => {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
};

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

const hostnameOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).hostname : undefined);

/**
 * The pages have no sign-in. Another site in the browser of a developer must not post to them, nor read them through a host
 * name that resolves to 127.0.0.1.
 */
export const refuseOtherSites =
  (shop: Shop): RequestHandler =>
  (request, response, next) => {
    const host = request.get('host') ?? '';
    const [site, origin] = [request.get('sec-fetch-site') ?? 'none', request.get('origin')];
    const known = [...LOOPBACK, hostnameOf(shop.publicUrl())].includes(hostnameOf(`http://${host}`));
    const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
    const foreign = request.method === 'POST' && !(isOwn && ['same-origin', 'none'].includes(site));
    if (known && !foreign) return next();
    const body = html`<p>Open this page at the address that the gateway prints.</p>`;
    sendPage(response, 403, { title: 'Not from here', label: 'Simulated page.', body, narrow: true });
  };
