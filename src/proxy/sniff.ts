import type { UpstreamResponse } from './upstream.ts';

const EVENT_STREAM = 'text/event-stream';

/** Media types are the same in any case, and may have parameters. */
export const isEventStream = ({ contentType }: UpstreamResponse): boolean =>
  /^\s*text\/event-stream\b/i.test(contentType);

/** What a line of an event stream begins with. No JSON does. */
const fields = ['data:', 'event:', 'id:', 'retry:', ':'];

/** Undefined where that cannot be told as yet. Blank lines may come before either. */
const beginsAsStream = (text: string): boolean | undefined => {
  const begun = text.replace(/^[\uFEFF\s]+/, '');
  if (fields.some((field) => begun.startsWith(field))) return true;
  return fields.some((field) => field.startsWith(begun)) ? undefined : false;
};

/**
 * The response to who was asked for a stream, with the media type that it should have: some send a good stream under that
 * of JSON, or under none. Waits for the first bytes where the type says no stream; they are handed out all the same.
 */
export const sniffed = async (response: UpstreamResponse): Promise<UpstreamResponse> => {
  if (isEventStream(response)) return response;
  const pieces = response.body[Symbol.asyncIterator]();
  const begun: Uint8Array[] = [];
  let streams: boolean | undefined;
  let failed: { readonly error: unknown } | undefined;
  while (streams === undefined && !failed) {
    try {
      const next = await pieces.next();
      if (next.done) break;
      begun.push(next.value);
      streams = beginsAsStream(Buffer.concat(begun).toString());
    } catch (error) {
      failed = { error };
    }
  }
  const body: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => body,
    next: () => {
      const value = begun.shift();
      if (value) return Promise.resolve({ done: false, value });
      return failed ? Promise.reject(failed.error as Error) : pieces.next();
    },
    return: () => pieces.return?.() ?? Promise.resolve({ done: true, value: undefined }),
  };
  return { ...response, ...(streams ? { contentType: EVENT_STREAM } : {}), body };
};
