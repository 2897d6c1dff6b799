import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { soundTokens } from '../../../src/proxy/media/media-parts.ts';
import { pictureTokens, UNKNOWN_PICTURE_TOKENS } from '../../../src/proxy/media/picture-tokens.ts';
import type { PictureRule } from '../../../src/proxy/metering/model-facts.ts';
import { like } from '../examples.ts';
import { mp3, png, wav } from './media.ts';

/** Models that are not in the catalogue, by which rules are tested. */
const others: Readonly<Record<string, PictureRule | undefined>> = {
  'gpt-4.1-nano': { rule: 'patches', multiplier: 2.46, budget: 1536 },
  'o4-mini': { rule: 'patches', multiplier: 1.72, budget: 1536 },
  'gpt-5.5': { rule: 'patches', multiplier: 1.2, budget: 10_000, detailBudget: 2500 },
  'something-new': undefined,
};
const ruleOf = (model: string): PictureRule | undefined =>
  Object.hasOwn(others, model) ? others[model] : like(model).pictures;

const picture = (width: number, height: number): string =>
  `data:image/png;base64,${png(width, height).toString('base64')}`;
const bound = (model: string, width: number, height: number, detail?: string): number =>
  pictureTokens(ruleOf(model), picture(width, height), detail).most;
const least = (model: string, width: number, height: number, detail?: string): number =>
  pictureTokens(ruleOf(model), picture(width, height), detail).least;
const ofUnknownSize = (model: string, detail?: string): number =>
  pictureTokens(ruleOf(model), 'https://example.com/a.png', detail).most;

const side = fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.constantFrom(1, 32, 512, 513, 768, 769, 2048, 2049, 4096));
const detail = fc.constantFrom(undefined, 'auto', 'low', 'high', 'original', 'ultra_high');
const rounding = fc.constantFrom(Math.floor, Math.round, Math.ceil);
const models = fc.constantFrom(
  ...['gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano', 'o3', 'o4-mini', 'gpt-5', 'gpt-5-mini'],
  ...['gpt-5.1', 'gpt-5.4-mini', 'gpt-5.4-nano', 'gpt-5.5', 'gpt-6-luna', 'claude-haiku-4-5', 'claude-opus-5-5'],
  ...['gemini-2.5-pro', 'gemini-3.5-flash-lite', 'grok-4.7', 'simulated-chat'],
);

type Round = (pixels: number) => number;

/** OpenAI's words, step by step, in whole pixels, however it may round them. */
const tilesInSteps = (width: number, height: number, round: Round, roundLast = round): number => {
  let [w, h] = [width, height];
  const fit = Math.min(1, 2048 / Math.max(w, h));
  [w, h] = [Math.max(1, round(w * fit)), Math.max(1, round(h * fit))];
  const shrink = Math.min(1, 768 / Math.min(w, h));
  [w, h] = [Math.min(2048, roundLast(w * shrink)), Math.min(2048, roundLast(h * shrink))];
  return Math.ceil(w / 512) * Math.ceil(h / 512);
};

/** The same for patches: shrunk by the formula of its documentation, to whole patches. */
const patchesInSteps = (width: number, height: number, budget: number): number => {
  const count = (w: number, h: number): number => Math.ceil(w / 32) * Math.ceil(h / 32);
  if (count(width, height) <= budget) return count(width, height);
  const shrink = Math.sqrt((budget * 32 ** 2) / (width * height));
  const [across, down] = [(width * shrink) / 32, (height * shrink) / 32];
  const whole = Math.min(Math.max(1, Math.floor(across)) / across, Math.max(1, Math.floor(down)) / down);
  return Math.min(budget, count(width * shrink * whole, height * shrink * whole));
};

