import { pictureSize, type PictureSize } from './picture-size.ts';
import { soundSeconds } from './sound-length.ts';

/** The most tokens that a provider makes of a picture; without a size, of any picture. */
type Rule = (size: PictureSize | undefined, detail: unknown) => number;

/** The most and the least that a provider makes of a picture; of the least no more is told than is surely billed. */
type Picture = { readonly most: Rule; readonly least: Rule };

/** What a provider makes of media. */
type Family = {
  /** Of the upstream's name of a model, without a path or `ft:` before it. */
  readonly models: RegExp;
  readonly picture: Picture;
  readonly soundTokensPerSecond?: number;
};

const squares = ({ width, height }: PictureSize, edge: number): number =>
  Math.ceil(width / edge) * Math.ceil(height / edge);

/**
 * OpenAI, tiles: the picture is made to fit 2048 × 2048, then its shortest side to be 768 at most; each 512 × 512 of it
 * costs. It is never enlarged. However sides may be rounded to whole pixels on the way, it is not more.
 * https://developers.openai.com/api/docs/guides/images-vision#calculating-costs
 */
const tiles = (base: number, perTile: number): Picture => ({
  most: (size, detail) => (detail === 'low' ? base : base + perTile * (size ? tilesOf(size) : MOST_TILES)),
  // Where no detail is asked for, a picture of one tile may be read as at the lowest.
  least: (size, detail) => {
    const low = detail === 'low' || (detail !== 'high' && size && Math.max(size.width, size.height) <= 512);
    return low || !size ? base : base + perTile * leastTilesOf(size);
  },
});

const MOST_TILES = 8;

const tilesOf = ({ width, height }: PictureSize): number => {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const fitted = long > 2048 ? { short: (short * 2048) / long, long: 2048 } : { short, long };
  if (fitted.short <= 768) return squares({ width: fitted.short, height: fitted.long }, 512);
  // In floating point a whole number of pixels may come out a little less, be rounded down, and need one tile more.
  const shortest = Math.min(fitted.short, short * (fitted.long / long));
  return Math.min(MOST_TILES, 2 * Math.ceil((fitted.long * 768) / shortest / 512));
};

/** The same, where a pixel is lost each time that sides are made whole. */
const leastTilesOf = ({ width, height }: PictureSize): number => {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const fit = 2048 / long;
  const fitted = fit < 1 ? { short: Math.max(1, short * fit - 1), long: 2047 } : { short, long };
  if (fitted.short <= 768) return squares({ width: fitted.short, height: fitted.long }, 512);
  return 2 * Math.ceil(((fitted.long * 768) / (fitted.short + 2) - 1) / 512);
};

/**
 * OpenAI, patches: each 32 × 32 of the picture costs, times the model's multiplier; one that has more than the budget is
 * made smaller until it fits. `detail: "low"` does not make it cheaper.
 * https://developers.openai.com/api/docs/guides/images-vision#calculating-costs
 */
const patches = (multiplier: number, budget: (detail: unknown) => number): Picture => ({
  most: (size, detail) => Math.ceil(Math.min(size ? squares(size, 32) : Infinity, budget(detail)) * multiplier),
  // Who asks for little may be billed less than is documented.
  least: (size, detail) => Math.floor((size && detail !== 'low' ? leastPatchesOf(size) : 1) * multiplier),
});

const budgetOf1536 = (): number => 1536;

/** By the smallest of the budgets; a picture that exceeds it is made smaller to whole patches, which may lose a row. */
const leastPatchesOf = (size: PictureSize): number => {
  const count = squares(size, 32);
  if (count <= budgetOf1536()) return count;
  const { width, height } = size;
  const shrink = Math.sqrt(budgetOf1536() / (width * height));
  const kept = [width * shrink, height * shrink].map((side) => Math.max(1, Math.floor(side)) / side);
  return Math.floor(budgetOf1536() * Math.min(1, ...kept) ** 2);
};

/** From GPT-5.2 on more is read, where nothing is said or `original`; GPT-6 then reads any picture as large as it is. */
const larger =
  (otherwise: number) =>
  (detail: unknown): number =>
    detail === 'low' || detail === 'high' ? 2500 : otherwise;

/**
 * Anthropic: each 28 × 28 costs (as each 750 pixels did), up to a budget of 1,600, or of 4,784 since Opus 4.7. What was
 * measured is a little more than what is documented, so a twentieth is added.
 * https://platform.claude.com/docs/en/build-with-claude/vision
 */
const claude = (budget: number): Picture => ({
  most: (size) => {
    const pixels = size ? Math.max(squares(size, 28), (size.width * size.height) / 750) : Infinity;
    return Math.ceil(Math.min(pixels, budget) * 1.05);
  },
  // One that is made smaller, to 1568 on its longest side or to the budget, was seen to be billed more than half of that.
  least: (size) => {
    if (!size) return 0;
    const fit = Math.min(1, 1568 / Math.max(size.width, size.height));
    return Math.floor(Math.min((size.width * size.height * fit ** 2) / 784, budget / 2));
  },
});

