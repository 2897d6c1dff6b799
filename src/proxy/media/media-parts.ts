import { unsupported, type BadRequest, type Job } from '../formats/format.ts';
import type { ModelFacts } from '../metering/model-facts.ts';
import { pictureTokens } from './picture-tokens.ts';
import { soundSeconds } from './sound-length.ts';

/** No provider accepts more than a few hundred. Without a bound, a request full of pictures would delay others. */
const PICTURES_READ = 1000;

/**
 * The media of a request: the most tokens that a model bills for them, the least that it certainly bills, and how many
 * bytes they have in the body.
 */
export type Media = { readonly tokens: number; readonly least: number; readonly bytes: number };

/**
 * Bounds the media of a request. Pictures and sound count by the model's rule. Files and unknown parts count as all
 * that the model can read: a page of a PDF has few bytes and is read as a picture, and its text is compressed. Only
 * pictures have a lower bound, because only the maximum length of sound is known.
 */
export const mediaOf = (job: Job, { pictures: rule, sound }: Pick<ModelFacts, 'pictures' | 'sound'>): Media => {
  let [tokens, least, bytes, pictures] = [0, 0, 0, 0];
  for (const part of job.media()) {
    switch (part.kind) {
      case 'picture': {
        const read = ++pictures <= PICTURES_READ ? part.url : undefined;
        const billed = pictureTokens(rule, read, part.detail);
        tokens += billed.most;
        least += billed.least;
        // URLs and base64 are ASCII, so their length in characters is their length in bytes.
        bytes += part.url?.length ?? 0;
        break;
      }
      case 'sound':
        tokens += soundTokens(sound, part.base64);
        bytes += part.base64?.length ?? 0;
        break;
      case 'other':
        tokens = Infinity;
        bytes += part.bytes;
        break;
      case 'stored_file':
        break;
    }
  }
  return { tokens, least, bytes };
};

/** OpenAI counts ten a second, Google 32 (https://ai.google.dev/gemini-api/docs/tokens), Mistral 12.5. */
const UNKNOWN_SOUND_TOKENS_PER_SECOND = 50;

/** The most tokens of sound; infinite if its bytes do not bound its length. */
export const soundTokens = (sound: ModelFacts['sound'], base64: string | undefined): number => {
  const perSecond = sound?.tokensPerSecond ?? UNKNOWN_SOUND_TOKENS_PER_SECOND;
  const seconds = base64 === undefined ? undefined : soundSeconds(base64);
  return seconds === undefined ? Infinity : Math.ceil(seconds * perSecond) + 1;
};

/**
 * Refuses sound that costs more than text (Gemini Flash bills three times the price), and files that are not in the
 * request.
 */
export const unsoldMedia = (job: Job, { sound }: Pick<ModelFacts, 'sound'>): BadRequest | undefined => {
  for (const { kind } of job.media()) {
    if (kind === 'sound' && sound?.atPriceOfText !== true) {
      return unsupported(
        'messages.content.input_audio',
        'is not sold with this model, for its price is not that of text.',
      );
    }
    if (kind === 'stored_file') {
      const why = 'files cannot be kept at a provider from here; send it as file_data.';
      return unsupported('messages.content.file.file_id', why);
    }
  }
  return undefined;
};
