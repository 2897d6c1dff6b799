import type { IncomingMessage } from 'node:http';
import { idempotencyKey } from '../management/router/fields.ts';
import { problem, type Problem } from './problems.ts';

/** The Idempotency-Key of a request; undefined if there is none, a Problem if it is invalid. */
export const idempotencyKeyOf = ({ headers }: IncomingMessage): string | undefined | Problem => {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  const read = idempotencyKey.safeParse(key);
  if (read.success) return read.data;
  const message = `Idempotency-Key: ${read.error.issues[0]?.message}.`;
  return problem('invalid_request', { message, param: 'Idempotency-Key' });
};
