import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compileSchema } from '../../../src/eventstore/journal/shapes/compiled-schema.ts';
import { credits, instant, rates } from '../../../src/eventstore/journal/shapes/values.ts';

const schema = z.object({
  id: z.string().min(1),
  hex: z.string().regex(/^[0-9a-f]+$/),
  count: z.int().nonnegative(),
  kind: z.enum(['one', 'two']),
  flag: z.boolean(),
  nullable: z.string().nullable(),
  note: z.string().exactOptional(),
  amount: credits,
  rates,
  items: z.array(z.strictObject({ lot: z.string(), of: z.int().positive(), at: instant })),
  either: z.discriminatedUnion('by', [
    z.strictObject({ by: z.literal('day') }),
    z.strictObject({ by: z.literal('hour') }),
  ]),
  record: z.record(z.string(), z.string()),
  several: z.string().min(1).max(3),
});
type Value = z.infer<typeof schema>;

const value: Value = {
  ...{ id: 'gen-1', hex: 'a0', count: 0, kind: 'one', flag: true, nullable: null, note: 'say "é\n\ud800', amount: -5n },
  rates: { input: 1n, cachedInput: 2n, cacheWrite: 3n, output: 4n, reasoning: 5n },
  items: [
    { lot: 'lot_1', of: 1, at: new Date(0) },
    { lot: '', of: 2, at: new Date(1) },
  ],
  ...{ either: { by: 'hour' }, record: { a: 'b' }, several: 'abc' },
};

/** One member of an object, at any depth, replaced or removed; or a member added. */
const damaged = (root: object, junk: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.constantFrom(...placesIn(root)).chain((place) => junk.map((with_) => replaced(root, place, () => with_))),
    fc.constantFrom(...placesIn(root)).map((place) => replaced(root, place, undefined)),
    fc.constantFrom(...placesIn(root)).map((place) => replaced(root, [...place.slice(0, -1), 'more'], () => 'more')),
  );

type Place = readonly string[];
const placesIn = (one: unknown, at: Place = []): readonly Place[] =>
  typeof one === 'object' && one !== null && !(one instanceof Date)
    ? Object.entries(one).flatMap(([name, member]) => [[...at, name], ...placesIn(member, [...at, name])])
    : [];

const replaced = (one: unknown, [name = '', ...rest]: Place, by: (() => unknown) | undefined): unknown => {
  const copy = (Array.isArray(one) ? [...(one as unknown[])] : { ...(one as object) }) as Record<string, unknown>;
  if (rest.length > 0) copy[name] = replaced(copy[name], rest, by);
  else if (by) copy[name] = by();
  else delete copy[name];
  return copy;
};

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    true,
    0,
    -1,
    1.5,
    Number.NaN,
    2 ** 60,
    '',
    '0',
    'one',
    'day',
    7n,
    -(10n ** 31n),
  ),
  fc.constantFrom<unknown>(
    [],
    {},
    [null],
    { by: 'day' },
    new Date(5),
    new Date(Number.NaN),
    '2026-01-01T00:00:00.000Z',
  ),
  fc.string({ unit: 'binary' }),
);

const outcome = (convert: () => unknown): unknown => {
  try {
    return { converted: convert() };
  } catch (error) {
    return { issues: (error as z.ZodError).issues };
  }
};

describe('a compiled schema', () => {
  const compiled = compileSchema(schema, rates);
  const data = JSON.parse(JSON.stringify(z.encode(schema, value))) as object;

  it('reads data as the schema does, and rejects the same', () => {
    expect(compiled.decode(data)).toEqual(value);
    const same = (one: unknown): void => {
      expect(outcome(() => compiled.decode(one))).toEqual(outcome(() => schema.parse(one)));
    };
    fc.assert(fc.property(damaged(data, junk), same), { numRuns: 2000 });
  });

  it('writes the JSON of the schema, and rejects the same', () => {
    expect(compiled.toJson(value)).toBe(JSON.stringify(z.encode(schema, value)));
    const same = (one: unknown): void => {
      const expected = outcome(() => JSON.stringify(z.encode(schema, one as Value)));
      expect(outcome(() => compiled.toJson(one))).toEqual(expected);
    };
    fc.assert(fc.property(damaged(value, junk), same), { numRuns: 2000 });
  });

  it('keeps the text of a shared object for each object, not for each text', () => {
    const other = { ...value, rates: { ...value.rates, input: 9n } };
    for (const one of [value, other, value]) expect(compiled.toJson(one)).toBe(JSON.stringify(z.encode(schema, one)));
  });
});
