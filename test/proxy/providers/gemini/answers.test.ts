import { describe, expect, it } from 'vitest';
import { readUsage } from '../../../../src/proxy/metering/usage.ts';
import { refusalOf } from '../../../../src/proxy/providers/gemini/refusal.ts';
import { ProviderFailed } from '../../../../src/proxy/providers/provider.ts';
import { foreignJob } from '../foreign-job.ts';
import { askGemini, streamed, whole } from './wire.ts';
import { bodyOf } from '../../examples.ts';

const chunk = (parts: readonly object[], finishReason?: string, more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts }, ...(finishReason === undefined ? {} : { finishReason }) }],
  responseId: 'r-1/=',
  ...more,
});
const called = (name: string, more: object = {}) => ({ functionCall: { name, args: { a: 1 }, ...more } });

describe('a function call', () => {
  it('has the id of Google, or one that derives from the answer', async () => {
    const { content } = await whole(chunk([called('f'), called('g', { id: 'own' }), called('f')], 'STOP'));
    expect(content).toMatchObject({
      choices: [{ parts: [{ id: 'call_0_r-1' }, { id: 'own' }, { id: 'call_2_r-1' }], finishReason: 'tool_calls' }],
    });
    const events = await streamed(chunk([called('f')]), chunk([called('f')]), chunk([{ text: '' }], 'STOP'));
    expect(events).toMatchObject([
      { parts: [{ pieces: [{ index: 0, id: 'call_0_r-1' }] }] },
      { parts: [{ pieces: [{ index: 1, id: 'call_1_r-1' }] }] },
      { parts: [{ finishReason: 'tool_calls', nativeFinishReason: 'STOP' }] },
      { kind: 'done' },
    ]);
  });

  it('keeps every digit of its arguments', async () => {
    const args = '{"n":12345678901234567890,"x":1.10}';
    const { content } = await whole(
      `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":${args}}}]},"finishReason":"STOP"}]}`,
    );
    expect(content).toMatchObject({ choices: [{ parts: [{ arguments: args }] }] });
  });

  it('of a custom tool has the text', async () => {
    const job = foreignJob({ tools: [{ kind: 'custom', name: 'patch' }] });
    const json = chunk([{ functionCall: { name: 'patch', args: { input: 'a\nb' } } }], 'STOP');
    const { answer } = await askGemini({ body: bodyOf([JSON.stringify(json)]) }, { job });
    expect(answer).toMatchObject({
      content: { choices: [{ parts: [{ name: 'patch', arguments: 'a\nb', custom: true }] }] },
      metered: { texts: ['patcha\nb'] },
    });
  });
});

describe('a signature', () => {
  it('is before the part that it is about, and not metered', async () => {
    const { content, metered } = await whole(
      chunk(
        [
          { text: 'Hm. ', thought: true },
          { text: 'So.', thought: true },
          { text: 'one ', thoughtSignature: 'c2ln' },
          { text: 'two' },
          { text: '', thoughtSignature: 'ZW5k' },
        ],
        'STOP',
      ),
    );
    expect(content).toEqual({
      choices: [
        {
          parts: [
            { kind: 'thinking', text: 'Hm. So.' },
            { kind: 'thinking', text: '', signature: { from: 'gemini', value: 'c2ln' } },
            { kind: 'text', text: 'one two' },
            { kind: 'thinking', text: '', signature: { from: 'gemini', value: 'ZW5k' } },
          ],
          ...{ finishReason: 'stop', nativeFinishReason: 'STOP' },
        },
      ],
    });
    expect(metered.texts).toEqual(['Hm. So.one two']);
  });
});

describe('the end of an answer', () => {
  it.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['IMAGE_SAFETY', 'content_filter'],
  ])('has the reason %s as %s', async (native, reason) => {
    const { metered, content } = await whole(chunk([{ text: 'one' }], native));
    expect(metered.finishReason).toBe(reason);
    expect(content).toMatchObject({ choices: [{ finishReason: reason, nativeFinishReason: native }] });
  });

  it.each(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'OTHER', 'A_NEW_REASON', 'constructor'])(
    'is a failure with the reason %s',
    async (native) => {
      await expect(whole(chunk([{ text: 'one' }], native))).rejects.toBeInstanceOf(ProviderFailed);
      const events = await streamed(chunk([{ text: 'one' }]), chunk([], native), chunk([{ text: 'two' }], 'STOP'));
      expect(events.slice(1)).toEqual([{ kind: 'failed', refusal: undefined }]);
    },
  );

  it('is a filter if the prompt was refused', async () => {
    const blocked = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: { promptTokenCount: 9 } };
    const { metered, content } = await whole(blocked);
    expect(metered).toMatchObject({ finishReason: 'content_filter', usage: { promptTokenCount: 9 } });
    expect(content).toMatchObject({ choices: [{ parts: [], nativeFinishReason: 'PROHIBITED_CONTENT' }] });
    expect(await streamed(blocked)).toMatchObject([
      { kind: 'delta', usage: { promptTokenCount: 9 }, parts: [{ text: '', finishReason: 'content_filter' }] },
      { kind: 'done' },
    ]);
  });

  it('is missing if the body ends without a finish reason', async () => {
    expect(await streamed(chunk([{ text: 'one' }]))).toMatchObject([{ kind: 'delta' }]);
    await expect(whole({ candidates: [] })).rejects.toBeInstanceOf(ProviderFailed);
    await expect(whole('[1]')).rejects.toBeInstanceOf(ProviderFailed);
  });
});

