import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** A provider as customers see it. */
export type ProviderFacts = {
  readonly name: string;
  /** Its public rules for the use of its models; null if it has none. */
  readonly usagePolicyUrl: string | null;
  /** Whether it trains models on what it receives by our contract with it; undefined if that is unknown. */
  readonly trains?: boolean | undefined;
  /** Whether it keeps nothing of a request after its answer; undefined if that is unknown. */
  readonly keepsNothing?: boolean | undefined;
};

const schema = z.strictObject({
  providers: z
    .array(
      z.strictObject({
        upstream: z.string().regex(/^[a-z0-9-]{1,32}$/),
        name: z.string().min(1).max(100),
        usagePolicyUrl: z.url({ protocol: /^https$/ }).nullable(),
        trains: z.boolean().optional(),
        keepsNothing: z.boolean().optional(),
      }),
    )
    .refine((all) => new Set(all.map(({ upstream }) => upstream)).size === all.length, 'a provider is listed twice'),
});

/** The providers of catalogue/providers.json, by their names in the price book. */
export const readProviderList = async (
  file = new URL('../../catalogue/providers.json', import.meta.url),
): Promise<ReadonlyMap<string, ProviderFacts>> => {
  const { providers } = schema.parse(JSON.parse(await readFile(file, 'utf8')));
  return new Map(providers.map(({ upstream, ...facts }) => [upstream, facts]));
};
