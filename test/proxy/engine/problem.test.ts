import { describe, expect, it } from 'vitest';
import { problemOf } from '../../../src/proxy/engine/problem.ts';
import { refusalOf, refusedWithin } from '../../../src/proxy/providers/errors/refusal.ts';

const problem = (status: number, body: unknown) =>
  problemOf(refusalOf(status, typeof body === 'string' ? body : JSON.stringify(body), undefined));

const plain = { type: 'invalid_request_error', param: null, code: null };
const unsaid = { message: 'The provider refused the request.', ...plain };

describe("an upstream's error, in the words of its provider", () => {
  const field = 'Invalid JSON payload received. Unknown name "reasoning": Cannot find field.';
  const badRequest = {
    '@type': 'type.googleapis.com/google.rpc.BadRequest',
    fieldViolations: [{ description: field }],
  };
  const forbidden = { type: 'extra_forbidden', msg: 'Extra inputs are not permitted' };
  const limit = { ...forbidden, loc: ['body', 'max_completion_tokens'], input: 32000 };
  const content = { type: 'string_type', loc: ['body', 'messages', 0, 'content', 'str'], msg: 'Should be a string' };

  it.each([
    [
      'OpenAI',
      400,
      { error: { message: 'Too long.', type: 't', param: 'messages', code: 'context_length_exceeded' } },
      { message: 'Too long.', type: 't', param: 'messages', code: 'context_length_exceeded' },
    ],
    [
      'Gemini: in a list, with a code that is a number',
      400,
      [{ error: { code: 400, message: field, status: 'INVALID_ARGUMENT', details: [badRequest] } }],
      { message: field, ...plain },
    ],
    [
      'Mistral: what is wrong with each field',
      422,
      {
        object: 'error',
        message: { detail: [limit, content] },
        type: 'invalid_request_error',
        param: null,
        code: null,
      },
      {
        message: 'max_completion_tokens: Extra inputs are not permitted; messages.0.content.str: Should be a string',
        ...plain,
        param: 'max_completion_tokens',
      },
    ],
    [
      'Mistral, without its wrapping',
      422,
      { detail: [limit] },
      {
        message: 'max_completion_tokens: Extra inputs are not permitted',
        ...plain,
        param: 'max_completion_tokens',
      },
    ],
    ['FastAPI', 404, { detail: 'Not Found' }, { message: 'Not Found', ...plain }],
    [
      'vLLM: the object itself',
      400,
      { object: 'error', message: 'Too long.', type: 'BadRequestError', param: null, code: 400 },
      { message: 'Too long.', ...plain, type: 'BadRequestError' },
    ],
    [
      'xAI: a text',
      400,
      { code: 'Client specified an invalid argument', error: 'Argument not supported: stop' },
      { message: 'Argument not supported: stop', ...plain },
    ],
    ['a message alone', 400, { message: 'Bad.' }, { message: 'Bad.', ...plain }],
    ['a text alone', 400, '"Bad."', { message: 'Bad.', ...plain }],
    ['nothing that says anything', 400, { error: { message: '', detail: [{}, null] } }, unsaid],
    ['an empty list', 400, [], unsaid],
    ['null', 400, 'null', unsaid],
    ['a page', 400, '<html>Bad Request</html>', unsaid],
  ])('%s', (_name, status, body, error) => {
    expect(problem(status, body)).toEqual({ kind: 'upstream_refused', status, error });
  });
});

