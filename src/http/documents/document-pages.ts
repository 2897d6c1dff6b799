import type { Request, RequestHandler, Response } from 'express';
import { documents, type TermsDocument } from '../../domain/terms/events.ts';
import { documentPaths } from '../../domain/terms/names.ts';
import { versionsAt } from '../../domain/terms/standing.ts';
import type { FindTermsText, ListTerms } from '../published-terms.ts';
import { problem, sendProblem, type Problem } from '../server/problems.ts';
import { requestIdOf } from '../server/request-id.ts';
import { changesBetween, patchBetween, type Change } from './changes.ts';
import { changesPage } from './changes-page.ts';
import { sendPage, styleOfDocuments } from './html.ts';
import { versionBefore, versionPage, type Version } from './version-page.ts';

export type DocumentPagesOptions = {
  readonly publishedTerms: ListTerms;
  readonly findTermsText: FindTermsText;
  readonly now: () => Date;
};

/**
 * The Terms of Service, the Acceptable Use Policy and the privacy page: for each the version in force, every version, and
 * the differences between two. Public. Browsers get a page, and everything else gets the text.
 */
export const documentPages = (options: DocumentPagesOptions): Readonly<Record<string, RequestHandler>> => ({
  ...Object.fromEntries(documents.flatMap((document) => Object.entries(pagesOf(document, options)))),
  '/documents.css': styleOfDocuments(),
});

const pagesOf = (document: TermsDocument, options: DocumentPagesOptions): Readonly<Record<string, RequestHandler>> => {
  const path = documentPaths[document];
  const versions = (): readonly Version[] => versionsAt(options.publishedTerms(), document, options.now());
  const sendVersion = versionSender(document, options);
  return {
    [path]: (request, response) => {
      const all = versions();
      const inForce = all.find(({ standing }) => standing === 'in_force');
      return sendVersion(request, response, all, inForce);
    },
    [`${path}/:version`]: (request, response) => {
      const all = versions();
      return sendVersion(request, response, all, all.find(isOf(request)));
    },
    [`${path}/:version/changes`]: changesSender(document, versions, options),
  };
};

const versionSender =
  (document: TermsDocument, { findTermsText }: DocumentPagesOptions) =>
  async (request: Request, response: Response, all: readonly Version[], shown: Version | undefined): Promise<void> => {
    const text = shown && (await textOf(shown, findTermsText));
    if (!shown || !text) return refuse(response, shown);
    describe(response, shown);
    if (wantsPage(request, response)) {
      const page = versionPage({ document, versions: all, shown, text: text.toString(), root: rootOf(request) });
      return sendPage(response, page);
    }
    response.setHeader('content-type', 'text/markdown; charset=utf-8');
    response.end(text);
  };

const changesSender = (
  document: TermsDocument,
  versions: () => readonly Version[],
  { findTermsText }: DocumentPagesOptions,
): RequestHandler => {
  const compare = createCompare();
  return async (request, response) => {
    const all = versions();
    const to = all.find(isOf(request));
    if (!to) return refuse(response, to);
    const { from: asked } = request.query;
    const from = asked === undefined ? versionBefore(all, to) : all.find(({ version }) => version === asked);
    if (!from) return asked === undefined ? isFirst(response, to) : refuse(response, from);
    const [before, after] = await Promise.all([textOf(from, findTermsText), textOf(to, findTermsText)]);
    if (!before || !after) return refuse(response, before ? to : from);
    describe(response, to);
    const texts = [before.toString(), after.toString()] as const;
    if (wantsPage(request, response)) {
      const changes = compare(from, to, texts);
      return sendPage(response, changesPage({ document, from, to, changes, root: rootOf(request) }));
    }
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end(patchBetween({ name: from.version, text: texts[0] }, { name: to.version, text: texts[1] }));
  };
};

const REMEMBERED = 20;

/** Texts never change under their versions, so a comparison is made once. */
const createCompare = () => {
  const known = new Map<string, readonly Change[]>();
  return (from: Version, to: Version, texts: readonly [string, string]): readonly Change[] => {
    const key = `${from.sha256} ${to.sha256}`;
    const changes = known.get(key) ?? changesBetween(...texts);
    known.delete(key);
    known.set(key, changes);
    for (const oldest of known.keys()) {
      if (known.size <= REMEMBERED) break;
      known.delete(oldest);
    }
    return changes;
  };
};

/** The path may end with a slash. */
const rootOf = ({ path }: Request): string => '../'.repeat(path.split('/').length - 2) || './';

const isOf =
  ({ params }: Request) =>
  ({ version }: Version): boolean =>
    version === params['version'];

const textOf = ({ sha256 }: Version, findText: FindTermsText): Promise<Buffer | undefined> => findText(sha256);

/** Browsers list HTML first in `Accept`; a client that accepts everything gets the text. */
const wantsPage = (request: Request, response: Response): boolean => {
  response.vary('accept');
  return request.accepts(['text/markdown', 'text/plain', 'text/html']) === 'text/html';
};

const describe = (response: Response, { version, sha256, standing, since, until }: Version): void => {
  response.setHeader('x-kissapi-terms-version', version);
  response.setHeader('x-kissapi-terms-sha256', sha256);
  response.setHeader('x-kissapi-terms-status', standing);
  if (since) response.setHeader('x-kissapi-terms-in-force-since', since.toISOString());
  if (until) response.setHeader('x-kissapi-terms-in-force-until', until.toISOString());
};

const refuse = (response: Response, found: Version | undefined): void => {
  const message =
    found &&
    `The text of version ${found.version} is not stored yet. Start a gateway once with the text in legal/, or publish the text as a new version.`;
  send(response, problem('terms_not_found', message === undefined ? {} : { message }));
};

const isFirst = (response: Response, { version }: Version): void => {
  const message = `Version ${version} is the first one, so there is no version before it to compare with. Name another version with ?from=.`;
  send(response, problem('terms_not_found', { message }));
};

const send = (response: Response, sent: Problem): void => sendProblem(response, sent, requestIdOf(response));
