import type { ServerResponse } from 'node:http';
import type { Support } from './support.ts';

/** The time-ordered UUID of a request and its time of arrival. */
export type Arrival = {
  readonly uuid: string;
  readonly startedAt: number;
  /** For errors that ask the client to contact support. */
  readonly support: (() => Support) | undefined;
  /** The wire shape of its errors. */
  readonly errors: ErrorShape;
};

export type ErrorShape = 'openai' | 'anthropic';

/** Express keeps `locals`, and the routes that are served without it have the same. */
type Arrived = ServerResponse & { locals?: { arrival?: Arrival } };

/** Assigns the request id and sets the headers of every response. */
export const arrive = (
  response: ServerResponse,
  uuid: string,
  support?: () => Support,
  errors: ErrorShape = 'openai',
): void => {
  const arrival: Arrival = { uuid, startedAt: performance.now(), support, errors };
  (response as Arrived).locals = { arrival };
  response.setHeader('x-request-id', `req_${uuid}`);
  response.setHeader('x-content-type-options', 'nosniff');
};

export const arrivalOf = (response: ServerResponse): Arrival => (response as Arrived).locals?.arrival as Arrival;
export const supportOf = (response: ServerResponse): Support | undefined =>
  (response as Arrived).locals?.arrival?.support?.();
export const errorShapeOf = (response: ServerResponse): ErrorShape =>
  (response as Arrived).locals?.arrival?.errors ?? 'openai';
export const requestIdOf = (response: ServerResponse): string => `req_${arrivalOf(response).uuid}`;
