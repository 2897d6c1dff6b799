/** Google's finish reasons in OpenAI's words: https://ai.google.dev/api/generate-content#FinishReason */
const words: Readonly<Record<string, string>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  CONTINUATION: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  IMAGE_RECITATION: 'content_filter',
  IMAGE_OTHER: 'content_filter',
};

/** A choice that has not finished has no reason, or this one. */
const NOT_FINISHED = 'FINISH_REASON_UNSPECIFIED';

export type Finish =
  | { readonly kind: 'open' }
  | { readonly kind: 'finished'; readonly reason: string; readonly native: string }
  /** The model or the provider failed, such as MALFORMED_FUNCTION_CALL, OTHER and reasons that are new. */
  | { readonly kind: 'failed'; readonly native: string };

export const finishOf = (native: unknown, hasCalls: boolean): Finish => {
  if (typeof native !== 'string' || native === '' || native === NOT_FINISHED) return { kind: 'open' };
  const reason = Object.hasOwn(words, native) ? words[native] : undefined;
  if (reason === undefined) return { kind: 'failed', native };
  return { kind: 'finished', reason: reason === 'stop' && hasCalls ? 'tool_calls' : reason, native };
};
