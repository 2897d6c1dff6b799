import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { tokenClasses, parseUsdPerMillion, type Rates } from '../domain/money.ts';
import { linesOf } from '../domain/prices/lines.ts';
import type { CatalogueModel } from '../domain/prices/proposals.ts';
import type { ModelFacts, PictureRule } from '../proxy/metering/model-facts.ts';

export type CatalogueEntry = {
  readonly model: CatalogueModel;
  /** The end of the model at its provider; from then on it is off sale. */
  readonly endsAt?: Date;
};

const rate = z.string().transform((text, context) => {
  const parsed = parseUsdPerMillion(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: `${text} is not a price in USD per million tokens` });
  return z.NEVER;
});

const ratesSchema: z.ZodType<Rates> = z.strictObject({
  input: rate,
  cachedInput: rate,
  cacheWrite: rate,
  output: rate,
  reasoning: rate,
} satisfies Record<(typeof tokenClasses)[number], typeof rate>);

const count = z.int().nonnegative();

const pictureRule: z.ZodType<PictureRule> = z.discriminatedUnion('rule', [
  z.strictObject({ rule: z.literal('tiles'), base: count, perTile: count, least: count.optional() }),
  z.strictObject({
    rule: z.literal('patches'),
    multiplier: z.number().positive(),
    budget: count.nullable(),
    detailBudget: count.optional(),
  }),
  z.strictObject({ rule: z.literal('pixels'), budget: count }),
  z.strictObject({ rule: z.literal('cropped_tiles'), perTile: count, maxTiles: count, least: count }),
  z.strictObject({ rule: z.literal('fixed'), most: count, least: count }),
]);

const factsSchema = {
  reasoning: z.enum(['none', 'streamed', 'hidden']).optional(),
  limitLeavesReasoningOut: z.boolean().optional(),
  thinksByBudget: z.boolean().optional(),
  tokenizer: z.literal('o200k').optional(),
  pictures: pictureRule.optional(),
  sound: z.strictObject({ tokensPerSecond: z.number().positive(), atPriceOfText: z.boolean() }).optional(),
} satisfies Record<keyof ModelFacts, z.ZodType>;

const schema = z.strictObject({
  models: z.array(
    z
      .strictObject({
        model: z.string().min(1),
        ownedBy: z.string().min(1),
        upstream: z.string().min(1),
        upstreamModel: z.string().min(1).optional(),
        kind: z.enum(['chat', 'completion', 'embedding']),
        contextTokens: z.int().positive(),
        maxOutputTokens: z.int().nonnegative(),
        ...factsSchema,
        usdPerMillionTokens: ratesSchema,
        source: z.string().min(1),
        asOf: z.iso.date(),
        endsAt: z.iso
          .datetime()
          .transform((text) => new Date(text))
          .optional(),
      })
      .transform((model) => {
        const { usdPerMillionTokens: rates, upstreamModel, endsAt, ...rest } = model;
        const { reasoning, limitLeavesReasoningOut, thinksByBudget, tokenizer, pictures, sound, ...entry } = rest;
        const facts: ModelFacts = {
          ...{ reasoning, limitLeavesReasoningOut, thinksByBudget, tokenizer, pictures, sound },
        };
        const price: CatalogueEntry = {
          model: { ...entry, cost: linesOf(rates), upstreamModel: upstreamModel ?? entry.model },
          ...(endsAt ? { endsAt } : {}),
        };
        return { price, facts };
      }),
  ),
});

const readModels = async () => {
  const file = await readFile(new URL('../../catalogue/models.json', import.meta.url), 'utf8');
  return schema.parse(JSON.parse(file)).models;
};

/** The models and what their providers bill, each with its source and date. */
export const readCatalogue = async (): Promise<readonly CatalogueEntry[]> =>
  (await readModels()).map(({ price }) => price);

/**
 * What the same file states about each model beside its price, by the model's name and by the provider's name of it. So a
 * model that was listed under another name has the facts of the provider's model.
 */
export const readModelFacts = async (): Promise<ReadonlyMap<string, ModelFacts>> => {
  const models = await readModels();
  return new Map([
    ...models.map(({ price, facts }) => [price.model.upstreamModel, facts] as const),
    ...models.map(({ price, facts }) => [price.model.model, facts] as const),
  ]);
};
