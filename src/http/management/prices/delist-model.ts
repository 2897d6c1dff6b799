import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { MIN_AHEAD_MS, NOTICE_MS } from '../../../domain/notice.ts';
import { PRICES_STREAM } from '../../../domain/prices/decide.ts';
import { delistingAt } from '../../../domain/prices/price-book.ts';
import { problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { changed, moment, reason, time } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { carryOut, model } from './fields.ts';

/** The time of the delisting that already applies. */
const standingSince = async ({ priceCommands }: ManagementDeps, model: string, at: Date): Promise<Date> =>
  delistingAt((await priceCommands.read(PRICES_STREAM)).state, model, at)?.effectiveFrom ?? at;

export const delistModel = defineRoute({
  method: 'post',
  path: '/delistings',
  principals: ['admin', ...staff('operator')],
  summary: 'Take a model off sale',
  description:
    'After 14 days, or after a minute if its provider ends the model. From then on GET /v1/models does not list it, and ' +
    'all nodes refuse requests for it with 404 model_delisted. Requests in progress complete at the price that they began with.',
  body: {
    schema: z.strictObject({
      model,
      at: moment.optional().meta({ description: 'When; default: at the earliest time' }),
      ended_by_provider: z
        .boolean()
        .default(false)
        .meta({ description: 'The provider ends the model, so the notice may be shorter than 14 days' }),
      reason,
    }),
    example: { model: 'gpt-5-mini', at: '2999-12-01T00:00:00Z', reason: 'Its provider ends it' },
  },
  success: {
    status: 200,
    description: 'The model is off sale from that time on',
    schema: z.strictObject({
      model: z.string(),
      effective_from: time.meta({ description: 'The model is off sale from then on' }),
      changed,
    }),
    example: { model: 'gpt-5-mini', effective_from: '2999-12-01T00:00:00.000Z', changed: true },
  },
  problems: ['model_not_listed', 'takes_effect_too_soon', 'notice_too_short'],
  handle: async ({ body: { model, at, ended_by_provider: endedByProvider, reason }, ...identity }, deps) => {
    const now = deps.now();
    const effectiveFrom = at ?? new Date(now.getTime() + (endedByProvider ? MIN_AHEAD_MS : NOTICE_MS));
    const command = { type: 'DelistModel', model, effectiveFrom, reason, endedByProvider, at: now } as const;
    const done = await carryOut(deps, identity, command);
    if (isProblem(done)) return done;
    const [event] = done.events;
    if (event?.type === 'ModelDelisted') {
      const isSame =
        event.model === model &&
        event.reason === reason &&
        event.endedByProvider === endedByProvider &&
        (!at || +event.effectiveFrom === +at);
      if (!isSame) return problem('idempotency_key_reused');
    } else if (event) return problem('idempotency_key_reused');
    const from = event?.effectiveFrom ?? (await standingSince(deps, model, effectiveFrom));
    const answer = { model, effective_from: from.toISOString(), changed: event !== undefined };
    return { answer, repeated: done.repeated };
  },
});

export const relistModel = defineRoute({
  method: 'post',
  path: '/relistings',
  principals: ['admin', ...staff('operator')],
  summary: 'Put a model on sale again',
  description: 'It is on sale after a minute, at the latest listed prices. An announced end is cancelled.',
  body: { schema: z.strictObject({ model }), example: { model: 'gpt-5-mini' } },
  success: {
    status: 200,
    description: 'The model is on sale, or will be in a minute',
    schema: z.strictObject({
      model: z.string(),
      price_version: z.int().nullable().meta({ description: 'The version of its price; null if nothing changed' }),
      changed,
    }),
    example: { model: 'gpt-5-mini', price_version: 2, changed: true },
  },
  problems: ['model_not_listed'],
  handle: async ({ body: { model }, ...identity }, deps) => {
    const done = await carryOut(deps, identity, { type: 'RelistModel', model, at: deps.now() });
    if (isProblem(done)) return done;
    const [event] = done.events;
    if (event && (event.type !== 'PriceListed' || event.entry.model !== model))
      return problem('idempotency_key_reused');
    const answer = { model, price_version: event?.version ?? null, changed: event !== undefined };
    return { answer, repeated: done.repeated };
  },
});
