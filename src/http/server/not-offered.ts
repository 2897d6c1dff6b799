/** The routes that the message of a 404 lists. */
const offered = [
  'POST /v1/chat/completions',
  'POST /v1/completions',
  'POST /v1/embeddings',
  'POST /v1/responses',
  'POST /v1/messages',
  'POST /v1/messages/count_tokens',
  'GET /v1/models',
  'GET /v1/models/{id}',
  'GET /v1/generation?id=',
  'GET /v1/key',
  'GET /v1/credits',
];
const OFFERED = `Offered are ${offered.slice(0, -1).join(', ')} and ${offered.at(-1)}; the management API is at /api/docs.`;

const ownPath =
  /^\/v1\/(?:chat\/completions|completions|embeddings|responses|messages(?:\/count_tokens)?|models(?:\/[^:]+)?|generation|key|credits)\/?$/;

/** Paths of other APIs, without the version. */
const foreign: readonly (readonly [RegExp, string])[] = [
  [/:[a-z]+content|:count_?tokens|:predict|:batch|^\/+v1(?:alpha|beta)/i, 'The Gemini API'],
  [/^\/(?:messages\/batches|complete|skills|organizations)(?:\/|$)/, 'This part of the Anthropic API'],
  [/^\/responses\//, 'Answers are not kept here: the rest of the Responses API'],
  [
    /^\/(?:images|audio|moderations|files|uploads|batches|assistants|threads|fine_tuning|vector_stores|realtime|videos|conversations|containers|evals|edits|engines|organization|chatkit|chat)(?:\/|$)/,
    'This part of the OpenAI API',
  ],
];

const LONGEST_PATH = 100;
const shown = (path: string): string => (path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…` : path);

/** The message of a 404, with the path that was probably meant or a list of all routes. */
export const noSuchPath = (method: string, path: string): string => {
  const what = `There is no ${method} ${shown(path)} here.`;
  const meant = meantPath(path);
  if (meant !== undefined) {
    return `${what} The path is ${shown(meant)}: check that the base URL ends with /v1 once, and without a slash.`;
  }
  return `${what}${foreignApi(path)} ${OFFERED}`;
};

/** The message of a 405. */
export const noSuchMethod = (method: string, path: string, allowed: string): string =>
  `${method} is not allowed for ${shown(path)}, but ${allowed}.${foreignApi(path)}${path.startsWith('/v1') ? ` ${OFFERED}` : ''}`;

const foreignApi = (path: string): string => {
  const rest = path.replaceAll(/\/{2,}/g, '/').replace(/^(?:\/api)?(?:\/v1)*(?=\/|$)/, '');
  const api = foreign.find(([paths]) => paths.test(rest))?.[1];
  return api === undefined ? '' : ` ${api} is not offered.`;
};

/** The path that was probably meant: without extra slashes, repeated versions or the prefix of another service. */
const meantPath = (path: string): string | undefined => {
  const rest = path
    .replaceAll(/\/{2,}/g, '/')
    .replace(/^\/(?:api|openai)(?=\/)/, '')
    .replace(/^\/v1(?:alpha|beta)\/openai(?=\/)/, '')
    .replace(/^(?:\/v1)+(?=\/)/, '');
  const meant = `/v1${rest}`;
  return meant !== path && ownPath.test(meant) ? meant : undefined;
};
