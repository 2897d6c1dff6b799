import { isUtf8 } from 'node:buffer';
import { ProviderFailed } from '../provider.ts';
import type { TransportResponse } from './transport.ts';

/** The longest answer in one piece. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** The error text, or an empty one if it cannot be read: the status is enough for a response. */
export const readErrorText = async (response: TransportResponse, signal: AbortSignal): Promise<string> => {
  try {
    return await readText(response, MAX_ERROR_BYTES);
  } catch (error) {
    if (!(error instanceof ProviderFailed) || signal.aborted) throw error;
    return '';
  }
};

/** Reads a body to its end. Rejects with ProviderFailed if it is longer than allowed. */
export const readText = async ({ body, contentType }: TransportResponse, maxBytes: number): Promise<string> => {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > maxBytes) throw new ProviderFailed('reset', `the answer is longer than ${maxBytes} bytes`);
    parts.push(part);
  }
  return decodedText(Buffer.concat(parts), contentType);
};

const BYTE_ORDER_MARK = '\uFEFF';

/** JSON is UTF-8 (RFC 8259); a few servers use the charset that they name. A byte order mark is not valid JSON. */
const decodedText = (bytes: Buffer, contentType: string): string => {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  const wide = charset.startsWith('utf-16');
  const text = wide || !isUtf8(bytes) ? decodedFrom(charset, bytes) : bytes.toString('utf8');
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
};

const decodedFrom = (charset: string, bytes: Buffer): string => {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString('utf8'); // An unknown charset.
  }
};
