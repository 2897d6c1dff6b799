/** The types of Anthropic's errors, by status. */
const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'invalid_request_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/**
 * A problem in the shape of Anthropic's errors, from the JSON of the same problem in OpenAI's shape. Our code, the invalid
 * field and the generation stay beside Anthropic's own fields.
 */
export const anthropicProblem = (status: number, body: string): string => {
  const { error } = JSON.parse(body) as { readonly error: Readonly<Record<string, unknown>> };
  const { message, type: _, request_id, ...rest } = error;
  const type = types[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return JSON.stringify({ type: 'error', error: { type, message, ...rest }, request_id });
};
