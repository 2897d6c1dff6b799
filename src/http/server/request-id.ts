import type { NextFunction, Request, Response } from 'express';

/** The time-ordered UUID of a request and its time of arrival. */
export type Arrival = { readonly uuid: string; readonly startedAt: number };

/** Assigns the request id and sets the headers of every response. */
export const arrive =
  (newId: () => string) =>
  (_request: Request, response: Response, next: NextFunction): void => {
    const uuid = newId();
    const arrival: Arrival = { uuid, startedAt: performance.now() };
    response.locals['arrival'] = arrival;
    response.setHeader('x-request-id', `req_${uuid}`);
    response.setHeader('x-content-type-options', 'nosniff');
    next();
  };

export const arrivalOf = (response: Response): Arrival => response.locals['arrival'] as Arrival;
export const requestIdOf = (response: Response): string => `req_${arrivalOf(response).uuid}`;
