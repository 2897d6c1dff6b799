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

export type SendError = (response: Response, status: number, messages: readonly string[] | undefined) => void;

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

export const answerErrors =
  (sendError: SendError): ErrorRequestHandler =>
  (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof InvalidRequest) return sendError(response, 400, error.messages);
    if (error instanceof Refusal) return sendError(response, error.status, [error.message]);
    // An error of Express: an unreadable body, or a path with an invalid encoding.
    const { status } = error as { readonly status?: unknown };
    if (typeof status === 'number' && status < 500) return sendError(response, 400, ['The request cannot be read']);
    return sendError(response, 500, ['Internal server error']);
  };
