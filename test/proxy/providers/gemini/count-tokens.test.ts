import { describe, expect, it } from 'vitest';
import { createGeminiWire } from '../../../../src/proxy/providers/gemini/gemini.ts';
import { ProviderFailed } from '../../../../src/proxy/providers/provider.ts';
import { bodyOf } from '../../examples.ts';
import { foreignJob } from '../foreign-job.ts';

const count = async (answer: string, status = 200, job = foreignJob()) => {
  const sent: string[] = [];
  const provider = createGeminiWire('test', {
    send: ({ endpoint, body }) => {
      sent.push(endpoint, Buffer.from(body).toString());
      return Promise.resolve({ status, contentType: 'application/json', body: bodyOf([answer]) });
    },
    close: () => Promise.resolve(),
  });
  const counted = await provider.countTokens?.({
    job,
    model: 'gemini-3.5-flash',
    signal: new AbortController().signal,
  });
  return { counted, sent };
};

describe('a count of tokens', () => {
  it('is of the whole request, as Google would read it', async () => {
    const { counted, sent } = await count('{"totalTokens":31}');
    expect(counted).toEqual({ kind: 'counted', inputTokens: 31 });
    expect(sent[0]).toBe('/models/gemini-3.5-flash:countTokens');
    expect(JSON.parse(sent[1] ?? '')).toEqual({
      generateContentRequest: {
        model: 'models/gemini-3.5-flash',
        contents: [{ role: 'user', parts: [{ text: 'How are you?' }] }],
        generationConfig: {},
      },
    });
  });

  it('is refused as the request would be', async () => {
    const error = JSON.stringify({ error: { status: 'INVALID_ARGUMENT', message: 'Bad schema.' } });
    expect((await count(error, 400)).counted).toMatchObject({ kind: 'refused', cause: 'request' });
    expect((await count('', 200, foreignJob({ others: { logit_bias: {} } }))).counted).toBeUndefined();
  });

  it.each(['{}', '{"totalTokens":-1}', '{"totalTokens":1.5}', '[]'])('is not accepted if it is %s', async (answer) => {
    await expect(count(answer)).rejects.toBeInstanceOf(ProviderFailed);
  });
});
