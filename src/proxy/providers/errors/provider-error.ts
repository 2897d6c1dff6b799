import type { ProviderError } from '../provider.ts';
import { asList, field, isThere } from '../../json/untyped-json.ts';

/** The error for the customer if the provider gives no reason, or a reason that is not for the customer. */
export const noReason: ProviderError = {
  message: 'The provider refused the request.',
  type: 'invalid_request_error',
  param: null,
  code: null,
};

/**
 * Reads an error in OpenAI's format; as the first item of a list (Gemini); as a text (xAI, Ollama); or as the object
 * itself, with its text in `message` or, one for each invalid field, in `detail` (Mistral, vLLM).
 */
export const readError = (body: string): ProviderError => {
  const error = errorIn(body);
  if (!isThere(error)) return noReason;
  const message = field(error, 'message');
  const detail = field(message, 'detail') ?? field(error, 'detail');
  const wrong = asList(detail).map(readDetail);
  const text =
    [error, message, detail].find(isText) ??
    wrong
      .map(({ reason }) => reason)
      .filter(isText)
      .join('; ');
  return {
    message: text || noReason.message,
    type: textIn(error, 'type') ?? noReason.type,
    param: textIn(error, 'param') ?? (wrong[0]?.param || null),
    code: textIn(error, 'code'),
  };
};

/** In a stream OpenRouter sends the error in a choice, and Groq in `x_groq`. */
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

/** Pydantic's format: the reason, and the path of the field, which begins with `body`. Its value is not repeated. */
const readDetail = (detail: unknown): { readonly param: string; readonly reason: string } => {
  const param = asList(field(detail, 'loc')).slice(1).join('.');
  return { param, reason: [param, textIn(detail, 'msg')].filter(Boolean).join(': ') };
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

/** Narrow patterns: a message that one of them matches is withheld, and it may hold only a name of the customer's. */
const patternsAboutUs = [
  // Gemini and xAI answer 400 to an unknown key.
  /\b(?:incorrect|invalid|valid|missing|expired|renew)\b[^.]{0,20}\bapi key\b/i,
  /\bapi key (?:is )?(?:not|expired|invalid|missing)\b/i,
  // Anthropic answers 400 to an account without credit, and OpenAI to one beyond its spending limit.
  /\bcredit balance\b|\bbilling hard limit\b/i,
  /\b(?:your|this) (?:organi[sz]ation|account|project|team|workspace)\b/i,
  /\borgani[sz]ation (?:`?org[-_]|has been)/i,
  /\b(?:org|proj|wrkspc)[-_](?=[a-z]*\d)[a-z0-9]{12,}/i,
  /\buser location is not supported\b/i,
];

/** Whether an error is about our account at the provider, or names it. */
export const isAboutUs = ({ message, code }: ProviderError): boolean => {
  // xAI encodes some of them as part of a URL.
  const text = message.replaceAll('%20', ' ');
  return (code !== null && codesAboutUs.has(code)) || patternsAboutUs.some((about) => about.test(text));
};

/** Codes and types of errors that the request caused: the same request fails again. */
const codesOfRequest = [
  /^(?:context|prompt|string|array|integer|decimal|image|max_tokens|input)_/i,
  /^(?:invalid|unsupported|unknown|missing|duplicate|bad|too_many)_/i,
  /^(?:content|moderation|safety|policy|data_inspection|responsible_ai)/i,
  /^(?:model_not_found|request_too_large|json_validate_failed|tool_use_failed|not_found_error)$/i,
  /^(?:BadRequest|UnprocessableEntity|NotFound)Error$/i,
];
/** Similar codes that are about our account or the provider. */
const codesOfOthers =
  /api_?key|auth|credential|organi[sz]ation|project|account|country|region|billing|quota|rate_?limit|server|overload|unavailable|timeout|capacity/i;

/**
 * The status of an error that came in a response of status 200, if the request caused it: a number in the error, or
 * derived from its code or type. Undefined for every other error.
 */
export const statusOfRequestError = (body: string): number | undefined => {
  const error = errorIn(body);
  const numbers = ['code', 'status', 'status_code'].map((name) => Number(field(error, name) ?? NaN));
  const status = numbers.find((number) => number >= 400 && number < 600);
  if (status !== undefined) return status < 500 ? status : undefined;
  // A code is more precise than a type, so the first that is known decides.
  for (const text of ['code', 'type', 'status'].map((name) => textIn(error, name) ?? '')) {
    if (codesOfOthers.test(text)) return undefined;
    if (!codesOfRequest.some((code) => code.test(text))) continue;
    if (/^(?:model_)?not_?found/i.test(text)) return 404;
    return text === 'request_too_large' ? 413 : 400;
  }
  return undefined;
};
