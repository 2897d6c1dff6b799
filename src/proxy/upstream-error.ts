import { asList, field } from './loose-json.ts';

/** Why a provider refused a request. */
export type UpstreamError = {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
};

/** Where it does not say why, or not to everybody. */
export const unsaid: UpstreamError = {
  message: 'The provider refused the request.',
  type: 'invalid_request_error',
  param: null,
  code: null,
};

/**
 * In the format of OpenAI; as the first of a list, as Gemini has it; as a text, as xAI and Ollama do; or as the object
 * itself, with its words in `message` or, one for each field that is wrong, in `detail`, as Mistral and vLLM do.
 */
export const readError = (body: string): UpstreamError => {
  let told: unknown;
  try {
    told = JSON.parse(body);
  } catch {
    return unsaid;
  }
  const first = Array.isArray(told) ? (told[0] as unknown) : told;
  const error = field(first, 'error') ?? first;
  const message = field(error, 'message');
  const detail = field(message, 'detail') ?? field(error, 'detail');
  const wrong = asList(detail).map(readDetail);
  const words =
    [error, message, detail].find(isText) ??
    wrong
      .map(({ said }) => said)
      .filter(isText)
      .join('; ');
  return {
    message: words || unsaid.message,
    type: textIn(error, 'type') ?? unsaid.type,
    param: textIn(error, 'param') ?? (wrong[0]?.param || null),
    code: textIn(error, 'code'),
  };
};

/** As Pydantic tells it: what is wrong, and where, which begins with `body`. What the field held is not repeated. */
const readDetail = (detail: unknown): { readonly param: string; readonly said: string } => {
  const param = asList(field(detail, 'loc')).slice(1).join('.');
  return { param, said: [param, textIn(detail, 'msg')].filter(Boolean).join(': ') };
};

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const textIn = (value: unknown, name: string): string | null => {
  const text = field(value, name);
  return typeof text === 'string' ? text : null;
};

const codesAboutUs = new Set([
  'invalid_api_key',
  'billing_hard_limit_reached',
  'insufficient_quota',
  'account_deactivated',
  'organization_restricted',
]);

/** Narrow, for what they find is not told to the one who asked, and it may be a name of theirs. */
const wordsAboutUs = [
  // Gemini and xAI answer 400 to a key that they do not know.
  /\b(?:incorrect|invalid|valid|missing|expired|renew)\b[^.]{0,20}\bapi key\b/i,
  /\bapi key (?:is )?(?:not|expired|invalid|missing)\b/i,
  // So does Anthropic to an account without credit, and OpenAI to one that has spent what it may.
  /\bcredit balance\b|\bbilling hard limit\b/i,
  /\b(?:your|this) (?:organi[sz]ation|account|project|team|workspace)\b/i,
  /\borgani[sz]ation (?:`?org[-_]|has been)/i,
  /\b(?:org|proj|wrkspc)[-_](?=[a-z]*\d)[a-z0-9]{12,}/i,
  /\buser location is not supported\b/i,
];

/** Whether an error is about our account at the provider, or names it. */
export const isAboutUs = ({ message, code }: UpstreamError): boolean => {
  // xAI writes some of them as a part of a URL.
  const words = message.replaceAll('%20', ' ');
  return (code !== null && codesAboutUs.has(code)) || wordsAboutUs.some((about) => about.test(words));
};
