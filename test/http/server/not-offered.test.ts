import { describe, expect, it } from 'vitest';
import { noSuchMethod, noSuchPath } from '../../../src/http/server/not-offered.ts';

describe('the message of a 404', () => {
  it.each([
    ['/v1/v1/chat/completions', '/v1/chat/completions'],
    ['/v1/v1/v1/models', '/v1/models'],
    ['/chat/completions', '/v1/chat/completions'],
    ['/completions', '/v1/completions'],
    ['/embeddings', '/v1/embeddings'],
    ['/v1/v1/responses', '/v1/responses'],
    ['/messages', '/v1/messages'],
    ['/messages/count_tokens', '/v1/messages/count_tokens'],
    ['/models/gpt-4o', '/v1/models/gpt-4o'],
    ['/models/openai/gpt-4o', '/v1/models/openai/gpt-4o'],
    ['//v1/chat/completions', '/v1/chat/completions'],
    ['/v1//chat/completions', '/v1/chat/completions'],
    ['//chat//completions', '/v1/chat/completions'],
    ['/v1//v1//key', '/v1/key'],
    ['/api/v1/chat/completions', '/v1/chat/completions'],
    ['/openai/v1/chat/completions', '/v1/chat/completions'],
    ['/v1beta/openai/chat/completions', '/v1/chat/completions'],
  ])('says for %s which path is meant: %s', (path, meant) =>
    expect(noSuchPath('POST', path)).toBe(
      `There is no POST ${path} here. The path is ${meant}: check that the base URL ends with /v1 once, and without a slash.`,
    ),
  );

  it.each([
    ['/v1/responses/resp_1', 'Answers are not kept here: the rest of the Responses API'],
    ['/v1/responses/resp_1/cancel', 'Answers are not kept here: the rest of the Responses API'],
    ['/v1/images/generations', 'This part of the OpenAI API'],
    ['/v1/audio/speech', 'This part of the OpenAI API'],
    ['/v1/moderations', 'This part of the OpenAI API'],
    ['/v1/files', 'This part of the OpenAI API'],
    ['/v1/batches', 'This part of the OpenAI API'],
    ['/v1/chat/completions/chatcmpl-1', 'This part of the OpenAI API'],
    ['/v1/messages/batches', 'This part of the Anthropic API'],
    ['/v1/complete', 'This part of the Anthropic API'],
    ['/v1beta/models/gemini-2.5-pro:generateContent', 'The Gemini API'],
    ['/v1beta/models', 'The Gemini API'],
    ['/models/gemini-2.5-pro:streamGenerateContent', 'The Gemini API'],
  ])('says of %s that it is not offered, and what is', (path, api) => {
    const message = noSuchPath('POST', path);
    expect(message).toMatch(
      `There is no POST ${path} here. ${api} is not offered. Offered are POST /v1/chat/completions,`,
    );
    expect(message).toContain('GET /v1/models');
  });

  it('says of any other path what is offered', () =>
    expect(noSuchPath('GET', '/nothing')).toMatch(
      'There is no GET /nothing here. Offered are POST /v1/chat/completions',
    ));

  it('repeats no more of a long path than can be read', () => {
    for (const path of [`/${'x'.repeat(60_000)}`, `/models/${'x'.repeat(60_000)}`, '/'.repeat(60_000)]) {
      expect(noSuchPath('GET', path).length).toBeLessThan(600);
      expect(noSuchMethod('PUT', path, 'GET').length).toBeLessThan(600);
    }
  });
});

describe('the message of a 405', () => {
  it('names the methods that are allowed', () =>
    expect(noSuchMethod('PATCH', '/health', 'GET, HEAD')).toBe('PATCH is not allowed for /health, but GET, HEAD.'));

  it.each(['generateContent', 'streamGenerateContent', 'countTokens', 'embedContent', 'batchEmbedContents', 'predict'])(
    'says of a model with :%s that the Gemini API is not offered, and what is',
    (action) => {
      const message = noSuchMethod('POST', `/v1/models/gemini-2.5-pro:${action}`, 'GET, HEAD');
      expect(message).toContain('The Gemini API is not offered. Offered are POST /v1/chat/completions');
    },
  );
});