describe('the tokens of a picture, where tiles cost', () => {
  // Examples of OpenAI's documentation.
  it.each<[string, number, number, string, number]>([
    ['gpt-4o', 1024, 1024, 'high', 765],
    ['gpt-4o', 2048, 4096, 'high', 1105],
    ['gpt-4o', 4096, 8192, 'low', 85],
    ['gpt-4o-mini', 1024, 1024, 'high', 2833 + 4 * 5667],
    ['gpt-4o-mini', 1, 1, 'low', 2833],
    ['o3', 1024, 1024, 'high', 75 + 4 * 150],
    ['gpt-5.1', 1024, 1024, 'high', 70 + 4 * 140],
  ])('%s makes of %i × %i, %s, %i', (model, width, height, how, tokens) =>
    expect(bound(model, width, height, how)).toBe(tokens),
  );

  it('are never more however sides are rounded, and less by a row at most than where they are rounded up', () =>
    fc.assert(
      fc.property(side, side, rounding, fc.constantFrom(Math.floor, Math.round), (width, height, round, roundLast) => {
        const billed = 85 + 170 * tilesInSteps(width, height, round, roundLast);
        expect(bound('gpt-4o', width, height)).toBeGreaterThanOrEqual(billed);
        const most = 85 + 170 * tilesInSteps(width, height, Math.ceil);
        expect(bound('gpt-4o', width, height)).toBeLessThanOrEqual(most + 2 * 170);
      }),
      { numRuns: 2000 },
    ));

  it('are those of a picture that is rounded down on the way, where that takes one more', () => {
    // Half of 4822, and yet 1023 high: 4822 / 2048 is no number of floating point.
    expect(tilesInSteps(4822, 2411, Math.floor, Math.round)).toBe(8);
    expect(bound('gpt-4o', 4822, 2411)).toBe(85 + 8 * 170);
  });

  it.each([
    ['a photograph', 4032, 3024],
    ['a screen', 1920, 1080],
    ['a page', 1654, 2339],
  ])('of %s are exactly that', (_what, width, height) =>
    expect(bound('gpt-4o', width, height)).toBe(85 + 170 * tilesInSteps(width, height, Math.round)),
  );
});

describe('the tokens of a picture, where patches cost', () => {
  // Examples of OpenAI's documentation, and what was measured of newer models.
  it.each<[string, number, number, string | undefined, number]>([
    ['gpt-4.1-mini', 1024, 1024, undefined, Math.ceil(1024 * 1.62)],
    ['gpt-4.1-nano', 33, 65, 'low', Math.ceil(6 * 2.46)],
    ['o4-mini', 1024, 1024, undefined, Math.ceil(1024 * 1.72)],
    ['gpt-6-luna', 1024, 1024, undefined, 1229],
    ['gpt-6-luna', 4032, 3024, undefined, 14_364],
    ['gpt-6-luna', 4032, 3024, 'high', 3000],
    ['gpt-5.5', 8000, 8000, undefined, 12_000],
  ])('%s makes of %i × %i, %s, %i at most', (model, width, height, how, tokens) =>
    expect(bound(model, width, height, how)).toBe(tokens),
  );

  it('are never more than documented, and not much less', () =>
    fc.assert(
      fc.property(side, side, (width, height) => {
        const billed = Math.ceil(patchesInSteps(width, height, 1536) * 1.62);
        expect(bound('gpt-4.1-mini', width, height)).toBeGreaterThanOrEqual(billed);
        // A picture that is not shrunk is known exactly; another may lose a row.
        if (Math.ceil(width / 32) * Math.ceil(height / 32) > 1536) return;
        expect(bound('gpt-4.1-mini', width, height)).toBe(billed);
      }),
      { numRuns: 2000 },
    ));
});

describe('the tokens of a picture elsewhere', () => {
  // As Anthropic's and Google's interfaces were seen to count.
  it.each<[string, number, number, number]>([
    ['claude-haiku-4-5', 29, 29, 4],
    ['claude-haiku-4-5', 1024, 1024, 1369],
    ['claude-haiku-4-5', 4032, 3024, 1597],
    ['claude-sonnet-4-6', 1920, 1080, 1561],
    ['claude-opus-5-5', 1920, 1080, 2691],
    ['claude-opus-5-5', 4032, 3024, 3928],
    ['gemini-3.5-flash-lite', 4032, 3024, 1120],
    ['gemini-2.5-flash', 300, 300, 258],
    ['gemini-2.5-flash', 960, 540, 6 * 258],
  ])('%s makes of %i × %i: %i', (model, width, height, tokens) => {
    expect(bound(model, width, height)).toBeGreaterThanOrEqual(tokens);
    expect(bound(model, width, height)).toBeLessThanOrEqual(Math.max(2240, 2 * tokens));
  });

  it('are the same, however large it is, where nobody knows the model', () => {
    expect(bound('grok-4.7', 10, 10)).toBe(UNKNOWN_PICTURE_TOKENS);
    expect(ofUnknownSize('something-new')).toBe(UNKNOWN_PICTURE_TOKENS);
  });
});

