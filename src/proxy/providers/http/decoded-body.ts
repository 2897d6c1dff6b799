import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { ProviderFailed } from '../provider.ts';

type Pieces = AsyncIterable<Uint8Array>;

/** Limits of the decoded size: a constant, plus a multiple of the compressed size. A larger body is an attack. */
const DECODED_AT_LEAST = 64 * 1024 * 1024;
const DECODED_PER_BYTE = 200;
const MAX_CODINGS = 4;

/**
 * Decodes the content codings of a body (RFC 9110, 8.4). The gateway requests none, but some servers and the proxies
 * before them compress anyway. Decoded data is passed on at once, so that a stream remains a stream. Reading rejects
 * with ProviderFailed if the coding is unknown, the data is invalid, or the decoded size exceeds the limit.
 */
export const decodedBody = (body: AsyncIterableIterator<Uint8Array>, contentEncoding: string): Pieces => {
  const codings = codingsOf(contentEncoding);
  if (codings.length === 0) return body;
  const unknown = codings.find((coding) => !decoders.has(coding));
  if (unknown !== undefined || codings.length > MAX_CODINGS) return undecodable(body);
  let received = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      received += piece.length;
      yield piece;
    }
  };
  const mayBe = (): number => DECODED_AT_LEAST + DECODED_PER_BYTE * received;
  // Codings are listed in the order in which they were applied.
  const pieces = codings.toReversed().reduce<AsyncGenerator<Uint8Array>>((encoded, coding) => {
    const create = decoders.get(coding);
    return create ? decode(encoded, create, mayBe) : encoded;
  }, counted());
  const decoded: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => decoded,
    next: () => pieces.next(),
    return: async () => {
      // The connection is closed first: a generator cannot return while a read in it is pending.
      await body.return?.();
      pieces.return(undefined).catch(() => undefined);
      return { done: true, value: undefined };
    },
  };
  return decoded;
};

const codingsOf = (contentEncoding: string): readonly string[] =>
  contentEncoding
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');

// A truncated body yields the data that it has. Its content decides whether it is complete.
const lenient = { finishFlush: constants.Z_SYNC_FLUSH };
const gunzip = (): Transform => createGunzip(lenient);
/** RFC 9659: a decoder need not allow a larger window. */
const ZSTD_WINDOW_LOG = 23;

const decoders = new Map<string, (begun: Uint8Array) => Transform>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', (begun) => (isZlib(begun) ? createInflate(lenient) : createInflateRaw(lenient))],
  ['br', () => createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH })],
  [
    'zstd',
    () =>
      createZstdDecompress({
        finishFlush: constants.ZSTD_e_flush,
        params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
      }),
  ],
]);

/** `deflate` is the zlib format (RFC 1950), but some servers send raw deflate data (RFC 1951) under this name. */
const isZlib = ([first = 0, second = 0]: Uint8Array): boolean =>
  (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;

const undecodable = async function* (body: AsyncIterableIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  await body.return?.();
  yield* [];
  throw new ProviderFailed('reset', 'the response has a content coding that is not supported');
};

const decode = async function* (
  pieces: Pieces,
  create: (begun: Uint8Array) => Transform,
  mayBe: () => number,
): AsyncGenerator<Uint8Array> {
  let decoder: Transform | undefined;
  let decoded = 0;
  let failure: { readonly error: unknown } | undefined;
  const source = begunWith(pieces, 2);
  const first = await source.next();
  if (first.done) return;
  try {
    decoder = create(first.value);
    const into = decoder.on('error', () => undefined);
    const feed = async (): Promise<void> => {
      try {
        await written(into, first.value);
        for await (const piece of source) await written(into, piece);
      } catch (error) {
        failure = { error };
      } finally {
        into.end();
      }
    };
    void feed();
    for await (const piece of into as AsyncIterable<Uint8Array>) {
      decoded += piece.length;
      if (decoded > mayBe()) throw new Error('too much comes of it');
      yield piece;
    }
  } catch (cause) {
    throw new ProviderFailed('reset', 'the response could not be decoded', { cause });
  } finally {
    decoder?.destroy();
  }
  // All data that arrived before the connection broke has been yielded by now.
  if (failure) throw failure.error;
};

/** Resolves once the decoder has accepted the piece and its output has been read. */
const written = (decoder: Transform, piece: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => decoder.write(piece, (error) => (error ? reject(error) : resolve())));

/** The same pieces, joined so that the first has at least so many bytes, if there are that many. */
const begunWith = async function* (pieces: Pieces, bytes: number): AsyncGenerator<Uint8Array> {
  let begun: Uint8Array | undefined = Buffer.alloc(0);
  for await (const piece of pieces) {
    if (begun) {
      begun = Buffer.concat([begun, piece]);
      if (begun.length < bytes) continue;
    }
    yield begun ?? piece;
    begun = undefined;
  }
  if (begun && begun.length > 0) yield begun;
};
