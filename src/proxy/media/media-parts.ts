import type { PriceVersion } from '../../domain/prices/price-book.ts';
import { asList, field } from '../json/untyped-json.ts';
import { pictureTokens, soundTokensBound } from './media-bounds.ts';
import type { BadRequest, CompletionRequest } from '../formats/request.ts';

/** Parts of a message that are text, which its bytes bound. */
const textTypes: readonly unknown[] = ['text', 'refusal', 'thinking', 'input_text', 'output_text'];

/** No provider takes more than some hundreds, so that a request that is full of them does not keep others waiting. */
const PICTURES_READ = 1000;

/** Some providers take a PDF or a video where a picture is asked for. */
const otherData = /^\s*data:(?!image\/)/i;

/**
 * What is no text in a request: the most tokens that a model is billed for it, what is surely billed at least, and how many
 * bytes it is.
 */
export type Media = { readonly tokens: number; readonly least: number; readonly bytes: number };

/**
 * Of a picture and of sound, by the provider's rule; of a file, and of whatever nobody here knows, all that the model can
 * read: a page of a PDF is written in some bytes and read as a picture, and its text is compressed. At least, what is known
 * of pictures: how long sound is, is known at most.
 */
export const mediaIn = ({ fields }: CompletionRequest, upstreamModel: string): Media => {
  let [tokens, least, bytes, pictures] = [0, 0, 0, 0];
  for (const part of partsOf(fields)) {
    const type = field(part, 'type');
    if (type === 'image_url') {
      const picture = field(part, 'image_url');
      const url = stringOf(field(picture, 'url') ?? picture);
      const read = ++pictures <= PICTURES_READ ? url : undefined;
      if (url !== undefined && otherData.test(url)) {
        tokens = Infinity;
      } else {
        const billed = pictureTokens(upstreamModel, read, field(picture, 'detail'));
        tokens += billed.most;
        least += billed.least;
      }
      // URLs and base64 are plain ASCII, so their length in characters is their length in bytes.
      bytes += url?.length ?? 0;
    } else if (type === 'input_audio') {
      const data = stringOf(field(field(part, 'input_audio'), 'data'));
      tokens += soundTokensBound(upstreamModel, data);
      bytes += data?.length ?? 0;
    } else if (!isText(part, type)) {
      tokens = Infinity;
    }
  }
  return { tokens, least, bytes };
};

const isText = (part: unknown, type: unknown): boolean => {
  if (typeof part !== 'object' || part === null) return true;
  return textTypes.includes(type) || (type === undefined && Object.keys(part).every((name) => name === 'text'));
};

/** Models that hear at the price of text. The price book has no other, and most are dearer: Gemini Flash by three times. */
const hearsAtPriceOfText = /^(?:.*\/)?(?:gemini-2\.5-pro|simulated)/;

/** Refuses what is not sold: sound that costs more than text, and files that were not sent with the request. */
export const unsoldMedia = (
  { fields }: CompletionRequest,
  { upstreamModel }: Pick<PriceVersion, 'upstreamModel'>,
): BadRequest | undefined => {
  for (const part of partsOf(fields)) {
    const type = field(part, 'type');
    if (type === 'input_audio' && !hearsAtPriceOfText.test(upstreamModel)) {
      return unsold('input_audio', 'is not sold with this model, for its price is not that of text.');
    }
    // The provider keeps files of all customers under one key, and nobody here knows whose they are.
    if (stringOf(field(field(part, 'file') ?? part, 'file_id')) !== undefined) {
      return unsold('file.file_id', 'files cannot be kept at a provider from here; send it as file_data.');
    }
  }
  return undefined;
};

const unsold = (name: string, why: string): BadRequest => {
  const param = `messages.content.${name}`;
  return { code: 'unsupported_parameter', message: `${param}: ${why}`, param };
};

const partsOf = function* (fields: CompletionRequest['fields']): Generator<unknown> {
  for (const message of asList(fields['messages'])) yield* asList(field(message, 'content'));
};

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
