import { createHmac } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import type { WebhookHeaders } from '../../../src/payments/partner.ts';

export type Json = { readonly [name: string]: unknown };
export type CreemEvent = { readonly id: string; readonly eventType: string; readonly object: Json };

export const SECRET = 'whsec_of_the_tests';

const folder = new URL('samples/', import.meta.url);

export const samples: readonly string[] = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
export const sample = (name: string): CreemEvent =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as CreemEvent;

export const sign = (body: string | Uint8Array, secret = SECRET): string =>
  createHmac('sha256', secret).update(body).digest('hex');

export const bytes = (body: unknown): Uint8Array => Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));

/** As Creem sends it: compact JSON, signed. */
export const delivery = (event: unknown): readonly [WebhookHeaders, Uint8Array] => {
  const body = bytes(event);
  return [{ 'creem-signature': sign(body) }, body];
};

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy in which `change` has replaced each entity, the innermost first. */
const changed = (value: unknown, change: (entity: Json) => Json): unknown => {
  if (Array.isArray(value)) return value.map((one) => changed(one, change));
  if (!isJson(value)) return value;
  return change(Object.fromEntries(Object.entries(value).map(([name, one]) => [name, changed(one, change)])));
};

export const withEntities = (event: CreemEvent, change: (entity: Json) => Json): CreemEvent => ({
  ...event,
  object: changed(event.object, change) as Json,
});

const without = (entity: Json, name: string): Json =>
  Object.fromEntries(Object.entries(entity).filter(([key]) => key !== name));

/** As the documentation of Creem prints it, which the parser of its SDK refuses. */
export const documented = (event: CreemEvent): CreemEvent =>
  withEntities(event, (entity) => {
    const { object: kind } = entity;
    const local = 'mode' in entity ? { ...entity, mode: 'local' } : entity;
    if (kind === 'order') return without(local, 'object');
    if (kind === 'product') return { ...local, image_url: null };
    if (kind === 'refund') return without(local, 'mode');
    return local['status'] === 'chargedBack' ? { ...local, status: 'chargeback' } : local;
  });
