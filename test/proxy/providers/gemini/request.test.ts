import { describe, expect, it } from 'vitest';
import type { AssistantPart, Conversation, ImagePart, Message } from '../../../../src/proxy/formats/conversation.ts';
import { createGeminiProvider } from '../../../../src/proxy/providers/gemini/gemini.ts';
import { request } from '../../examples.ts';
import { foreignJob } from '../foreign-job.ts';
import { askGemini, writtenFor } from './wire.ts';

const user = (text: string): Message => ({ role: 'user', parts: [{ kind: 'text', text }] });
const call = (id: string, name = 'f', args = '{}'): AssistantPart => ({ kind: 'tool_call', id, name, arguments: args });
const assistant = (...parts: readonly AssistantPart[]): Message => ({ role: 'assistant', parts });
const result = (callId: string, text = 'ok'): Message => ({ role: 'tool', callId, parts: [{ kind: 'text', text }] });
const signed = (value: string): AssistantPart => ({
  ...{ kind: 'thinking', text: '' },
  signature: { from: 'gemini', value },
});

const contentsFor = async (...messages: readonly Message[]) => (await writtenFor({ messages })).contents;

const provider = createGeminiProvider({
  ...{ name: 'test', baseUrl: 'http://127.0.0.1:9/v1beta', apiKey: 'k', firstByteTimeoutMs: 1, idleTimeoutMs: 1 },
});
const refused = (conversation: Partial<Conversation>) => provider.unsupported(foreignJob(conversation));

describe('signatures', () => {
  it('are on the part that follows them, or on an empty text at the end', async () => {
    const parts = assistant(signed('s1'), { kind: 'text', text: 'Hm.' }, signed('s2'), call('c1'), signed('s3'));
    const [, model] = await contentsFor(user('Go'), parts, result('c1'));
    expect(model?.parts).toEqual([
      { text: 'Hm.', thoughtSignature: 's1' },
      { functionCall: { id: 'c1', name: 'f', args: {} }, thoughtSignature: 's2' },
      { text: '', thoughtSignature: 's3' },
    ]);
  });

  it('are replaced by a placeholder for the first call of each step of the current turn', async () => {
    const contents = await contentsFor(
      ...[user('Go'), assistant(call('c1')), result('c1'), user('Again')],
      ...[assistant(call('c2'), call('c3')), result('c2'), result('c3')],
    );
    const marks = contents.flatMap(({ parts }) =>
      parts.flatMap((part) => ('functionCall' in part ? [part['thoughtSignature']] : [])),
    );
    expect(marks).toEqual([undefined, 'skip_thought_signature_validator', undefined]);
  });

  it('of other providers are left out with their reasoning', async () => {
    const thought: AssistantPart = {
      ...{ kind: 'thinking', text: 'Hm.' },
      signature: { from: 'anthropic', value: 's' },
    };
    const [, model] = await contentsFor(user('Go'), assistant(thought, { kind: 'text', text: 'Yes.' }), user('Why?'));
    expect(model?.parts).toEqual([{ text: 'Yes.' }]);
  });
});

describe('tool calls', () => {
  it('have their results in one content, each with the name of the nearest call of its id', async () => {
    const contents = await contentsFor(
      ...[user('Go'), assistant(call('c1', 'old')), result('c1'), user('Again')],
      ...[assistant(call('c1', 'new'), call('c2', 'other')), result('c2', 'two'), result('c1', 'one')],
    );
    expect(contents.at(-1)).toEqual({
      role: 'user',
      parts: [
        { functionResponse: { id: 'c2', name: 'other', response: { output: 'two' } } },
        { functionResponse: { id: 'c1', name: 'new', response: { output: 'one' } } },
      ],
    });
  });

  it('keep every digit of their arguments', async () => {
    const text = '{"n":12345678901234567890.10,"__proto__":{"a":1}}';
    const messages = [user('Go'), assistant(call('c1', 'f', text)), result('c1')];
    const { body } = await askGemini({ status: 500 }, { job: foreignJob({ messages }) });
    expect(body).toContain(text);
  });

  it.each([
    ['arguments that are no object', [user('Go'), assistant(call('c1', 'f', '[1]')), result('c1')]],
    ['arguments that are no JSON', [user('Go'), assistant(call('c1', 'f', '{"a":')), result('c1')]],
    ['a result without a call', [user('Go'), result('c9')]],
  ])('are refused with %s', (_, messages) => {
    expect(refused({ messages })).toMatchObject({ code: 'unsupported_parameter', param: 'messages' });
  });

  it('of custom tools are those of a function with one string', async () => {
    const tools = [{ kind: 'custom' as const, name: 'patch', description: 'Edits.' }];
    const custom: AssistantPart = {
      ...{ kind: 'tool_call', id: 'c1', name: 'patch' },
      arguments: '*** x',
      custom: true,
    };
    const body = await writtenFor({ messages: [user('Go'), assistant(custom), result('c1')], tools });
    expect(body.contents[1]?.parts[0]).toMatchObject({ functionCall: { args: { input: '*** x' } } });
    expect(body.tools?.[0]?.functionDeclarations).toMatchObject([
      { name: 'patch', description: 'Edits.', parametersJsonSchema: { required: ['input'] } },
    ]);
  });

  it('follow the schema if a tool is strict', async () => {
    const tools = [{ kind: 'function' as const, name: 'f', strict: true, schema: { type: 'object' } }];
    expect((await writtenFor({ tools })).toolConfig).toEqual({ functionCallingConfig: { mode: 'VALIDATED' } });
  });

  it('that failed have an error in place of an output', async () => {
    const failed: Message = { role: 'tool', callId: 'c1', isError: true, parts: [{ kind: 'text', text: 'no' }] };
    const contents = await contentsFor(user('Go'), assistant(call('c1')), failed);
    expect(contents.at(-1)?.parts).toMatchObject([{ functionResponse: { response: { error: 'no' } } }]);
  });
});

