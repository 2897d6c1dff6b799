import { z } from 'zod';
import { parseUsdPerMillion, type PicoUsdPerToken } from '../../domain/money.ts';
import { withoutMember } from '../json/json-text.ts';
import { isThere } from '../json/untyped-json.ts';

/** How a request wants its provider to be chosen, in OpenRouter's fields `models` and `provider`. */
export type RoutingWish = {
  /** Further models, which are tried in order if the first one cannot answer. */
  readonly models: readonly string[];
  /** Names of providers: those to ask first, in this order; the only ones to ask; those to leave out. */
  readonly order: readonly string[];
  readonly only: readonly string[] | undefined;
  readonly ignore: readonly string[];
  /** Whether another provider is tried after the first. */
  readonly allowFallbacks: boolean;
  readonly sort: Sort | undefined;
  /** Models that cost the customer more than this are left out. */
  readonly maxPrice: { readonly input?: PicoUsdPerToken; readonly output?: PicoUsdPerToken };
  /** Only providers that certainly do not train on what they receive, or keep nothing of it. */
  readonly noTraining: boolean;
  readonly zeroRetention: boolean;
};

export type Sort = 'price' | 'throughput' | 'latency';

export const noWish: RoutingWish = {
  ...{ models: [], order: [], only: undefined, ignore: [], allowFallbacks: true, sort: undefined },
  ...{ maxPrice: {}, noTraining: false, zeroRetention: false },
};

const MAX_MODELS = 8;
const names = z.array(z.string('must be a list of names').max(256), 'must be a list of names').max(32);
const sort = z.enum(['price', 'throughput', 'latency'], 'must be price, throughput or latency');
const usdPerMillion = z.union([z.number(), z.string()]).transform((value, context) => {
  const parsed = parseUsdPerMillion(String(value));
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'must be USD per million tokens, with at most six decimals' });
  return z.NEVER;
});

const schema = z.object({
  models: names.max(MAX_MODELS, `must name at most ${MAX_MODELS} models`).nullish(),
  provider: z
    .strictObject(
      {
        order: names.nullish(),
        only: names.nullish(),
        ignore: names.nullish(),
        allow_fallbacks: z.boolean('must be true or false').nullish(),
        // Has no effect: a field that a provider cannot carry out is never dropped.
        require_parameters: z.boolean('must be true or false').nullish(),
        data_collection: z.enum(['allow', 'deny'], 'must be allow or deny').nullish(),
        zdr: z.boolean('must be true or false').nullish(),
        sort: z.union([sort, z.object({ by: sort }).transform(({ by }) => by)]).nullish(),
        max_price: z.strictObject({ prompt: usdPerMillion.nullish(), completion: usdPerMillion.nullish() }).nullish(),
      },
      { error: ({ code }) => (code === 'unrecognized_keys' ? 'has a field that is not known here' : undefined) },
    )
    .nullish(),
});

const FIELDS = ['models', 'provider', 'route'] as const;

export type WishFault = { readonly param: string; readonly message: string };

/**
 * Reads the fields for routing, and removes them from the body: no provider has them. Returns the wish and the rest, or
 * the invalid field.
 */
export const readRouting = <Fields extends Readonly<Record<string, unknown>>>(
  body: Buffer,
  fields: Fields,
): { readonly wish: RoutingWish; readonly body: Buffer; readonly fields: Fields } | WishFault => {
  const sent = FIELDS.filter((name) => Object.hasOwn(fields, name));
  if (sent.length === 0) return { wish: noWish, body, fields };
  const parsed = schema.safeParse(fields);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { param: issue?.path.join('.') ?? 'provider', message: issue?.message ?? 'is not valid' };
  }
  let text = body.toString('latin1');
  for (const name of sent) text = withoutMember(text, name);
  const rest = Object.fromEntries(Object.entries(fields).filter(([name]) => !sent.includes(name as 'models')));
  return { wish: wishOf(parsed.data), body: Buffer.from(text, 'latin1'), fields: rest as Fields };
};

const wishOf = ({ models, provider }: z.output<typeof schema>): RoutingWish => {
  const { prompt, completion } = provider?.max_price ?? {};
  return {
    models: models ?? [],
    order: provider?.order ?? [],
    only: provider?.only ?? undefined,
    ignore: provider?.ignore ?? [],
    allowFallbacks: provider?.allow_fallbacks ?? true,
    sort: provider?.sort ?? undefined,
    maxPrice: {
      ...(isThere(prompt) ? { input: prompt as PicoUsdPerToken } : {}),
      ...(isThere(completion) ? { output: completion as PicoUsdPerToken } : {}),
    },
    noTraining: provider?.data_collection === 'deny',
    zeroRetention: provider?.zdr === true,
  };
};
