import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { BodyMemory, BodyShare } from './body-memory.ts';
import { problem, type Problem } from './problems.ts';

/** A body to its end, and its share of the memory, which must be released when the request ends. */
export type WholeBody = { readonly bytes: Buffer; readonly share: BodyShare };
export type ReadBody = (request: IncomingMessage) => Promise<WholeBody | Problem>;

export type ReadBodyOptions = { readonly maxBytes: number; readonly memory: BodyMemory };

type Decode = () => Transform;
// The names with x- are of RFC 9110, 8.4.1.3, and of older clients.
const decoders: Readonly<Partial<Record<string, Decode>>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  'x-deflate': createInflate,
  br: createBrotliDecompress,
};

/** More are a mistake, or an attempt to make much of little. */
const MAX_CODINGS = 2;

/** Reads bodies up to a size, as they are after decoding, in memory that is counted from the first byte. */
export const createReadBody =
  ({ maxBytes, memory }: ReadBodyOptions): ReadBody =>
  async (request) => {
    const codings = codingsOf(request.headers['content-encoding']);
    if ('status' in codings) return codings;
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > maxBytes) return tooLarge(maxBytes);
    const known = codings.length === 0 ? declared : 0;
    const share = await memory.share(known);
    if (!share) return problem('server_is_overloaded');
    let read = 0;
    const take = (bytes: number): Problem | undefined => {
      read += bytes;
      if (read > maxBytes) return tooLarge(maxBytes);
      const more = Math.min(bytes, read - known);
      return more <= 0 || share.addBody(more) ? undefined : problem('server_is_overloaded');
    };
    const outcome = await collect(request, codings, take).catch((error: unknown) => {
      share.release();
      throw error;
    });
    if (Buffer.isBuffer(outcome)) return { bytes: outcome, share };
    share.release();
    return outcome;
  };

const tooLarge = (maxBytes: number): Problem =>
  problem('request_too_large', { message: `The body is larger than ${maxBytes} bytes.` });

/** In the order in which they are undone. */
const codingsOf = (header: string | undefined): readonly Decode[] | Problem => {
  const names = (header ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  const known = names.flatMap((name) => (Object.hasOwn(decoders, name) ? [decoders[name] as Decode] : []));
  if (known.length === names.length && names.length <= MAX_CODINGS) return known.toReversed();
  return problem('unsupported_media_type', { message: NO_SUCH_CODING, param: 'content-encoding' });
};

const NO_SUCH_CODING =
  'This content-encoding is not read here. Send the body without one, or with content-encoding: gzip, deflate or br.';

/** Rejects only where the connection breaks. An outcome before the end leaves the rest of the body unread. */
const collect = (
  request: IncomingMessage,
  codings: readonly Decode[],
  take: (bytes: number) => Problem | undefined,
): Promise<Buffer | Problem> =>
  new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const chain = codings.map((decode) => decode());
    const leave = (): void => {
      request.off('error', broke).off('close', closed);
      request.unpipe();
      last.off('data', onData).off('end', onEnd);
      request.pause();
      for (const stream of chain) stream.on('error', () => undefined).destroy();
    };
    const finish = (outcome: Buffer | Problem): void => {
      leave();
      resolve(outcome);
    };
    const broke = (): void => {
      leave();
      reject(Object.assign(new Error('the connection broke'), { status: 400 }));
    };
    const closed = (): void => {
      if (!request.complete) broke();
    };
    const onData = (part: Buffer): void => {
      const refused = take(part.length);
      if (refused) finish(refused);
      else parts.push(part);
    };
    const onEnd = (): void => finish(Buffer.concat(parts));
    const notAsCoded = (): void => finish(problem('invalid_request', { message: NOT_AS_CODED }));

    if (request.destroyed && !request.complete) return broke();
    request.on('error', broke).on('close', closed);
    const last: Readable = chain.reduce<Readable>((from, to) => from.pipe(to.on('error', notAsCoded)), request);
    last.on('data', onData).on('end', onEnd);
  });

const NOT_AS_CODED = 'The body cannot be decoded as its content-encoding says. Check the client.';
