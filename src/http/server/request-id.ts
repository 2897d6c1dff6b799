import type { ServerResponse } from 'node:http';

/** The time-ordered UUID of a request and its time of arrival. */
export type Arrival = { readonly uuid: string; readonly startedAt: number };

/** Express keeps `locals`, and the routes that are served without it have the same. */
type Arrived = ServerResponse & { locals?: { arrival?: Arrival } };

/** Assigns the request id and sets the headers of every response. */
export const arrive = (response: ServerResponse, uuid: string): void => {
  const arrival: Arrival = { uuid, startedAt: performance.now() };
  (response as Arrived).locals = { arrival };
  response.setHeader('x-request-id', `req_${uuid}`);
  response.setHeader('x-content-type-options', 'nosniff');
};

export const arrivalOf = (response: ServerResponse): Arrival => (response as Arrived).locals?.arrival as Arrival;
export const requestIdOf = (response: ServerResponse): string => `req_${arrivalOf(response).uuid}`;