describe('the tokens of any picture', () => {
  it('are no more than those of one whose size is not known, and no less than none', () =>
    fc.assert(
      fc.property(models, side, side, detail, (model, width, height, how) => {
        const known = bound(model, width, height, how);
        expect(Number.isInteger(known) && known > 0).toBe(true);
        expect(known).toBeLessThanOrEqual(ofUnknownSize(model, how));
      }),
      { numRuns: 1000 },
    ));

  it('are as many when it is turned', () =>
    fc.assert(
      fc.property(models, side, side, detail, (model, width, height, how) => {
        expect(bound(model, width, height, how)).toBe(bound(model, height, width, how));
      }),
    ));

  it('are the most of the family where a header is broken', () => {
    const broken = picture(10, 10).slice(0, 40);
    expect(pictureTokens(ruleOf('gpt-4o'), broken, 'high').most).toBe(ofUnknownSize('gpt-4o', 'high'));
    expect(ofUnknownSize('gpt-4o')).toBe(85 + 8 * 170);
    expect(ofUnknownSize('gpt-4.1-mini')).toBe(Math.ceil(1536 * 1.62));
    expect(ofUnknownSize('gpt-6-luna', 'high')).toBe(3000);
    // Read as large as they are: only the model's context bounds them.
    expect(ofUnknownSize('gpt-6-luna')).toBe(Infinity);
    expect(pictureTokens(ruleOf('gpt-4o'), undefined, undefined).most).toBe(85 + 8 * 170);
  });
});

describe('the least tokens of a picture', () => {
  it('are never more than is billed, however sides are rounded, nor than the most', () =>
    fc.assert(
      fc.property(models, side, side, detail, rounding, fc.constantFrom(Math.floor, Math.round), (model, ...rest) => {
        const [width, height, how, round, roundLast] = rest;
        expect(least(model, width, height, how)).toBeLessThanOrEqual(bound(model, width, height, how));
        const tiles = tilesInSteps(width, height, round, roundLast);
        expect(least('gpt-4o', width, height, how)).toBeLessThanOrEqual(85 + 170 * tiles);
        const patches = patchesInSteps(width, height, 1536);
        expect(least('gpt-4.1-mini', width, height, how)).toBeLessThanOrEqual(Math.ceil(patches * 1.62));
      }),
      { numRuns: 3000 },
    ));

  it.each<[string, number, number, string | undefined]>([
    ['gpt-4o', 4032, 3024, undefined],
    ['gpt-4o', 1024, 1024, 'high'],
    ['gpt-4o', 300, 300, 'high'],
    ['gpt-4o-mini', 1920, 1080, undefined],
    ['gpt-4o', 1024, 1024, 'low'],
    ['o3', 1654, 2339, undefined],
  ])('are the most where all is known: %s, %i × %i, %s', (model, width, height, how) =>
    expect(least(model, width, height, how)).toBe(bound(model, width, height, how)),
  );

  // What was measured, or what is the least of all pictures.
  it.each<[string, number, number, number, number]>([
    ['gpt-4.1-mini', 1024, 1024, 1658, 1658],
    ['gpt-4.1-mini', 4032, 3024, 2300, 2489],
    ['gpt-6-luna', 1024, 1024, 1228, 1229],
    ['claude-haiku-4-5', 1024, 1024, 800, 1369],
    ['claude-haiku-4-5', 29, 29, 1, 4],
    ['claude-opus-5-5', 4032, 3024, 2300, 3928],
    ['gemini-3.5-flash-lite', 4032, 3024, 280, 280],
    ['gemini-2.5-pro', 300, 300, 64, 258],
    ['grok-4.7', 1024, 1024, 0, 0],
    ['simulated-chat', 1024, 1024, 85, 85],
  ])('%s makes of %i × %i: from %i to %i', (model, width, height, from, to) => {
    expect(least(model, width, height)).toBeGreaterThanOrEqual(from);
    expect(least(model, width, height)).toBeLessThanOrEqual(to);
  });

  it('are those of the smallest where nothing tells its size', () => {
    expect(pictureTokens(ruleOf('gpt-4o'), 'https://example.com/a.png', 'high').least).toBe(85);
    expect(pictureTokens(ruleOf('gpt-4.1-mini'), undefined, undefined).least).toBe(1);
    expect(pictureTokens(ruleOf('claude-opus-5-5'), undefined, undefined).least).toBe(0);
  });
});

