import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokenCounter, type TokenCounter } from '../../../src/proxy/metering/token-counter.ts';

let counter: TokenCounter;
beforeAll(async () => {
  counter = createTokenCounter();
  await counter.count(['warm']);
});
afterAll(() => counter.close());

/** How long this thread had to wait for its turn at most while it was counted, as a part of the whole time. */
const longestWait = async (counting: Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  let longest = 0;
  let last = startedAt;
  const look = (): void => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const ticking = setInterval(look, 1);
  await counting;
  clearInterval(ticking);
  look();
  return longest / (performance.now() - startedAt);
};

const RUNS = [
  ['letters', 'a'],
  ['characters of three bytes', '好'],
  ['spaces', ' '],
  ['line breaks', '\n'],
  ['signs', '!'],
  ['halves of characters', '\ud83d'],
] as const;

describe('a token counter', () => {
  // As OpenAI's own tokenizer counts them in o200k_base.
  it.each<[string, number]>([
    ['', 0],
    ['hello', 1],
    ['hello world', 2],
    ['How are you?', 4],
    ['tiktoken is great!', 6],
    ['お誕生日おめでとう', 8],
    ['<|endoftext|>', 7],
  ])('counts %j as %i', async (text, tokens) => expect(await counter.count([text])).toBe(tokens));

  it('adds up, and keeps the answers apart', async () => {
    expect(await counter.count([])).toBe(0);
    expect(await counter.count(['hello', 'hello world'])).toBe(3);
    const texts = Array.from({ length: 50 }, (_, n) => 'hello '.repeat(n + 1).trim());
    expect(await Promise.all(texts.map((text) => counter.count([text])))).toEqual(texts.map((_, n) => n + 1));
  });

  // Whole, each of them would take longer than the test may.
  it.each(RUNS)('counts 200,000 equal %s in reasonable time', async (_name, character) => {
    const text = character.repeat(200_000);
    const tokens = await counter.count([text]);
    expect(tokens).toBeGreaterThan(1000);
    expect(tokens).toBeLessThanOrEqual(Buffer.byteLength(text));
  });

  it('lets others have their turn meanwhile', async () => {
    const texts = RUNS.map(([, character]) => character.repeat(50_000));
    expect(await longestWait(counter.count([...texts, ...texts, ...texts]))).toBeLessThan(0.5);
  });

  it('cuts long runs so that they count nearly the same', async () => {
    const [cut, plain] = await Promise.all([counter.count(['a'.repeat(5120)]), counter.count(['a'.repeat(512)])]);
    expect(cut).toBe(10 * plain);
    // Below the length of a run nothing is cut.
    expect(await counter.count(['the same word '.repeat(1000)])).toBe(3001);
  });

  it('counts no further than is enough', async () => {
    const words = 'one two '.repeat(1000);
    const all = await counter.count([words]);
    expect(await counter.count([words], 'at_most', all)).toBe(all);
    for (const texts of [[words], [words, words], ['one ', words], ['a'.repeat(50_000)]]) {
      const counted = await counter.count(texts, 'at_most', 100);
      expect(counted).toBeGreaterThan(100);
      expect(counted).toBeLessThanOrEqual(101);
    }
    expect(await counter.count(['one two', ' three', ''], 'at_most', 3)).toBe(3);
  });

  // Turns, not time: counting in this thread would allow one turn a text at most.
  it('is asked from a thread that goes on meanwhile', async () => {
    let counted = false;
    const counting = counter.count(RUNS.map(([, character]) => character.repeat(50_000))).then(() => (counted = true));
    let turns = 0;
    while (!counted) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      turns++;
    }
    await counting;
    expect(turns).toBeGreaterThan(RUNS.length);
  });

  it('answers all the same when it is closed, with what is there at least', async () => {
    const own = createTokenCounter();
    const counting = own.count(['word '.repeat(100_000)]);
    await own.close();
    expect(await counting).toBeGreaterThan(0);
    // And whoever asks afterwards gets an exact answer again.
    expect(await own.count(['hello world'])).toBe(2);
    await own.close();
  });
});
