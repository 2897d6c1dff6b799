import type { RequestHandler } from 'express';

export type ReadReadiness = () => { readonly ready: boolean };

/** Liveness, for a supervisor that restarts the process. */
export const getLive: RequestHandler = (_request, response) => {
  response.setHeader('cache-control', 'no-store');
  response.json({ status: 'ok' });
};

/** Readiness, for a load balancer. */
export const getReady =
  (readiness: ReadReadiness): RequestHandler =>
  (_request, response) => {
    const { ready, ...found } = readiness();
    response.setHeader('cache-control', 'no-store');
    response.status(ready ? 200 : 503).json(found);
  };
