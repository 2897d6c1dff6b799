import { Router } from 'express';
import { z } from 'zod';
import { Refusal, find, iso } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import type { Webhook } from '../store/state.ts';
import { EVENT_TYPES } from '../store/wire.ts';
import { signedRequest } from '../webhooks/deliveries.ts';
import { httpUrl, pageOf, paging, read, text } from './fields.ts';

const events = z.array(z.enum(EVENT_TYPES));

const NewWebhook = z.strictObject({
  url: httpUrl.optional(),
  delivery_mode: z.enum(['http', 'cli']).default('http'),
  name: text.optional(),
  events: events.min(1).optional(),
});

const WebhookChanges = z.strictObject({
  url: httpUrl.optional(),
  name: text.nullable().optional(),
  status: z.enum(['enabled', 'disabled']).optional(),
  events: events.min(1).optional(),
});

const Acknowledgement = z.strictObject({
  status_code: z.int().min(100).max(599),
  response_body: z.string().max(10_000).optional(),
});

const view = (shop: Shop, webhook: Webhook) => ({
  id: webhook.id,
  mode: shop.settings.mode,
  object: 'webhook',
  store_id: 'sto_simulated',
  name: webhook.name,
  url: webhook.url,
  delivery_mode: webhook.deliveryMode,
  status: webhook.status,
  events: webhook.events.length === 0 ? EVENT_TYPES : webhook.events,
});

const create = (shop: Shop, body: unknown): Webhook => {
  const { url, delivery_mode: deliveryMode, name = null, events: wanted = EVENT_TYPES } = read(NewWebhook, body);
  if (deliveryMode === 'http' && url === undefined) throw new Refusal('no_url', "The 'url' field is required.");
  return shop.change(() => {
    const target = deliveryMode === 'cli' ? 'https://cli.invalid' : (url ?? '');
    const [id, secret] = [shop.newId('wh'), shop.newId('whsec')];
    const webhook: Webhook = {
      id,
      ofSettings: false,
      name,
      url: target,
      deliveryMode,
      status: 'enabled',
      events: wanted,
      secret,
    };
    shop.state.webhooks.push(webhook);
    return webhook;
  });
};

const remove = (shop: Shop, id: string): Webhook => {
  const { webhooks } = shop.state;
  const webhook = find(webhooks, id, 'Webhook');
  shop.change(() => webhooks.splice(webhooks.indexOf(webhook), 1));
  return webhook;
};

/** What waits for an endpoint of the mode `cli`: bytes and headers as a delivery would have them. */
const pending = ({ state }: Shop, webhook: Webhook, limit: number) =>
  state.deliveries
    .filter((one) => one.webhook === webhook.id && one.state === 'scheduled')
    .slice(0, limit)
    .map((delivery) => {
      const event = find(state.events, delivery.event, 'Event');
      const { headers } = signedRequest(event, webhook.secret);
      const fields = { event_type: event.type, created_at: iso(event.at), body: event.body, headers };
      return { id: event.id, object: 'webhook_event', ...fields };
    });

const acknowledge = (shop: Shop, webhook: Webhook, eventId: string, status: number) => {
  const delivery = shop.state.deliveries.find((one) => one.webhook === webhook.id && one.event === eventId);
  if (!delivery) throw new Refusal('not_found', 'Event not found', 404);
  shop.change(() => {
    delivery.attempts.push({ at: shop.now(), manual: true, outcome: { kind: 'answered', status } });
    if (status === 200) Object.assign(delivery, { state: 'delivered', nextAttemptAt: undefined });
  });
  return { id: eventId, object: 'webhook_event_ack', success: delivery.state === 'delivered' };
};

export const webhookRoutes = (shop: Shop): Router => {
  const { webhooks } = shop.state;
  const named = (id: string): Webhook => find(webhooks, id, 'Webhook');
  const polled = (id: string): Webhook => {
    const webhook = named(id);
    if (webhook.deliveryMode === 'cli') return webhook;
    throw new Refusal('not_polled', "Only for endpoints of the delivery_mode 'cli'");
  };
  return Router()
    .post('/', (request, response) => {
      const webhook = create(shop, request.body);
      response.json({ ...view(shop, webhook), secret: webhook.secret });
    })
    .get('/', (request, response) => {
      const { items, pagination } = pageOf(webhooks, read(z.strictObject(paging), request.query));
      response.json({ items: items.map((one) => view(shop, one)), pagination });
    })
    .get('/:id', (request, response) => void response.json(view(shop, named(request.params.id))))
    .patch('/:id', (request, response) => {
      const webhook = named(request.params.id);
      const changes = read(WebhookChanges, request.body);
      shop.change(() => Object.assign(webhook, changes));
      response.json(view(shop, webhook));
    })
    .delete('/:id', (request, response) => void response.json(view(shop, remove(shop, request.params.id))))
    .get('/:id/secret', (request, response) => void response.json({ secret: named(request.params.id).secret }))
    .get('/:id/events/pending', (request, response) => {
      const { limit } = read(
        z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(50) }),
        request.query,
      );
      response.json({ items: pending(shop, polled(request.params.id), limit) });
    })
    .post('/:id/events/:event/ack', (request, response) => {
      const { status_code: status } = read(Acknowledgement, request.body);
      response.json(acknowledge(shop, polled(request.params.id), request.params.event, status));
    });
};
