import { z } from 'zod';
import type { LogEvent } from '../../../domain/log/rewinds.ts';
import type { PriceEvent } from '../../../domain/prices/events.ts';
import type { TermsEvent } from '../../../domain/terms/terms.ts';
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
  TermsPublished: { version: 1, schema: z.object({ version: z.string(), sha256: z.string() }) },
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
