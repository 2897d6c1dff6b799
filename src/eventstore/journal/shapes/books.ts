import { z } from 'zod';
import type { LogEvent } from '../../../domain/log/rewinds.ts';
import type { PriceEvent } from '../../../domain/prices/events.ts';
import { documents, type TermsEvent } from '../../../domain/terms/events.ts';
import type { Shapes } from './shape.ts';
import { instant, rates, tokens } from './values.ts';

export const priceEventShapes: Shapes<PriceEvent> = {
  PriceListed: {
    version: 1,
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
        rates,
        source: z.string(),
        asOf: z.string(),
      }),
    }),
  },
  ModelDelisted: {
    version: 1,
    schema: z.object({ model: z.string().min(1), effectiveFrom: instant, reason: z.string() }),
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
