import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { BodyMemory, BodyShare } from './body-memory.ts';
import { isProblem, problem, type Problem } from './problems.ts';

/** A complete body and its share of the memory, which must be released when the request ends. */
export type WholeBody = { readonly bytes: Buffer; readonly share: BodyShare };
export type ReadBody = (request: IncomingMessage) => Promise<WholeBody | Problem>;

export type ReadBodyOptions = { readonly maxBytes: number; readonly memory: BodyMemory };

type Decode = () => Transform;
// The names with x- are aliases (RFC 9110, 8.4.1.3).
const decoders: Readonly<Partial<Record<string, Decode>>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  'x-deflate': createInflate,
  br: createBrotliDecompress,
};

/** More are a mistake or a decompression bomb. */
const MAX_CODINGS = 2;

/** Reads and decodes bodies up to a size. Their memory is counted from the first byte. */
export const createReadBody =
  ({ maxBytes, memory }: ReadBodyOptions): ReadBody =>
  async (request) => {
    const codings = codingsOf(request.headers['content-encoding']);
    if (isProblem(codings)) return codings;
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

/** In decoding order. */
const codingsOf = (header: string | undefined): readonly Decode[] | Problem => {
  const names = (header ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  const known = names.flatMap((name) => (Object.hasOwn(decoders, name) ? [decoders[name] as Decode] : []));
  if (known.length === names.length && names.length <= MAX_CODINGS) return known.toReversed();
  return problem('unsupported_media_type', { message: UNSUPPORTED_CODING, param: 'content-encoding' });
};

const UNSUPPORTED_CODING =
  'This content-encoding is not supported. Send the body without one, or with content-encoding: gzip, deflate or br.';

/** Rejects only if the connection breaks. A problem leaves the rest of the body unread. */
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
    const undecodable = (): void => finish(problem('invalid_request', { message: UNDECODABLE }));

    if (request.destroyed && !request.complete) return broke();
    request.on('error', broke).on('close', closed);
    const last: Readable = chain.reduce<Readable>((from, to) => from.pipe(to.on('error', undecodable)), request);
    last.on('data', onData).on('end', onEnd);
  });

const UNDECODABLE = 'The body does not match its content-encoding. Check the client.';
