import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { PRICES_STREAM, type PriceCommand } from '../../../domain/prices/decide.ts';
import type { PriceEvent } from '../../../domain/prices/events.ts';
import { delistingAt } from '../../../domain/prices/price-book.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { changed, moment, reason, text, time } from '../router/fields.ts';
import { published } from '../router/published.ts';
import { defineRoute, isProblem, type Identity } from '../router/route.ts';

const model = text(256).meta({ description: 'The name of the model in GET /api/prices', example: 'gpt-5-mini' });

type Done = { readonly events: readonly PriceEvent[]; readonly repeated: boolean };

const carryOut = async (deps: ManagementDeps, identity: Identity, command: PriceCommand): Promise<Done | Problem> => {
  const { commandId, mayRepeat, requestId } = identity;
  const metadata = { actor: 'admin', commandId, correlationId: requestId };
  const outcome = await deps.priceCommands.execute(PRICES_STREAM, command, metadata, { mayRepeat });
  if (outcome.kind === 'refused') return problem(outcome.refusal.code, { param: 'model' });
  const { events, position, repeated } = outcome;
  // The answer implies that this node has applied it.
  if (position !== undefined) await published(deps, position);
  return { events, repeated };
};

/** The time of the delisting that already applies. */
const standingSince = async ({ priceCommands }: ManagementDeps, model: string, at: Date): Promise<Date> =>
  delistingAt((await priceCommands.read(PRICES_STREAM)).state, model, at)?.effectiveFrom ?? at;

export const delistModel = defineRoute({
  method: 'post',
  path: '/delistings',
  principals: ['admin', ...staff('operator')],
  summary: 'Take a model off sale',
  description:
    'Now, or at a time. From then on GET /v1/models does not list it, and all nodes refuse requests for it with 404 ' +
    'model_delisted. Requests in progress complete at the price that they began with.',
  body: {
    schema: z.strictObject({
      model,
      at: moment.optional().meta({ description: 'When, not in the past; default: now' }),
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
  problems: ['model_not_listed'],
  handle: async ({ body: { model, at, reason }, ...identity }, deps) => {
    const now = deps.now();
    // In a repeated request the time may be in the past by now.
    if (at && at < now && !identity.mayRepeat) {
      return problem('invalid_request', { message: 'at: must not be in the past. Omit it for now.', param: 'at' });
    }
    const effectiveFrom = at ?? now;
    const done = await carryOut(deps, identity, { type: 'DelistModel', model, effectiveFrom, reason });
    if (isProblem(done)) return done;
    const [event] = done.events;
    if (event?.type === 'ModelDelisted') {
      const same = event.model === model && event.reason === reason && (!at || +event.effectiveFrom === +at);
      if (!same) return problem('idempotency_key_reused');
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
  description: 'At the latest listed prices. An announced end is cancelled.',
  body: { schema: z.strictObject({ model }), example: { model: 'gpt-5-mini' } },
  success: {
    status: 200,
    description: 'The model is on sale',
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
