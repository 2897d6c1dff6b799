import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIntricate, MAX_VALUES } from '../../src/proxy/intricate.ts';

/** An object with so many of them in a list: each is a brace and a comma, but for the last. */
const objects = (count: number, text = ''): Buffer =>
  Buffer.from(JSON.stringify({ text, list: Array.from({ length: count }, () => ({})) }));
/** The object, its comma, and the list. */
const AROUND = 3;
const most = (MAX_VALUES - AROUND + 1) / 2;

describe('isIntricate', () => {
  it('is JSON with more values than the most that is taken', async () => {
    expect(await isIntricate(objects(most))).toBe(false);
    expect(await isIntricate(objects(most + 1))).toBe(true);
    expect(await isIntricate(Buffer.from(`[${'1,'.repeat(MAX_VALUES)}1]`))).toBe(true);
    expect(await isIntricate(Buffer.from('['.repeat(MAX_VALUES + 1)))).toBe(true);
    expect(await isIntricate(Buffer.from('{}'))).toBe(false);
  });

  it('is no text, whatever it says, however it is written, and wherever a turn ends', () =>
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

  it('lets others have their turn', async () => {
    let known = false;
    const knowing = isIntricate(Buffer.alloc(20 * 1024 * 1024, 'a')).then(() => (known = true));
    let turns = 0;
    while (!known) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      turns++;
    }
    await knowing;
    expect(turns).toBeGreaterThanOrEqual(10);
  });
});
