import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_VALUES, measureJson, measureJsonNow } from '../../../src/proxy/json/json-shape.ts';

/** An object with so many of them in a list: each is a brace and a comma, but for the last. */
const objects = (count: number, text = ''): Buffer =>
  Buffer.from(JSON.stringify({ text, list: Array.from({ length: count }, () => ({})) }));
/** The object, its comma, and the list. */
const AROUND = 3;
const most = (MAX_VALUES - AROUND + 1) / 2;

const isIntricate = async (json: Buffer): Promise<boolean> => (await measureJson(json)).values > MAX_VALUES;

describe('measureJson', () => {
  it('finds JSON with more values than the most that is taken', async () => {
    expect(await isIntricate(objects(most))).toBe(false);
    expect(await isIntricate(objects(most + 1))).toBe(true);
    expect(await isIntricate(Buffer.from(`[${'1,'.repeat(MAX_VALUES)}1]`))).toBe(true);
    expect(await isIntricate(Buffer.from('['.repeat(MAX_VALUES + 1)))).toBe(true);
    expect(await isIntricate(Buffer.from('{}'))).toBe(false);
  });

  it('counts no character of a string, however it is written, and wherever a turn ends', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('[', '{', ',', '"', '\\', '\\"', '好', '\n'), { minLength: 1, maxLength: 20 }),
        fc.nat({ max: 9 }),
        async (parts, shift) => {
          const piece = parts.join('');
          const text = 'x'.repeat(shift) + piece.repeat(Math.ceil(2_500_000 / Buffer.byteLength(piece)));
          expect(await isIntricate(objects(most, text))).toBe(false);
          expect(await isIntricate(objects(most + 1, text))).toBe(true);
        },
      ),
      { numRuns: 10 },
    ));

  it('counts the names of all objects as often as they come, and nothing in strings', () => {
    const membersOf = (value: unknown): number =>
      typeof value !== 'object' || value === null
        ? 0
        : Object.values(value).reduce<number>(
            (sum, one) => sum + membersOf(one),
            Array.isArray(value) ? 0 : Object.keys(value).length,
          );
    // Long strings, in which the end is searched for, with quotes and backslashes in all places.
    const unit = fc.constantFrom(':', '"', '\\', '\n', '好', 'x'.repeat(70), '\\'.repeat(65));
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: unit }), fc.constantFrom(undefined, 2), (value, space) => {
        expect(measureJsonNow(Buffer.from(JSON.stringify(value, null, space))).members).toBe(membersOf(value));
      }),
    );
    expect(measureJsonNow(Buffer.from('{"a":1,"a" : 2,"b":[{"a":":"}]}')).members).toBe(4);
  });

  it('lets others have their turn', async () => {
    let known = false;
    const knowing = isIntricate(Buffer.alloc(20 * 1024 * 1024, 'a')).then(() => (known = true));
    let turns = 0;
    while (!known) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      turns++;
    }
    await knowing;
    expect(turns).toBeGreaterThanOrEqual(9);
  });
});
