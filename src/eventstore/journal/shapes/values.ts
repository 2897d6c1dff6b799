import { z } from 'zod';

export const id = z.string().min(1);

/** Milliseconds since the epoch. */
export const timeMs = z.int().nonnegative();

/** Money on disk is a string of decimal digits, because JSON numbers are parsed as floats. */
export const credits = z.codec(z.string().regex(/^-?\d{1,30}$/), z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (value) => value.toString(),
});

export const instant = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

export const tokens = z.int().nonnegative();

export const usage = z.strictObject({
  input: tokens,
  cachedInput: tokens,
  cacheWrite: tokens,
  output: tokens,
  reasoning: tokens,
});

export const rates = z.strictObject({
  input: credits,
  cachedInput: credits,
  cacheWrite: credits,
  output: credits,
  reasoning: credits,
});

/** Parts of an amount, by lot. */
export const drawn = z.array(z.strictObject({ lotId: id, amount: credits }));