const seconds = (bytes: Buffer, perSecond: number): number =>
  soundTokens({ tokensPerSecond: perSecond, atPriceOfText: true }, bytes.toString('base64')) / perSecond;

describe('the tokens of sound', () => {
  it.each([
    [8000, 8, 7],
    [8000, 8, 6],
    [16_000, 16, 1],
    [24_000, 16, 1],
    [48_000, 32, 3],
  ])('are those of its seconds: a WAV of %i samples of %i bits, format %i', (samplesPerSecond, bits, format) => {
    const sound = wav({ samplesPerSecond, bits, seconds: 7, format });
    expect(seconds(sound, 32)).toBeGreaterThanOrEqual(7);
    expect(seconds(sound, 32)).toBeLessThan(7.2);
    expect(seconds(sound, 10)).toBeLessThan(7.3);
    expect(seconds(sound, 12.5)).toBeGreaterThanOrEqual(7);
  });

  it('are those of the slowest that the header tells, where it tells two things', () => {
    const sound = wav({ samplesPerSecond: 8000, bits: 16, seconds: 5 });
    const bytesPerSecondAt = sound.indexOf('fmt ') + 16;
    sound.writeUInt32LE(1_000_000, bytesPerSecondAt);
    expect(seconds(sound, 32)).toBeGreaterThanOrEqual(5);
    sound.writeUInt32LE(1600, bytesPerSecondAt);
    expect(seconds(sound, 32)).toBeGreaterThanOrEqual(50);
  });

  it('are those of the lowest bitrate that any frame may have: of an MP3', () => {
    const lowest = (bytes: Buffer): number => bytes.length / 1000;
    const mixed = Buffer.concat([mp3(1), mp3(100, 2)]);
    const tagged = Buffer.concat([Buffer.from('ID3\x03\0\0\0\0\0\0'), mp3(100)]);
    for (const sound of [mp3(100), mp3(100, 2), mixed, tagged]) {
      expect(seconds(sound, 32)).toBeGreaterThanOrEqual(lowest(sound));
      expect(seconds(sound, 32)).toBeLessThan(lowest(sound) + 0.1);
    }
  });

  it.each<[string, Buffer | undefined]>([
    ['nothing', undefined],
    ['silence, well compressed', Buffer.from('fLaC\0\0\0\x22')],
    ['Ogg', Buffer.from('OggS\0\x02')],
    ['a WAV that is compressed', wav({ samplesPerSecond: 8000, bits: 8, seconds: 1, format: 2 })],
    ['a WAV that stands still', wav({ samplesPerSecond: 0, bits: 8, seconds: 1 })],
    ['half a header', wav({ samplesPerSecond: 8000, bits: 8, seconds: 1 }).subarray(0, 40)],
  ])('are bounded by nothing but the context where there is %s', (_what, bytes) =>
    expect(soundTokens(like('gemini-2.5-pro').sound, bytes?.toString('base64'))).toBe(Infinity),
  );

  it('are a number whatever there is', () =>
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom('', 'RIFF\0\0\0\0WAVEfmt ', 'ID3', '\xff\xfb'),
        (bytes, head) => {
          const data = Buffer.concat([Buffer.from(head, 'latin1'), bytes]).toString('base64');
          expect(soundTokens(undefined, data)).toBeGreaterThan(0);
        },
      ),
    ));
});