describe("what is about our account is not the customer's", () => {
  const openAi = (message: string, code: string | null = null) => ({
    error: { message, type: 'invalid_request_error', param: null, code },
  });

  it.each<[string, number, unknown]>([
    [
      'Gemini: no key of theirs',
      400,
      [
        {
          error: { code: 400, message: 'API key not valid. Please pass a valid API key.', status: 'INVALID_ARGUMENT' },
        },
      ],
    ],
    ['Gemini: an old key', 400, [{ error: { code: 400, message: 'API key expired. Please renew the API key.' } }]],
    ['Gemini: where we are', 400, [{ error: { message: 'User location is not supported for the API use.' } }]],
    [
      'xAI: no key of theirs',
      400,
      {
        code: 'Client specified an invalid argument',
        error: 'Incorrect%20API%20key%20provided:%20ba***na.%20You%20can%20obtain%20one%20from%20https://console.x.ai.',
      },
    ],
    [
      'xAI: which team we are',
      404,
      openAi('The model grok-x does not exist or your team e9fe19cb-de96-4c57-9ffb-2f1b9c631ce2 has no access to it.'),
    ],
    [
      'Anthropic: no credit',
      400,
      openAi('Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.'),
    ],
    ['OpenAI: no more to spend', 400, openAi('Billing hard limit has been reached', 'billing_hard_limit_reached')],
    [
      'OpenAI: who we are',
      400,
      openAi('Your organization must be verified to stream this model. Please go to: https://x', 'unsupported_value'),
    ],
    ['Groq: restricted', 400, openAi('Organization has been restricted.', 'organization_restricted')],
    ['a name of ours', 400, openAi('Limit of org-vyUrKHsIdLcZGKR3zqCqllrS reached.')],
  ])('%s', (_name, status, body) => {
    expect(problem(status, body)).toEqual({ kind: 'upstream_failed', code: 'no_provider' });
  });

  it('but a request that is too large for our plan is theirs to make smaller, and the plan ours', () => {
    const message =
      'Request too large for model `gpt-oss-120b` in organization `org_01kgg5588eftc8k70aes4864eb` service tier ' +
      '`on_demand` on tokens per minute (TPM): Limit 8000, Requested 32979, please reduce your message size.';
    const body = { error: { message, type: 'tokens', code: 'rate_limit_exceeded' } };
    expect(problem(413, body)).toEqual({ kind: 'upstream_refused', status: 413, error: unsaid });
  });

  it.each([
    "Invalid schema for function 'set_api_key': schema must be a JSON Schema of 'type: \"object\"'.",
    "Invalid schema for function 'get_billing_of_organization'.",
    "Invalid 'tools[0].function.name': 'org_structure_of_everybody2' is too long.",
    "This model's maximum context length is 131072 tokens. However, you requested 131329 tokens.",
    'This model does not support image input.',
    'The model `x` does not exist or you do not have access to it.',
    'The model `x` has been decommissioned and is no longer supported.',
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
  ])('%s', (message) => {
    expect(problem(400, openAi(message))).toMatchObject({ kind: 'upstream_refused', error: { message } });
  });
});

describe('an error in a response of status 200', () => {
  const openAi = (code: unknown, more: object = {}) => ({
    error: { message: 'x', type: 'server_error', code, ...more },
  });
  const inChoice = (error: object) => ({ choices: [{ index: 0, delta: {}, finish_reason: 'error', error }] });

  it.each<[string, unknown, number]>([
    ['context_length_exceeded', openAi('context_length_exceeded'), 400],
    ['content_policy_violation', openAi('content_policy_violation'), 400],
    ['content_filter', openAi('content_filter'), 400],
    ['string_above_max_length', openAi('string_above_max_length'), 400],
    ['invalid_prompt', openAi('invalid_prompt'), 400],
    ['unsupported_parameter', openAi('unsupported_parameter'), 400],
    ['invalid_image_url', openAi('invalid_image_url'), 400],
    ['model_not_found', openAi('model_not_found'), 404],
    ['request_too_large', openAi('request_too_large'), 413],
    ['a type without a code', openAi(null, { type: 'invalid_request_error' }), 400],
    ['a type of vLLM', { object: 'error', message: 'x', type: 'BadRequestError', param: null, code: 400 }, 400],
    ['a type of vLLM without a number', { object: 'error', message: 'x', type: 'BadRequestError' }, 400],
    ['a number, as OpenRouter has it', inChoice({ code: 400, message: 'x' }), 400],
    ['a number as a text', openAi('422'), 422],
    ['a list, as Gemini has it', [{ error: { code: 400, message: 'x', status: 'INVALID_ARGUMENT' } }], 400],
    ['an error aside, as Groq has it', { x_groq: { error: openAi('json_validate_failed').error } }, 400],
  ])('is a refusal if the request has caused it: %s', (_, body, status) => {
    expect(refusedWithin(JSON.stringify(body))).toMatchObject({
      cause: 'request',
      status,
      error: { message: 'x' },
    });
  });

  it.each<[string, unknown]>([
    ['of the provider', openAi('server_error')],
    ['of the provider, by a type', openAi(null)],
    ['of its load', openAi('rate_limit_exceeded', { type: 'invalid_request_error' })],
    ['of our key', openAi('invalid_api_key', { type: 'invalid_request_error' })],
    ['of our credit', openAi('insufficient_quota', { type: 'invalid_request_error' })],
    ['of our account, by its words', openAi('invalid_value', { message: 'Your organization must be verified.' })],
    ['of our country', openAi('unsupported_country_region_territory', { type: 'request_forbidden' })],
    ['of our account, by a number', openAi(403)],
    ['of its load, by a number', openAi(429, { type: 'invalid_request_error' })],
    ['of the provider, by a number', openAi(502, { type: 'invalid_request_error' })],
    ['without a word', { error: true }],
    ['that is no JSON', 'x'],
  ])('is no refusal: %s', (_, body) => {
    expect(refusedWithin(typeof body === 'string' ? body : JSON.stringify(body))).toBeUndefined();
  });
});