describe('pictures', () => {
  const picture = (url: string): ImagePart => ({ kind: 'image', source: { kind: 'url', url } });
  const inline: ImagePart = { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } };

  it('are read by Google from an https address that states their type', async () => {
    const fileUri = 'https://example.com/a/photo.JPG?size=2';
    const [content] = await contentsFor({ role: 'user', parts: [picture(fileUri)] });
    expect(content?.parts).toEqual([{ fileData: { mimeType: 'image/jpeg', fileUri } }]);
  });

  it.each([
    'http://example.com/a.png',
    'https://example.com/picture',
    'gs://bucket/a.png',
    'https://generativelanguage.googleapis.com/v1beta/files/abc.png',
    'not an address',
  ])('are refused at another address: %s', (url) => {
    expect(refused({ messages: [{ role: 'user', parts: [picture(url)] }] })).toMatchObject({ param: 'messages' });
  });

  it('of a result are part of it, or follow it for an older model', async () => {
    const shown: Message = { role: 'tool', callId: 'c1', parts: [{ kind: 'text', text: 'See' }, inline] };
    const messages = [user('Go'), assistant(call('c1')), shown];
    const data = { inlineData: { mimeType: 'image/png', data: 'AAAA' } };
    const response = { id: 'c1', name: 'f', response: { output: 'See' } };
    expect((await writtenFor({ messages })).contents.at(-1)?.parts).toEqual([
      { functionResponse: { ...response, parts: [data] } },
    ]);
    expect((await writtenFor({ messages }, 'gemini-2.5-flash')).contents.at(-1)?.parts).toEqual([
      { functionResponse: response },
      data,
    ]);
  });

  it('have one resolution', async () => {
    const low = { ...inline, detail: 'low' };
    const of = (...parts: ImagePart[]): Partial<Conversation> => ({ messages: [{ role: 'user', parts }] });
    expect((await writtenFor(of(low, low))).generationConfig).toMatchObject({
      mediaResolution: 'MEDIA_RESOLUTION_LOW',
    });
    expect((await writtenFor(of({ ...inline, detail: 'high' }))).generationConfig).toEqual({});
    expect(refused(of(low, inline))).toMatchObject({ param: 'detail' });
  });
});

describe('thinking', () => {
  it.each([
    [{ kind: 'off' }, { thinkingLevel: 'MINIMAL' }, { thinkingBudget: 0 }],
    [{ kind: 'adaptive' }, { includeThoughts: true }, { includeThoughts: true, thinkingBudget: -1 }],
    [
      { kind: 'budget', tokens: 2000 },
      { includeThoughts: true, thinkingBudget: 2000 },
      { includeThoughts: true, thinkingBudget: 2000 },
    ],
    [
      { kind: 'effort', effort: 'high' },
      { includeThoughts: true, thinkingLevel: 'HIGH' },
      { includeThoughts: true, thinkingBudget: 24_576 },
    ],
  ] as const)('is set as the model accepts it: %j', async (thinking, newer, older) => {
    const conversation = { settings: { thinking } };
    expect((await writtenFor(conversation)).generationConfig).toEqual({ thinkingConfig: newer });
    expect((await writtenFor(conversation, 'gemini-2.5-pro')).generationConfig).toEqual({ thinkingConfig: older });
  });
});

describe('the request', () => {
  it('has the priced tier, and is not stored', async () => {
    expect(await writtenFor({})).toMatchObject({ serviceTier: 'standard', store: false });
  });

  it('names the model and the method in its path', async () => {
    const { endpoint } = await askGemini({ status: 500 });
    expect(endpoint).toBe('/models/gemini-3.5-flash:generateContent');
    const job = foreignJob({}, { streamed: true });
    expect((await askGemini({ status: 500 }, { job, model: 'a/b' })).endpoint).toBe(
      '/models/a%2Fb:streamGenerateContent?alt=sse',
    );
  });

  it('has contents even if there is nothing but instructions', async () => {
    const body = await writtenFor({ messages: [{ role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] }] });
    expect(body.contents).toEqual([{ role: 'user', parts: [{ text: 'Be brief.' }] }]);
    expect(body.systemInstruction).toBeUndefined();
  });

  it.each([
    [{ n: 2 }, 'n'],
    [{ logit_bias: { 1: 1 } }, 'logit_bias'],
    [{ logprobs: true }, 'logprobs'],
    [{ verbosity: 'low' }, 'verbosity'],
    [{ reasoning_effort: 'huge' }, 'reasoning_effort'],
    [{ parallel_tool_calls: false, tools: [{ type: 'function', function: { name: 'f' } }] }, 'parallel_tool_calls'],
    [{ prompt_cache_retention: '24h' }, 'prompt_cache_retention'],
  ])('is refused by the name of what cannot be carried over: %j', (fields, param) => {
    expect(provider.unsupported(request(fields))).toMatchObject({ code: 'unsupported_parameter', param });
  });

  it('may have what only repeats a default', () => {
    expect(provider.unsupported(request({ verbosity: 'medium', parallel_tool_calls: true, n: 1 }))).toBeUndefined();
  });

  it('is refused with a format that has no conversation', () => {
    expect(provider.unsupported(request({ input: 'x' }, '/embeddings'))).toMatchObject({ param: 'model' });
  });
});
