import { z } from 'zod';
import { parseUsdPerMillion, type PicoUsdPerToken, type Rates } from '../../../domain/money.ts';
import { PRICES_STREAM, type PriceCommand } from '../../../domain/prices/decide.ts';
import type { PriceEvent } from '../../../domain/prices/events.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { text, time, usd, usdPerMillionTokens } from '../router/fields.ts';
import { published } from '../router/published.ts';
import type { Identity } from '../router/route.ts';

export const model = text(256).meta({ description: 'The name of the model in GET /api/prices', example: 'gpt-5-mini' });

const rate = z
  .string({ error: 'must be a decimal string of USD per million tokens, such as "0.25"' })
  .transform((written, context): PicoUsdPerToken => {
    const parsed = parseUsdPerMillion(written);
    if (parsed !== undefined) return parsed;
    const message = 'must be decimal USD per million tokens with up to six places, such as "0.25"';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .meta({ description: 'Decimal USD per million tokens, up to six places', example: '0.25' });

/** A price as staff sends it. */
export const ratesAsked = z
  .strictObject({ input: rate, cached_input: rate, cache_write: rate, output: rate, reasoning: rate })
  .transform(({ cached_input: cachedInput, cache_write: cacheWrite, ...others }): Rates => ({
    ...{ ...others, cachedInput, cacheWrite },
  }));

export const lineView = z
  .strictObject({
    unit: z.literal('token'),
    per: z.int().positive().meta({ description: 'The number of units that the price is for', example: 1_000_000 }),
    match: z.strictObject({ class: z.enum(['input', 'cached_input', 'cache_write', 'output', 'reasoning']) }),
    usd,
  })
  .meta({ id: 'PriceLine', description: 'The price of a number of tokens of a class' });

export const changeView = z
  .strictObject({
    price_version: z.int().positive(),
    effective_from: time,
    is_increase: z.boolean().meta({ description: 'Whether any usage can cost more than before' }),
    usd_per_million_tokens: usdPerMillionTokens,
  })
  .meta({ id: 'PriceChange' });

export const examples = {
  rates: { input: '0.25', cached_input: '0.025', cache_write: '0.25', output: '2.00', reasoning: '2.00' },
  lines: [
    { unit: 'token' as const, per: 1_000_000, match: { class: 'input' as const }, usd: '0.25' },
    { unit: 'token' as const, per: 1_000_000, match: { class: 'cached_input' as const }, usd: '0.025' },
    { unit: 'token' as const, per: 1_000_000, match: { class: 'cache_write' as const }, usd: '0.25' },
    { unit: 'token' as const, per: 1_000_000, match: { class: 'output' as const }, usd: '2.00' },
    { unit: 'token' as const, per: 1_000_000, match: { class: 'reasoning' as const }, usd: '2.00' },
  ],
};

type Done = { readonly events: readonly PriceEvent[]; readonly repeated: boolean };

/** Executes a command on the price book, and waits until this node follows it. */
export const carryOut = async (
  deps: ManagementDeps,
  identity: Identity,
  command: PriceCommand,
): Promise<Done | Problem> => {
  const { actor, commandId, mayRepeat, requestId } = identity;
  const metadata = { actor, commandId, correlationId: requestId };
  const outcome = await deps.priceCommands.execute(PRICES_STREAM, command, metadata, { mayRepeat });
  if (outcome.kind === 'refused') {
    const { code } = outcome.refusal;
    return problem(code, { param: code === 'price_version_not_found' ? 'version' : 'model' });
  }
  const { events, position, repeated } = outcome;
  // The response is sent once this node has applied the event.
  if (position !== undefined) await published(deps, position);
  return { events, repeated };
};
