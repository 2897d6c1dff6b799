import { z } from 'zod';
import type { Credits } from '../domain/money.ts';
import { NOT_IN_A_HEADER, usd, VISIBLE_ASCII, webUrl } from './values.ts';

/** The payment partner: Creem, its stand-in in this process, or none, so that top-ups are refused. */
export type PartnerConfig =
  | {
      readonly kind: 'creem';
      readonly apiKey: string;
      readonly webhookSecret: string;
      readonly productId: string;
      /** A test key moves no money. */
      readonly isTest: boolean;
      readonly url: string;
    }
  | { readonly kind: 'simulated' }
  | { readonly kind: 'none' };

type PaymentsConfig = {
  readonly partner: PartnerConfig;
  readonly topUps: { readonly least: Credits; readonly most: Credits; readonly presets: readonly Credits[] };
  /** Larger refunds need a second person. */
  readonly refundAlone: Credits;
};

const CENT = 10_000_000n;
const wholeCents = usd.refine(
  (credits) => credits > 0n && credits % CENT === 0n,
  'must be more than 0, in whole cents',
);
const presets = z.string().transform((text, context) =>
  text.split(',').map((part) => {
    const parsed = wholeCents.safeParse(part.trim());
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: 'must be amounts in USD, separated by commas, such as 10,25,50' });
    return z.NEVER;
  }),
);
const inHeader = z.string().regex(VISIBLE_ASCII, NOT_IN_A_HEADER);

export const paymentVariables = {
  CREEM_API_KEY: inHeader.regex(/^creem_/, 'must be an API key of Creem, which begins with creem_').optional(),
  CREEM_WEBHOOK_SECRET: z
    .string()
    .regex(VISIBLE_ASCII, 'must consist of visible ASCII characters, without blanks')
    .optional(),
  CREEM_PRODUCT_ID: z
    .string()
    .regex(/^[\w-]{1,100}$/, 'must be the id of a product, such as prod_…')
    .optional(),
  CREEM_API_URL: webUrl.optional(),
  KISSAPI_SIMULATED_PAYMENTS: z.enum(['on', 'off']).optional(),
  TOP_UP_LEAST_USD: wholeCents.default(5_000_000_000n),
  TOP_UP_MOST_USD: wholeCents.default(1_000_000_000_000n),
  TOP_UP_PRESETS_USD: presets.default([10_000_000_000n, 25_000_000_000n, 50_000_000_000n, 100_000_000_000n]),
  REFUND_NEEDS_SECOND_PERSON_USD: usd.default(100_000_000_000n),
};

type Environment = z.output<z.ZodObject<typeof paymentVariables>> & { readonly NODE_ENV: string };

const isTestKey = (apiKey: string): boolean => apiKey.startsWith('creem_test_');

const partnerOf = (env: Environment): PartnerConfig => {
  const { CREEM_API_KEY: apiKey, CREEM_WEBHOOK_SECRET: webhookSecret, CREEM_PRODUCT_ID: productId } = env;
  const simulated = env.KISSAPI_SIMULATED_PAYMENTS ?? (env.NODE_ENV === 'production' ? 'off' : 'on');
  if (apiKey === undefined || webhookSecret === undefined || productId === undefined) {
    return { kind: simulated === 'on' ? 'simulated' : 'none' };
  }
  const isTest = isTestKey(apiKey);
  const url = env.CREEM_API_URL ?? `https://${isTest ? 'test-api' : 'api'}.creem.io`;
  return { kind: 'creem', apiKey, webhookSecret, productId, isTest, url };
};

export const paymentsOf = (env: Environment): PaymentsConfig => ({
  partner: partnerOf(env),
  topUps: { least: env.TOP_UP_LEAST_USD, most: env.TOP_UP_MOST_USD, presets: env.TOP_UP_PRESETS_USD },
  refundAlone: env.REFUND_NEEDS_SECOND_PERSON_USD,
});

/** What is wrong with the variables together: pairs of the variable and the message. */
export const wrongPayments = (env: Environment): readonly (readonly [string, string])[] => {
  const wrong: (readonly [string, string])[] = [];
  const names = ['CREEM_API_KEY', 'CREEM_WEBHOOK_SECRET', 'CREEM_PRODUCT_ID'] as const;
  const set = names.filter((name) => env[name] !== undefined);
  if (set.length > 0) {
    for (const name of names) if (env[name] === undefined) wrong.push([name, `is required with ${set.join(' and ')}`]);
  }
  const { CREEM_API_KEY: apiKey, CREEM_API_URL: url } = env;
  if (env.NODE_ENV === 'production' && env.KISSAPI_SIMULATED_PAYMENTS !== 'on') {
    const test = 'is a test key, with which no money moves: use a live key, or set KISSAPI_SIMULATED_PAYMENTS to on';
    if (apiKey !== undefined && isTestKey(apiKey)) wrong.push(['CREEM_API_KEY', test]);
    if (url?.startsWith('https:') === false) wrong.push(['CREEM_API_URL', 'must begin with https:// in production']);
  }
  const { TOP_UP_LEAST_USD: least, TOP_UP_MOST_USD: most } = env;
  if (least > most) wrong.push(['TOP_UP_MOST_USD', 'must not be less than TOP_UP_LEAST_USD']);
  if (env.TOP_UP_PRESETS_USD.some((preset) => preset < least || preset > most)) {
    wrong.push(['TOP_UP_PRESETS_USD', 'must be between TOP_UP_LEAST_USD and TOP_UP_MOST_USD']);
  }
  return wrong;
};
