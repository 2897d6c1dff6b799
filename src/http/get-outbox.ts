import type { RequestHandler } from 'express';

/** Nothing is loaded, and nothing is executed, whatever a mail contains. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** GET /dev/outbox: the mails that were not sent. Development only. */
export const getOutbox =
  (page: () => string): RequestHandler =>
  (_request, response) =>
    void response
      .set({
        'content-security-policy': CONTENT_SECURITY_POLICY,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
      .type('html')
      .send(page());
