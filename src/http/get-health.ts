import type { RequestHandler } from 'express';

export type ReadReadiness = () => { readonly ready: boolean };

/** The process answers; for a supervisor that restarts what does not. */
export const getLive: RequestHandler = (_request, response) => {
  response.setHeader('cache-control', 'no-store');
  response.json({ status: 'ok' });
};

/** Whether requests may be sent to this node; for a balancer. */
export const getReady =
  (readiness: ReadReadiness): RequestHandler =>
  (_request, response) => {
    const { ready, ...found } = readiness();
    response.setHeader('cache-control', 'no-store');
    response.status(ready ? 200 : 503).json(found);
  };
