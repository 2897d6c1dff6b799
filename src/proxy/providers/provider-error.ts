import { asList, field, isThere } from '../json/untyped-json.ts';

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
  const error = errorIn(body);
  if (!isThere(error)) return unsaid;
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

/** In a stream it may also stand in a choice, as at OpenRouter, or aside, as at Groq. */
const errorIn = (body: string): unknown => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const first = Array.isArray(json) ? (json[0] as unknown) : json;
  const inChoice = asList(field(first, 'choices')).map((choice) => field(choice, 'error'));
  return [field(first, 'error'), field(field(first, 'x_groq'), 'error'), ...inChoice].find(isThere) ?? first;
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

/** Codes and types of errors that the request has caused, so that the same request fails again. */
const codesOfRequest = [
  /^(?:context|prompt|string|array|integer|decimal|image|max_tokens|input)_/i,
  /^(?:invalid|unsupported|unknown|missing|duplicate|bad|too_many)_/i,
  /^(?:content|moderation|safety|policy|data_inspection|responsible_ai)/i,
  /^(?:model_not_found|request_too_large|json_validate_failed|tool_use_failed|not_found_error)$/i,
  /^(?:BadRequest|UnprocessableEntity|NotFound)Error$/i,
];
/** Those that look the same and are about our account, or about the provider. */
const codesOfOthers =
  /api_?key|auth|credential|organi[sz]ation|project|account|country|region|billing|quota|rate_?limit|server|overload|unavailable|timeout|capacity/i;

/**
 * The status that an error would have come with, if the request has caused it and the response had begun with 200: as a
 * number in the error, or by its code or type. Undefined for every other error.
 */
export const statusOfRequestError = (body: string): number | undefined => {
  const error = errorIn(body);
  const numbers = ['code', 'status', 'status_code'].map((name) => Number(field(error, name) ?? NaN));
  const status = numbers.find((number) => number >= 400 && number < 600);
  if (status !== undefined) return status < 500 ? status : undefined;
  // A code says more than a type, so the first of them that is known decides.
  for (const text of ['code', 'type', 'status'].map((name) => textIn(error, name) ?? '')) {
    if (codesOfOthers.test(text)) return undefined;
    if (!codesOfRequest.some((code) => code.test(text))) continue;
    if (/^(?:model_)?not_?found/i.test(text)) return 404;
    return text === 'request_too_large' ? 413 : 400;
  }
  return undefined;
};
