import type { PictureRule } from '../metering/model-facts.ts';
import { pictureSize, type PictureSize } from './picture-size.ts';

/** The most and the least tokens that a provider bills for a picture. The least is what is certainly billed. */
type Bounds = { readonly most: number; readonly least: number };

/**
 * A family without a rule counts as the largest that is known, Qwen's: 16,384 patches of 28 × 28
 * (https://huggingface.co/Qwen/Qwen2-VL-7B-Instruct). Llama's and Mistral's models use less than half of it.
 */
export const UNKNOWN_PICTURE_TOKENS = 16_384;

/**
 * Bounds the tokens of a picture; `most` is infinite if only the model's context bounds it. A picture without inline data
 * has no size, and counts as the largest of its family.
 */
export const pictureTokens = (rule: PictureRule | undefined, url: string | undefined, detail: unknown): Bounds => {
  const size = url === undefined ? undefined : pictureSize(url);
  switch (rule?.rule) {
    case 'tiles':
      return inTiles(rule, size, detail);
    case 'patches':
      return inPatches(rule, size, detail);
    case 'pixels':
      return inPixels(rule, size);
    case 'cropped_tiles':
      return { most: rule.perTile * Math.min(rule.maxTiles, size ? croppedTiles(size) : Infinity), least: rule.least };
    case 'fixed':
      return { most: rule.most, least: rule.least };
    case undefined:
      return { most: UNKNOWN_PICTURE_TOKENS, least: 0 };
  }
};

type Rule<Name extends PictureRule['rule']> = Extract<PictureRule, { readonly rule: Name }>;

const squares = ({ width, height }: PictureSize, edge: number): number =>
  Math.ceil(width / edge) * Math.ceil(height / edge);

/**
 * OpenAI, tiles: the picture is fitted into 2048 × 2048, then its shortest side is reduced to 768; each 512 × 512 is billed.
 * It is never enlarged. The bound holds however a provider rounds sides to whole pixels.
 * https://developers.openai.com/api/docs/guides/images-vision#calculating-costs
 */
const inTiles = ({ base, perTile, least }: Rule<'tiles'>, size: PictureSize | undefined, detail: unknown): Bounds => {
  const most = detail === 'low' ? base : base + perTile * (size ? tilesOf(size) : MOST_TILES);
  if (least !== undefined) return { most, least };
  // Without a detail, a picture of one tile may be read as at the lowest.
  const low = detail === 'low' || (detail !== 'high' && size && Math.max(size.width, size.height) <= 512);
  return { most, least: low || !size ? base : base + perTile * leastTilesOf(size) };
};

const MOST_TILES = 8;

const tilesOf = ({ width, height }: PictureSize): number => {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const fitted = long > 2048 ? { short: (short * 2048) / long, long: 2048 } : { short, long };
  if (fitted.short <= 768) return squares({ width: fitted.short, height: fitted.long }, 512);
  // In floating point a whole number of pixels may come out a little less, be rounded down, and need one tile more.
  const shortest = Math.min(fitted.short, short * (fitted.long / long));
  return Math.min(MOST_TILES, 2 * Math.ceil((fitted.long * 768) / shortest / 512));
};

/** The same if a pixel is lost each time that sides are rounded. */
const leastTilesOf = ({ width, height }: PictureSize): number => {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const fit = 2048 / long;
  const fitted = fit < 1 ? { short: Math.max(1, short * fit - 1), long: 2047 } : { short, long };
  if (fitted.short <= 768) return squares({ width: fitted.short, height: fitted.long }, 512);
  return 2 * Math.ceil(((fitted.long * 768) / (fitted.short + 2) - 1) / 512);
};

/**
 * OpenAI, patches: each 32 × 32 is billed, times the model's multiplier; a picture beyond the budget is reduced until it
 * fits. `detail: "low"` does not make it cheaper, though less than documented may be billed for it.
 * https://developers.openai.com/api/docs/guides/images-vision#calculating-costs
 */
const inPatches = (rule: Rule<'patches'>, size: PictureSize | undefined, detail: unknown): Bounds => {
  const { multiplier, budget, detailBudget } = rule;
  const named = detail === 'low' || detail === 'high' ? (detailBudget ?? budget) : budget;
  const patches = Math.min(size ? squares(size, 32) : Infinity, named ?? Infinity);
  const least = size && detail !== 'low' ? leastPatchesOf(size) : 1;
  return { most: Math.ceil(patches * multiplier), least: Math.floor(least * multiplier) };
};

const SMALLEST_BUDGET = 1536;

/** By the smallest budget of all models. A larger picture is reduced to whole patches, and may lose a row. */
const leastPatchesOf = (size: PictureSize): number => {
  const count = squares(size, 32);
  if (count <= SMALLEST_BUDGET) return count;
  const { width, height } = size;
  const shrink = Math.sqrt(SMALLEST_BUDGET / (width * height));
  const kept = [width * shrink, height * shrink].map((side) => Math.max(1, Math.floor(side)) / side);
  return Math.floor(SMALLEST_BUDGET * Math.min(1, ...kept) ** 2);
};

/**
 * Anthropic: each 28 × 28 is billed (formerly each 750 pixels), up to a budget. Measurements were a little above the
 * documentation, so a twentieth is added. Reduced pictures (to 1568 on the longest side, or to the budget) were billed more
 * than half of it. https://platform.claude.com/docs/en/build-with-claude/vision
 */
const inPixels = ({ budget }: Rule<'pixels'>, size: PictureSize | undefined): Bounds => {
  if (!size) return { most: Math.ceil(budget * 1.05), least: 0 };
  const area = size.width * size.height;
  const fit = Math.min(1, 1568 / Math.max(size.width, size.height));
  return {
    most: Math.ceil(Math.min(Math.max(squares(size, 28), area / 750), budget) * 1.05),
    least: Math.floor(Math.min((area * fit ** 2) / 784, budget / 2)),
  };
};

/**
 * Google, up to Gemini 2.5: the edge of a tile is the shortest side / 1.5, from 256 to 768; pictures larger than 3072 are
 * reduced, so no shape has more than 24 tiles. https://ai.google.dev/gemini-api/docs/tokens
 */
const croppedTiles = (size: PictureSize): number => {
  const edge = Math.min(768, Math.max(256, Math.floor(Math.min(size.width, size.height) / 1.5)));
  return squares(size, edge);
};
