import type { UpstreamResponse } from './upstream.ts';

const EVENT_STREAM = 'text/event-stream';

/** Media types are the same in any case, and may have parameters. */
export const isEventStream = ({ contentType }: UpstreamResponse): boolean =>
  /^\s*text\/event-stream\b/i.test(contentType);

/** What a line of an event stream begins with. No JSON does. */
const fields = ['data:', 'event:', 'id:', 'retry:', ':'];

/** So much of blank lines may come before either; whoever sends more of them makes no stream. */
const BLANK_AT_MOST = 64 * 1024;

/** Undefined where that cannot be told as yet. */
const beginsAsStream = (begun: string): boolean | undefined => {
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
  let bytes = 0;
  // It leaves out a byte order mark, also where that came in pieces.
  const decoder = new TextDecoder();
  let told = '';
  let streams: boolean | undefined;
  let failed: { readonly error: unknown } | undefined;
  while (streams === undefined && !failed && bytes <= BLANK_AT_MOST) {
    try {
      const next = await pieces.next();
      if (next.done) break;
      begun.push(next.value);
      bytes += next.value.length;
      told = (told + decoder.decode(next.value, { stream: true })).trimStart();
      streams = beginsAsStream(told);
    } catch (error) {
      failed = { error };
    }
  }
  const body: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => body,
    next: () => {
      if (begun.length > 0) return Promise.resolve({ done: false, value: Buffer.concat(begun.splice(0)) });
      return failed ? Promise.reject(failed.error as Error) : pieces.next();
    },
    return: () => pieces.return?.() ?? Promise.resolve({ done: true, value: undefined }),
  };
  return { ...response, ...(streams ? { contentType: EVENT_STREAM } : {}), body };
};
