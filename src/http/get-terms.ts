import type { RequestHandler, Response } from 'express';
import type { ListTerms } from './published-terms.ts';
import { problem, sendProblem } from './server/problems.ts';
import { requestIdOf } from './server/request-id.ts';

/** The text of a version by its SHA-256; undefined if no node has stored it yet. */
export type FindTermsText = (sha256: string) => Promise<Buffer | undefined>;

/** GET /terms: the text in force. Public, like `GET /terms/{version}`. */
export const getTerms =
  (list: ListTerms, findText: FindTermsText): RequestHandler =>
  (_request, response) =>
    sendText(response, list, findText, list().length - 1);

/** GET /terms/{version} */
export const getTermsVersion =
  (list: ListTerms, findText: FindTermsText): RequestHandler =>
  (request, response) =>
    sendText(
      response,
      list,
      findText,
      list().findIndex(({ version }) => version === request.params['version']),
    );

const sendText = async (response: Response, list: ListTerms, findText: FindTermsText, at: number): Promise<void> => {
  const published = list();
  const terms = published[at];
  if (!terms) return sendProblem(response, problem('terms_not_found'), requestIdOf(response));
  const { version, sha256, since } = terms;
  const text = await findText(sha256);
  if (!text) {
    const message = `The text of version ${version} is not stored yet. Start a gateway that has legal/terms-${version}.md once.`;
    return sendProblem(response, problem('terms_not_found', { message }), requestIdOf(response));
  }
  const until = published[at + 1]?.since;
  response.setHeader('content-type', 'text/markdown; charset=utf-8');
  response.setHeader('x-kissapi-terms-version', version);
  response.setHeader('x-kissapi-terms-sha256', sha256);
  response.setHeader('x-kissapi-terms-in-force-since', since.toISOString());
  if (until) response.setHeader('x-kissapi-terms-in-force-until', until.toISOString());
  response.end(text);
};
