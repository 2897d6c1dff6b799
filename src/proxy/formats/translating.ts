import { field } from '../json/untyped-json.ts';
import type { ImageSource } from './conversation.ts';
import { unsupported, type BadRequest } from './format.ts';

/** Refusal, thrown within a translation: part of the request has no counterpart in the other dialect. */
class CannotTranslate extends Error {
  override readonly name = 'CannotTranslate';
  readonly code = 'cannot_translate';
  readonly why: BadRequest;

  constructor(why: BadRequest) {
    super(why.message);
    this.why = why;
  }
}

/** Runs a translation. Returns the refusal if a part of the request cannot be carried over. */
export const translating = <Value>(translate: () => Value): Value | BadRequest => {
  try {
    return translate();
  } catch (error) {
    if (error instanceof CannotTranslate) return error.why;
    throw error;
  }
};

/** Ends a translation. `param` is the path of the field in the customer's request. */
export const refuse = (param: string, why: string): never => {
  throw new CannotTranslate(unsupported(param, why));
};

export const cannotTranslate = (param: string): never =>
  refuse(param, 'cannot be carried over to the provider of this model. Leave it out, or use another model.');

export const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** Whether a part ends with a breakpoint of a prompt cache, in Anthropic's words, which OpenRouter took over. */
export const isCached = (part: unknown): { readonly cached?: true } =>
  field(field(part, 'cache_control'), 'type') === 'ephemeral' ? { cached: true } : {};

const dataUrl = /^data:([^;,]+);base64,(.*)$/s;

/** A picture from a URL, which may hold its data. */
export const imageSourceOf = (url: string): ImageSource => {
  const [, mediaType, data] = dataUrl.exec(url.trim()) ?? [];
  return mediaType !== undefined && data !== undefined ? { kind: 'base64', mediaType, data } : { kind: 'url', url };
};

/** The reverse of `imageSourceOf`. */
export const urlOf = (source: ImageSource): string =>
  source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
