import { createHash, timingSafeEqual } from 'node:crypto';
import express, { Router } from 'express';
import type { RequestHandler } from 'express';
import type { Shop } from '../store/shop.ts';
import type { Faults } from '../webhooks/faults.ts';
import { customerRoutes } from './customers.ts';
import { answerErrors, createSendError } from './errors.ts';
import type { SendError } from './errors.ts';
import { moderationRoutes } from './moderation.ts';
import { checkoutRoutes, refundRoutes, transactionRoutes } from './payments.ts';
import { productRoutes } from './products.ts';
import { statsRoutes } from './stats.ts';
import { webhookRoutes } from './webhooks.ts';

const digest = (value: string): Buffer => createHash('sha256').update(value).digest();

const checkKey =
  ({ settings }: Shop, sendError: SendError): RequestHandler =>
  (request, response, next) => {
    const key = request.get('x-api-key') ?? '';
    if (timingSafeEqual(digest(key), digest(settings.apiKey))) return next();
    // Creem documents 403 for a missing key as well, and no `message`.
    sendError(response, 403, undefined);
  };

/** Makes a request fail as a test asked for, before or after it was carried out. */
const injectFaults =
  (faults: Faults, sendError: SendError): RequestHandler =>
  (request, response, next) => {
    const how = faults.nextApi(request.method, `/v1${request.path}`);
    if (!how) return next();
    if (how.kind === 'status') return sendError(response, how.status, ['Simulated failure']);
    const breakOff = (): void => void (how.kind === 'reset' && request.socket.resetAndDestroy());
    if (how.when === 'before') return breakOff();
    response.json = () => {
      breakOff();
      return response;
    };
    next();
  };

/** Creem's API, below `/v1`. */
export const apiRoutes = (shop: Shop, faults: Faults): Router => {
  const sendError = createSendError(shop.now);
  return Router()
    .use(checkKey(shop, sendError), injectFaults(faults, sendError))
    .use(express.json({ limit: '1mb', strict: false }))
    .use('/checkouts', checkoutRoutes(shop))
    .use('/transactions', transactionRoutes(shop))
    .use('/refunds', refundRoutes(shop, faults))
    .use('/products', productRoutes(shop))
    .use('/customers', customerRoutes(shop))
    .use('/webhooks', webhookRoutes(shop))
    .use('/stats', statsRoutes(shop))
    .use('/moderation', moderationRoutes(shop, faults))
    .use((request, response) => sendError(response, 404, [`Cannot ${request.method} ${request.originalUrl}`]))
    .use(answerErrors(sendError));
};
