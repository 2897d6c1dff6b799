import { createHmac } from 'node:crypto';
import type { Shop } from '../store/shop.ts';
import type { CreemEvent } from '../store/state.ts';
import type { Faults } from './faults.ts';

/** The value of the header `creem-signature`. It has no time, so that a copy of a delivery is as valid as the first. */
export const sign = (body: Uint8Array, secret: string): string =>
  createHmac('sha256', secret).update(body).digest('hex');

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The entity as Creem's documentation prints it, which the parser of Creem's SDK refuses: another mode, `chargeback`,
 * `image_url: null`, an order without `object`, and a refund without `mode`.
 */
const asDocumented = (entity: Json): Json => {
  const { object: kind } = entity;
  const fields = Object.entries(entity).flatMap(([name, value]): [string, unknown][] => {
    if (name === 'mode') return kind === 'refund' ? [] : [[name, 'local']];
    if (name === 'object' && kind === 'order') return [];
    if (name === 'status' && value === 'chargedBack') return [[name, 'chargeback']];
    return [[name, name !== 'metadata' && isObject(value) ? asDocumented(value) : value]];
  });
  return { ...Object.fromEntries(fields), ...(kind === 'product' && { image_url: null }) };
};

/** Records an event, and a delivery for each endpoint that is subscribed to it. Only within `shop.change`. */
export const recordEvent = (shop: Shop, faults: Faults, type: string, object: Json): CreemEvent => {
  const { state } = shop;
  const at = shop.now();
  const id = shop.newId('evt');
  const shaped = faults.shape === 'sdk' ? object : asDocumented(object);
  const event = { id, type, at, body: JSON.stringify({ id, eventType: type, created_at: at, object: shaped }) };
  state.events.push(event);
  for (const webhook of state.webhooks) {
    // An endpoint of the settings receives every type, so that a test can send one that does not exist.
    const subscribed = webhook.events.length === 0 || webhook.events.includes(type);
    if (webhook.status === 'disabled' || !subscribed) continue;
    const nextAttemptAt = webhook.deliveryMode === 'http' ? at : undefined;
    const delivery = { id: shop.newId('dlv'), event: id, webhook: webhook.id, attempts: [], nextAttemptAt };
    state.deliveries.push({ ...delivery, state: 'scheduled' });
  }
  return event;
};

/** The same event with another `mode` everywhere but in metadata. */
export const withMode = (body: string, mode: string): string => {
  const change = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(change);
    if (!isObject(value)) return value;
    const fields = Object.entries(value).map(([name, one]) => {
      if (name === 'mode') return [name, mode] as const;
      return [name, name === 'metadata' ? one : change(one)] as const;
    });
    return Object.fromEntries(fields);
  };
  return JSON.stringify(change(JSON.parse(body)));
};
