import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { PRICES_STREAM } from '../../../domain/prices/decide.ts';
import type { PriceEvent } from '../../../domain/prices/events.ts';
import { linesOf, ratesOf, sameRates } from '../../../domain/prices/lines.ts';
import { delistingAt } from '../../../domain/prices/price-book.ts';
import { earliestOf, entryToAnnounce } from '../../../domain/prices/proposals.ts';
import { viewRates } from '../../price-views.ts';
import { modelDelisted, problem } from '../../server/problems.ts';
import { changed, moment, reason, time, usdPerMillionTokens } from '../router/fields.ts';
import { defineRoute, isProblem } from '../router/route.ts';
import { carryOut, examples, model, ratesAsked } from './fields.ts';

const dearer = { ...examples.rates, output: '2.50' };

export const announcePrice = defineRoute({
  method: 'post',
  path: '/prices',
  principals: ['admin', ...staff('operator')],
  summary: 'Announce a price of a listed model',
  description:
    'Announces the proposed price, or the price that is sent. It takes effect by default at its earliest time: after 14 days if any ' +
    'usage can cost more than before, otherwise after a minute.',
  body: {
    schema: z.strictObject({
      model,
      usd_per_million_tokens: ratesAsked.optional().meta({ description: 'The price; default: the proposed price' }),
      effective_from: moment.optional().meta({ description: 'When it takes effect; default: at the earliest time' }),
    }),
    example: { model: 'gpt-5-mini', usd_per_million_tokens: dearer, effective_from: '2999-12-01T00:00:00Z' },
  },
  success: {
    status: 200,
    description: 'The price is listed, and takes effect from that time on',
    schema: z.strictObject({
      model: z.string(),
      price_version: z.int().positive(),
      effective_from: time,
      usd_per_million_tokens: usdPerMillionTokens,
      changed,
    }),
    example: {
      ...{ model: 'gpt-5-mini', price_version: 2, effective_from: '2999-12-01T00:00:00.000Z' },
      ...{ usd_per_million_tokens: dearer, changed: true },
    },
  },
  problems: [
    ...(['model_not_listed', 'model_delisted', 'invalid_price'] as const),
    ...(['takes_effect_too_soon', 'notice_too_short', 'takes_effect_before_a_listed_price'] as const),
  ],
  handle: async ({ body, ...identity }, deps) => {
    const { state: book } = await deps.priceCommands.read(PRICES_STREAM);
    const newest = book.get(body.model)?.versions.at(-1);
    if (!newest) return problem('model_not_listed', { param: 'model' });
    const at = deps.now();
    const rates = body.usd_per_million_tokens;
    const { models, margin } = deps.catalogue;
    const entry = entryToAnnounce({ newest, models, margin, lines: rates && linesOf(rates) });
    if (!entry) return problem('invalid_request', { message: WITHOUT_COST, param: 'usd_per_million_tokens' });
    const effectiveFrom = body.effective_from ?? earliestOf(newest, entry, at);
    const off = delistingAt(book, body.model, effectiveFrom);
    if (off && !identity.mayRepeat) return modelDelisted(body.model, off.effectiveFrom);
    const done = await carryOut(deps, identity, { type: 'ListPrice', entry, effectiveFrom, at });
    if (isProblem(done)) return done;
    const [event] = done.events;
    // The key was not used for an announcement that was made before the end of sale.
    if (!event && off) return modelDelisted(body.model, off.effectiveFrom);
    if (event && !(event.type === 'PriceListed' && isAsked(event, body))) return problem('idempotency_key_reused');
    const listed = event?.type === 'PriceListed' ? event : { ...newest, entry: newest };
    const answer = {
      ...{ model: body.model, price_version: listed.version, effective_from: listed.effectiveFrom.toISOString() },
      ...{ usd_per_million_tokens: viewRates(ratesOf(listed.entry.lines)), changed: event !== undefined },
    };
    return { answer, repeated: done.repeated };
  },
});

const WITHOUT_COST =
  'usd_per_million_tokens: is required, because catalogue/models.json does not contain this model, so there is no proposal.';

type Asked = {
  readonly model: string;
  readonly usd_per_million_tokens?: z.output<typeof ratesAsked> | undefined;
  readonly effective_from?: Date | undefined;
};

/** Whether the event of an earlier request with the same Idempotency-Key matches this request. */
const isAsked = ({ entry, effectiveFrom }: Extract<PriceEvent, { type: 'PriceListed' }>, asked: Asked): boolean =>
  entry.model === asked.model &&
  (!asked.usd_per_million_tokens || sameRates(ratesOf(entry.lines), asked.usd_per_million_tokens)) &&
  (!asked.effective_from || +asked.effective_from === +effectiveFrom);

export const withdrawPrice = defineRoute({
  method: 'post',
  path: '/prices/withdrawals',
  principals: ['admin', ...staff('operator')],
  summary: 'Withdraw an announced price',
  description:
    'Possible until a minute before its effect. The price before it stays in force. If any usage would cost more at that price, the ' +
    'announcement can be withdrawn until 14 days before its effect.',
  body: {
    schema: z.strictObject({
      model,
      version: z.int().positive().meta({ description: 'The version of the announced price', example: 2 }),
      reason: reason.meta({ example: 'A typo in the price' }),
    }),
    example: { model: 'gpt-5-mini', version: 2, reason: 'A typo in the price' },
  },
  success: {
    status: 200,
    description: 'The price does not take effect',
    schema: z.strictObject({ model: z.string(), price_version: z.int().positive(), changed }),
    example: { model: 'gpt-5-mini', price_version: 2, changed: true },
  },
  problems: ['model_not_listed', 'price_version_not_found', 'takes_effect_too_soon', 'notice_too_short'],
  handle: async ({ body: { model, version, reason }, ...identity }, deps) => {
    const command = { type: 'WithdrawPrice', model, version, reason, at: deps.now() } as const;
    const done = await carryOut(deps, identity, command);
    if (isProblem(done)) return done;
    const [event] = done.events;
    const isSame =
      event?.type === 'PriceWithdrawn' && event.model === model && event.version === version && event.reason === reason;
    if (event && !isSame) return problem('idempotency_key_reused');
    return { answer: { model, price_version: version, changed: event !== undefined }, repeated: done.repeated };
  },
});
