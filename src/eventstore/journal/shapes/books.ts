import { z } from 'zod';
import { tokenClasses } from '../../../domain/money.ts';
import type { LogEvent } from '../../../domain/log/rewinds.ts';
import type { PriceEvent } from '../../../domain/prices/events.ts';
import { documents, type TermsEvent } from '../../../domain/terms/events.ts';
import type { Shapes } from './shape.ts';
import { linesOf, ratesOf } from '../../../domain/prices/lines.ts';
import { credits, instant, rates, tokens } from './values.ts';

const lines = z.array(
  z.strictObject({
    unit: z.literal('token'),
    per: z.int().positive(),
    match: z.strictObject({ class: z.enum(tokenClasses) }),
    price: credits,
  }),
);

type ListedV1 = { readonly entry: { readonly rates: unknown } };
type ListedV2 = { readonly entry: { readonly lines: unknown; readonly cost: unknown } };

/** Rates became lines per million tokens. What the provider billed was not recorded. */
const liftListed = (data: unknown): unknown => {
  const { rates: before, ...rest } = (data as ListedV1).entry;
  const entry = { ...rest, lines: z.encode(lines, [...linesOf(rates.parse(before))]), cost: null };
  return { ...(data as object), entry };
};

/** The cost is lost: the next start after the upgrade lists it. */
const lowerListed = (data: unknown): unknown => {
  const { lines: now, cost: _, ...rest } = (data as ListedV2).entry;
  const entry = { ...rest, rates: z.encode(rates, ratesOf(lines.parse(now))) };
  return { ...(data as object), entry };
};

export const priceEventShapes: Shapes<PriceEvent> = {
  PriceListed: {
    version: 2,
    lift: { 1: liftListed },
    lower: { 1: lowerListed },
    schema: z.object({
      version: z.int().positive(),
      effectiveFrom: instant,
      entry: z.strictObject({
        model: z.string().min(1),
        kind: z.enum(['chat', 'completion', 'embedding']),
        ownedBy: z.string(),
        upstream: z.string(),
        upstreamModel: z.string(),
        contextTokens: tokens,
        maxOutputTokens: tokens,
        lines,
        cost: lines.nullable(),
        source: z.string(),
        asOf: z.string(),
      }),
    }),
  },
  PriceWithdrawn: {
    version: 1,
    schema: z.object({ model: z.string().min(1), version: z.int().positive(), reason: z.string() }),
  },
  ModelDelisted: {
    version: 2,
    lift: { 1: (data) => ({ ...(data as object), endedByProvider: false }) },
    lower: {
      1: (data) => {
        const { endedByProvider: _, ...before } = data as { readonly endedByProvider: unknown };
        return before;
      },
    },
    schema: z.object({
      model: z.string().min(1),
      effectiveFrom: instant,
      reason: z.string(),
      endedByProvider: z.boolean(),
    }),
  },
};

export const termsEventShapes: Shapes<TermsEvent> = {
  TermsPublished: {
    version: 2,
    schema: z.object({
      document: z.enum(documents),
      version: z.string(),
      sha256: z.string(),
      summary: z.string(),
      significant: z.boolean(),
      effectiveAt: instant.nullable(),
    }),
    lift: {
      1: (data) => ({
        ...(data as object),
        ...{ document: 'terms', summary: '', significant: false, effectiveAt: null },
      }),
    },
    // Version 1 has neither other documents nor versions that take effect later.
    lower: {
      1: (data) => {
        const { document, version, sha256, effectiveAt } = data as Readonly<Record<string, unknown>>;
        return document === 'terms' && effectiveAt === null ? { version, sha256 } : undefined;
      },
    },
  },
  TermsWithdrawn: {
    version: 1,
    schema: z.object({ document: z.enum(documents), version: z.string(), reason: z.string() }),
  },
};

export const logEventShapes: Shapes<LogEvent> = {
  LogRewound: {
    version: 1,
    schema: z.object({
      rewindId: z.uuid(),
      commonPosition: z.int().nonnegative(),
      seenPosition: z.int().nonnegative(),
      seenHash: z.string().regex(/^[0-9a-f]{64}$/),
      lostEvents: z.int().nonnegative(),
      note: z.string(),
    }),
  },
};
