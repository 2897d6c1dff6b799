import { createHash } from 'node:crypto';
import type { ErrorRequestHandler, Response } from 'express';
import { Refusal } from '../store/shop.ts';

const NAMES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};

/** A request whose fields are wrong: one message for each field. */
export class InvalidRequest extends Error {
  readonly messages: readonly string[];
  constructor(messages: readonly string[]) {
    super(messages.join('; '));
    this.messages = messages;
  }
}

export type SendError = (response: Response, status: number, messages: readonly string[]) => void;

/** Answers in the shape of Creem's errors. */
export const createSendError = (now: () => number): SendError => {
  let errors = 0;
  return (response, status, message) => {
    errors += 1;
    const hex = createHash('sha256').update(String(errors)).digest('hex');
    const trace = [
      [0, 8],
      [8, 12],
      [12, 16],
      [16, 20],
      [20, 32],
    ]
      .map(([from, to]) => hex.slice(from, to))
      .join('-');
    response.status(status).json({ trace_id: trace, status, error: NAMES[status], message, timestamp: now() });
  };
};

type HttpError = { readonly status?: unknown; readonly type?: unknown };

export const answerErrors =
  (sendError: SendError): ErrorRequestHandler =>
  (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof InvalidRequest) return sendError(response, 400, error.messages);
    if (error instanceof Refusal) return sendError(response, error.status, [error.message]);
    const { status, type } = error as HttpError;
    // Of the parser of bodies: malformed JSON, another charset, too large.
    if (typeof status === 'number' && status < 500 && typeof type === 'string') {
      return sendError(response, 400, ['The body is not valid JSON']);
    }
    return sendError(response, 500, ['Internal server error']);
  };
