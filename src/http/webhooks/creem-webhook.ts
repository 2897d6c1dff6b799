import type { RequestHandler } from 'express';
import type { Payments } from '../../payments/payments.ts';
import { isProblem, sendProblem } from '../server/problems.ts';
import type { ReadBody } from '../server/read-body.ts';
import { requestIdOf } from '../server/request-id.ts';

/** A delivery of the payment partner is a few kB. */
export const MAX_WEBHOOK_BYTES = 1024 * 1024;

/**
 * POST /webhooks/creem: deliveries of the payment partner. The signature is over the bytes as they arrive, so the body is not
 * parsed here. After any other status than 200, the partner may deliver again.
 */
export const creemWebhook =
  ({ receiveWebhook }: Pick<Payments, 'receiveWebhook'>, readBody: ReadBody): RequestHandler =>
  async (request, response) => {
    const body = await readBody(request);
    if (isProblem(body)) {
      // Otherwise the rest of an unread body would be parsed as the next request.
      response.setHeader('connection', 'close');
      return sendProblem(response, body, requestIdOf(response));
    }
    try {
      const { status, message } = await receiveWebhook(request.headers, body.bytes);
      response.status(status).json({ message });
    } finally {
      body.share.release();
    }
  };