describe('usage', () => {
  const usage = {
    ...{ promptTokenCount: 19, candidatesTokenCount: 4, toolUsePromptTokenCount: 56, thoughtsTokenCount: 63 },
    totalTokenCount: 142,
  };
  const plausible = { inputTokens: 1000, outputTokens: 1000, inputBound: 500, outputBound: 500 };

  it('has the prompts of tools as input, and the thoughts as output', async () => {
    const { metered } = await whole(chunk([{ text: 'one' }], 'STOP', { usageMetadata: usage }));
    expect(readUsage(metered.usage, { ...plausible, hidesReasoning: true, hasOutput: true })).toEqual({
      usage: { input: 75, cachedInput: 0, cacheWrite: 0, output: 4, reasoning: 63 },
      anomalies: [],
    });
  });

  it('is reported at the end of a stream, or with what breaks it', async () => {
    const interim = { promptTokenCount: 19, candidatesTokenCount: 1 };
    const begun = chunk([{ text: 'one' }], undefined, { usageMetadata: interim });
    const reports = async (...chunks: object[]) =>
      (await streamed(...chunks)).map((event) => ('usage' in event ? event.usage : undefined));
    const end = chunk([{ text: '' }], 'STOP', { usageMetadata: usage });
    expect(await reports(begun, end)).toEqual([undefined, usage, undefined]);
    expect(await reports(begun, { error: { code: 500, status: 'INTERNAL' } })).toEqual([undefined, interim]);
    expect(await reports(begun)).toEqual([undefined, interim]);
  });

  it.each([
    [{ serviceTier: 'standard' }, undefined],
    [{ serviceTier: 'priority' }, true],
    [{ trafficType: 'ON_DEMAND' }, undefined],
    [{ trafficType: 'ON_DEMAND_FLEX' }, true],
    [{ serviceTier: 7 }, true],
  ])('states the tier: %j', async (tier, other) => {
    const usageMetadata = { ...usage, ...tier };
    const { metered } = await whole(chunk([{ text: 'one' }], 'STOP', { usageMetadata }));
    expect(metered.otherTier).toBe(other);
    const [delta] = await streamed(chunk([{ text: 'one' }], 'STOP', { usageMetadata }));
    expect(delta && 'otherTier' in delta ? delta.otherTier : undefined).toBe(other);
  });
});

describe('an error', () => {
  const body = (status: string, message: string, details: readonly object[] = []): string =>
    JSON.stringify({ error: { code: 0, status, message, details } });

  it.each<[string, number, string, object]>([
    ['an invalid argument', 400, body('INVALID_ARGUMENT', 'Bad schema.'), { cause: 'request' }],
    ['an invalid key', 400, body('INVALID_ARGUMENT', 'x', [{ reason: 'API_KEY_INVALID' }]), { cause: 'account' }],
    ['our key', 400, body('INVALID_ARGUMENT', 'Consumer api_key:AIzaSyD-0 is blocked.'), { cause: 'account' }],
    ['our location', 400, body('FAILED_PRECONDITION', 'User location is not supported.'), { cause: 'account' }],
    ['permission', 403, body('PERMISSION_DENIED', 'x'), { cause: 'account' }],
    ['an unknown model', 404, body('NOT_FOUND', 'models/x is not found.'), { cause: 'request', status: 404 }],
    ['quota', 429, body('RESOURCE_EXHAUSTED', 'x', [{ retryDelay: '34.074s' }]), { retryAfterMs: 34_074 }],
    ['overload', 503, body('UNAVAILABLE', 'x'), { cause: 'overload', retryAfterMs: 1000 }],
    ['a deadline', 504, body('DEADLINE_EXCEEDED', 'x'), { cause: 'timeout' }],
    ['an internal error', 500, body('INTERNAL', 'x'), { cause: 'failure' }],
    ['a page of a proxy', 502, '<html>', { cause: 'failure' }],
    ['a proxy that limits', 429, '', { cause: 'overload' }],
    ['a list', 400, `[${body('INVALID_ARGUMENT', 'Bad.')}]`, { cause: 'request', error: { message: 'Bad.' } }],
    [
      'a long prompt',
      400,
      body('INVALID_ARGUMENT', 'The input token count (9) exceeds the maximum number of tokens allowed (8).'),
      { cause: 'request', error: { code: 'context_length_exceeded' } },
    ],
  ])('is read by its cause: %s', (_, status, text, refusal) => {
    expect(refusalOf(status, text, 1000)).toMatchObject(refusal);
  });

  it('passes on the message only if the request caused it', () => {
    expect(refusalOf(400, body('INVALID_ARGUMENT', 'Bad schema.'), undefined).error.message).toBe('Bad schema.');
    for (const text of [body('INVALID_ARGUMENT', 'projects/123 lacks it'), body('INTERNAL', 'projects/123')]) {
      expect(refusalOf(400, text, undefined).error.message).not.toContain('123');
    }
  });

  it('in place of an answer is a refusal if the request caused it', async () => {
    const bad = JSON.stringify({ error: { code: 400, status: 'INVALID_ARGUMENT', message: 'Bad schema.' } });
    const expected = { kind: 'refused', status: 400, within: true, error: { message: 'Bad schema.' } };
    expect((await askGemini({ body: bodyOf([bad]) })).answer).toMatchObject(expected);
    const stream = { contentType: 'text/event-stream', body: bodyOf([`data: ${bad}\n\n`]) };
    const job = foreignJob({}, { streamed: true });
    expect((await askGemini(stream, { job })).answer).toMatchObject(expected);
  });
});
