import { z } from 'zod';
// Imports the types of the OpenAPI fields of `.meta()`.
import type {} from 'zod-openapi';
import { formatUsd, parseUsd } from '../../../domain/money.ts';

/** Any id of this gateway. The routes check whether it exists. */
export const anyId = z.string().regex(/^[\w-]{1,64}$/, 'must be an id');

/** A larger grant is taken for a typo. */
const MAX_GRANT_USD = '1000000';
const maxGrant = parseUsd(MAX_GRANT_USD) ?? 0n;

/** Text written by people: trimmed, without control characters, which would garble a log, a mail or a terminal. */
export const text = (maxLength: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters');

/** Like `text`, with several lines. */
export const lines = (maxLength: number) =>
  z
    .string()
    .transform((written) => written.replaceAll(/\r\n?/g, '\n').trim())
    .pipe(
      z
        .string()
        .min(1, 'must not be empty')
        .max(maxLength)
        .regex(/^(?:[^\p{Cc}\p{Cs}]|[\n\t])*$/u, 'must not contain control characters'),
    );

export const reason = text(500).meta({
  description: 'Reason; stored permanently in the log. No personal data.',
  example: 'Welcome credits',
});

export const keyName = text(100).meta({ description: 'Name of the key', example: 'production' });

/** Decimal USD as credits. The domain refuses zero. */
export const grantUsd = z
  .string({ error: 'must be a decimal string of USD, such as "5.00"' })
  .transform((written, context) => {
    const credits = parseUsd(written);
    if (credits !== undefined && credits <= maxGrant) return credits;
    const message =
      credits === undefined
        ? 'must be decimal USD with up to nine places, such as "5.00"'
        : `must be at most ${formatUsd(maxGrant)} USD at once`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .meta({ description: `Decimal USD, more than 0, at most ${MAX_GRANT_USD}, up to nine places`, example: '5.00' });

/** Decimal USD as credits, including zero. */
export const usdOrNothing = z
  .string({ error: 'must be a decimal string of USD, such as "5.00"' })
  .transform((written, context) => {
    const credits = parseUsd(written);
    if (credits !== undefined) return credits;
    context.addIssue({ code: 'custom', message: 'must be decimal USD with up to nine places, such as "5.00"' });
    return z.NEVER;
  })
  .meta({ description: 'Decimal USD, up to nine places', example: '5.00' });

/** Larger than the revision of any account. */
export const MAX_REVISION = 2_147_483_647;

/** Digits of a query parameter as a number. */
export const wholeNumber = (what: string, min: number, max: number) =>
  z
    .string()
    .transform((written, context) => {
      const value = /^\d{1,15}$/.test(written) ? Number(written) : Number.NaN;
      if (value >= min && value <= max) return value;
      context.addIssue({ code: 'custom', message: `must be a whole number from ${min} to ${max}` });
      return z.NEVER;
    })
    .meta({ description: what, override: { type: 'integer', minimum: min, maximum: max } });

/** In years of four digits, which all ISO 8601 parsers support. */
const inTheCalendar = (date: Date): boolean => date.getUTCFullYear() >= 0 && date.getUTCFullYear() <= 9999;

export const moment = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 time with a zone, such as 2026-01-31T10:00:00Z (+ as %2B)' })
  .transform((written) => new Date(written))
  .refine(inTheCalendar, 'must be in a year from 0000 to 9999, in UTC')
  .meta({ description: 'ISO 8601 with a zone', example: '2026-01-31T10:00:00Z' });

export const idempotencyKey = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
  .meta({
    description:
      'Makes the request safe to repeat: the same key with the same content has no further effect and returns the same answer.',
    example: '0198f3c2-grant-welcome',
  });

// Fields of answers.
export const usd = z
  .string()
  .regex(/^-?\d+\.\d{2,9}$/)
  .meta({ description: 'Decimal USD', example: '5.00' });
export const time = z.iso.datetime().meta({ description: 'ISO 8601, UTC', example: '2026-01-31T10:00:00.000Z' });
export const revision = z
  .int()
  .nonnegative()
  .meta({ description: "Index in the account's history, from 0", example: 7 });
export const accountId = z.string().meta({ description: 'Account', example: 'acc_3f1c9a7be2d04c5d8a6b1e20' });
export const keyId = z.string().meta({ description: 'API key', example: 'key_8d2b64f09c1e4a7fb35d6c81' });
export const lotId = z
  .string()
  .meta({ description: 'The credits of one grant or payment', example: 'lot_5a90c3d7e1f24b68a0c4d792' });
export const paymentId = z.string().meta({ description: 'Payment', example: 'pay_6d1f0a93c5b24e7790ab3e51' });
export const refundId = z
  .string()
  .meta({ description: 'Request for a refund', example: 'ref_2b8e47c0d95f4163ba07c4e9' });
export const disputeId = z
  .string()
  .meta({ description: 'Dispute, by the id of the payment partner', example: 'disp_6mAyHTVDNRYbxZSjzHdh7f' });
export const transactionId = z
  .string()
  .meta({ description: 'Transaction, by the id of the payment partner', example: 'tran_5yMaWzAl3jxuGJMCOrYWwk' });
export const generationId = z
  .string()
  .meta({ description: 'One paid call of a model', example: 'gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d' });
export const requestId = z.string().meta({
  description: 'One HTTP request: x-request-id of its response, request_id of its error',
  example: 'req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d',
});
export const changed = z.boolean().meta({ description: 'false if nothing had to be changed', example: true });

export const usdPerMillionTokens = z
  .strictObject({ input: usd, cached_input: usd, cache_write: usd, output: usd, reasoning: usd })
  .meta({ description: 'USD per million tokens, by class. The classes never overlap.' });