/**
 * Google, up to Gemini 2.5: 258 for each tile. A tile's edge is the shortest side / 1.5, from 256 to 768; pictures larger
 * than 3072 are made smaller, so that no shape has more than 24 tiles. https://ai.google.dev/gemini-api/docs/tokens
 */
const geminiTiles: Picture = {
  most: (size) => {
    const edge = size && Math.min(768, Math.max(256, Math.floor(Math.min(size.width, size.height) / 1.5)));
    return 258 * Math.min(24, size && edge ? squares(size, edge) : Infinity);
  },
  least: () => 64, // At the lowest `media_resolution`.
};

/**
 * Since Gemini 3 it is a number by `media_resolution`, whatever the size: 2,240 at the highest, and 280 at
 * the lowest. https://ai.google.dev/gemini-api/docs/media-resolution
 */
const geminiFixed: Picture = { most: () => 2240, least: () => 280 };

/** A name without a number, such as `gemini-flash-latest`, may mean either. */
const anyGemini: Picture = {
  most: (...asked) => Math.max(geminiTiles.most(...asked), geminiFixed.most(...asked)),
  least: (...asked) => Math.min(geminiTiles.least(...asked), geminiFixed.least(...asked)),
};

/**
 * Of a family that nobody here knows. As much as the largest known to us, which is Qwen's: 16,384 patches of 28 × 28
 * (https://huggingface.co/Qwen/Qwen2-VL-7B-Instruct); Llama's and Mistral's models take less than half of it.
 */
export const UNKNOWN_PICTURE_TOKENS = 16_384;
const unknown: Picture = { most: () => UNKNOWN_PICTURE_TOKENS, least: () => 0 };

/** OpenAI counts ten a second, Google 32 (https://ai.google.dev/gemini-api/docs/tokens), Mistral 12.5. */
const UNKNOWN_SOUND_TOKENS_PER_SECOND = 50;

/** The first that matches counts. Where OpenAI documents more than it was seen to bill, what it documents counts. */
const families: readonly Family[] = [
  { models: /^gpt-4o-mini/, picture: tiles(2833, 5667), soundTokensPerSecond: 10 },
  { models: /^gpt-4\.1-mini/, picture: patches(1.62, budgetOf1536) },
  { models: /^gpt-4\.1-nano/, picture: patches(2.46, budgetOf1536) },
  { models: /^(?:o4-mini|codex-mini)/, picture: patches(1.72, budgetOf1536) },
  {
    models: /^(?:chatgpt-4o|gpt-4o|gpt-4\.1|gpt-4\.5|gpt-4-turbo)/,
    picture: tiles(85, 170),
    soundTokensPerSecond: 10,
  },
  { models: /^simulated/, picture: { ...tiles(85, 170), least: () => 85 }, soundTokensPerSecond: 10 },
  { models: /^(?:o1|o3)(?!-mini)\b/, picture: tiles(75, 150) },
  { models: /^gpt-5(?:\.1)?(?:-codex)?-mini/, picture: patches(1.62, budgetOf1536) },
  { models: /^gpt-5(?:\.1)?-nano/, picture: patches(2.46, budgetOf1536) },
  { models: /^gpt-5(?:\.1)?(?![.\d])/, picture: tiles(70, 140) },
  { models: /^gpt-5\.\d.*-mini/, picture: patches(1.62, larger(10_000)) },
  { models: /^gpt-5\.\d.*-nano/, picture: patches(2.46, larger(10_000)) },
  { models: /^gpt-5\.\d/, picture: patches(1.2, larger(10_000)) },
  { models: /^gpt-6/, picture: patches(1.2, larger(Infinity)) },
  { models: /^claude-(?:3|haiku-4-5|(?:sonnet|opus)-4-[0-6](?!\d))/, picture: claude(1600) },
  { models: /^claude/, picture: claude(4784) },
  { models: /^gemini-(?:1|2)\./, picture: geminiTiles, soundTokensPerSecond: 32 },
  { models: /^gemini-[3-9]/, picture: geminiFixed, soundTokensPerSecond: 32 },
  { models: /^gemini/, picture: anyGemini, soundTokensPerSecond: 32 },
];

const familyOf = (upstreamModel: string): Omit<Family, 'models'> => {
  const name = upstreamModel.replace(/^(?:.*\/|ft:)/, '');
  return families.find(({ models }) => models.test(name)) ?? { picture: unknown };
};

/**
 * The most tokens that a model is billed for a picture, infinite where only what the model can read bounds it; and the
 * least, by which a request is charged of which no usage was reported.
 */
export const pictureTokens = (
  upstreamModel: string,
  url: string | undefined,
  detail: unknown,
): { readonly most: number; readonly least: number } => {
  const { picture } = familyOf(upstreamModel);
  const size = url === undefined ? undefined : pictureSize(url);
  return { most: picture.most(size, detail), least: picture.least(size, detail) };
};

/** The most for sound, in base64. */
export const soundTokensBound = (upstreamModel: string, base64: string | undefined): number => {
  const { soundTokensPerSecond = UNKNOWN_SOUND_TOKENS_PER_SECOND } = familyOf(upstreamModel);
  const seconds = base64 === undefined ? undefined : soundSeconds(base64);
  return seconds === undefined ? Infinity : Math.ceil(seconds * soundTokensPerSecond) + 1;
};
