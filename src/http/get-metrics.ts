import type { RequestHandler } from 'express';
import { createIsAdmin } from './auth/authorize.ts';
import { problem, sendProblem } from './server/problems.ts';
import { requestIdOf } from './server/request-id.ts';

export type ReadMetrics = { readonly contentType: string; text(): Promise<string> };

/** Requires the admin token, because the metrics show the volume of business. */
export const getMetrics = (adminToken: string, metrics: ReadMetrics): RequestHandler => {
  const isAdmin = createIsAdmin(adminToken);
  return async (request, response) => {
    response.setHeader('cache-control', 'no-store');
    if (!isAdmin(request)) {
      response.setHeader('www-authenticate', 'Bearer');
      const message = "The metrics need the administrator's token, in the header Authorization: Bearer TOKEN.";
      return sendProblem(response, problem('invalid_admin_token', { message }), requestIdOf(response));
    }
    const text = await metrics.text();
    response.setHeader('content-type', metrics.contentType);
    response.end(text);
  };
};
