import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../../src/proxy/formats/format.ts';
import type { Provider, ProviderRequest } from '../../../src/proxy/providers/provider.ts';
import type { Failure, Turn } from '../../support/upstreams/turn.ts';
import type { Upstream } from '../../support/upstreams/upstream.ts';
import { request } from '../examples.ts';
import { observed, type Observed } from './observed.ts';
import { describeProvider, type Scenario } from './provider.contract.ts';

/** What a wire format may not have. */
export type Lack =
  | 'cache writes'
  | 'reasoning tokens'
  | 'cache control'
  | 'signed thinking'
  | 'signed calls'
  | 'thinking'
  | 'JSON schema'
  | 'finish reasons of its own'
  /** The customer's bytes pass unchanged. */
  | 'translation';

export type UpstreamFixture = { readonly provider: Provider; readonly upstream: Upstream };

type Options = {
  readonly lacks?: readonly Lack[];
  /** Makes a job of the fields of a chat. */
  readonly jobOf?: (fields: object) => Job;
  /** The name of the model at the provider. */
  readonly model?: string;
};

const three = ['one ', 'two ', 'three'];

const scenarios: Readonly<Record<Scenario, Turn | Failure>> = {
  answers: { texts: three, usage: { input: 9, output: 3 } },
  'refuses the request': { failure: 'request' },
  'refuses our key': { failure: 'key' },
  'is overloaded': { failure: 'rate' },
  'breaks before the response': { fault: 'no response' },
  'breaks within the answer': { texts: three, fault: 'cut' },
  'hangs within the answer': { texts: three, fault: 'hang' },
};

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const clock = { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: {} } } };

const calls = [
  {
    id: 'call_1',
    name: 'get_weather',
    arguments: { city: 'Zürich "ü"', deep: [{ a: 1.5 }, null] },
    signature: 'sig-1',
  },
  { id: 'call_2', name: 'get_time', arguments: {} },
];

/** A PNG of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

const nothing = (): void => undefined;

/**
 * The rules of a provider with a scripted upstream of its wire format, for whole answers and for streams. They include
 * those of every provider.
 */
export const describeUpstream = (name: string, open: () => Promise<UpstreamFixture>, options: Options = {}): void => {
  describeProvider(name, async () => {
    const { provider, upstream } = await open();
    return {
      provider,
      play: (scenario) => {
        upstream.play(scenarios[scenario]);
        return {};
      },
      close: upstream.close,
    };
  });
  describe.each([
    ['a whole answer', {}],
    ['a stream', { stream: true }],
  ])(`the provider ${name}, in %s`, (_, streamed) => describeAnswers(open, options, streamed));
};

const describeAnswers = (
  open: () => Promise<UpstreamFixture>,
  { lacks = [], jobOf = request, model = 'm' }: Options,
  streamed: object,
): void => {
  let fixture: UpstreamFixture;
  beforeAll(async () => {
    fixture = await open();
  });
  afterAll(async () => {
    await fixture.provider.close();
    await fixture.upstream.close();
  });

  const lastAsked = () => fixture.upstream.asked.at(-1);
  const send = (fields: object, more: Partial<ProviderRequest> = {}) => {
    const job = jobOf({ ...fields, ...streamed });
    expect(fixture.provider.unsupported(job)).toBeUndefined();
    const watch = { heard: nothing, pause: nothing, expectEnd: nothing, isWanted: true };
    const { signal } = new AbortController();
    return fixture.provider.ask({ job, model, outputCap: undefined, signal, watch, ...more });
  };
  const ask = async (turn: Turn, fields: object = {}, more: Partial<ProviderRequest> = {}): Promise<Observed> => {
    fixture.upstream.play(turn);
    return observed(await send(fields, more));
  };
  /** The model of the upstream answers. */
  const converse = async (fields: object): Promise<Observed> => {
    fixture.upstream.play();
    return observed(await send(fields));
  };
  const has = (lack: Lack) => it.skipIf(lacks.includes(lack));

  describe('usage', () => {
    const texts = ['one'];
    it('is read in every class', async () => {
      const written = lacks.includes('cache writes') ? 0 : 20;
      const reasoning = lacks.includes('reasoning tokens') ? 0 : 10;
      const { usage } = await ask({ texts, usage: { input: 100, cached: 40, written, output: 30, reasoning } });
      expect(usage.usage).toEqual({ input: 100, cachedInput: 40, cacheWrite: written, output: 30, reasoning });
      expect(usage.anomalies).toEqual([]);
    });

    it.each<[string, number]>([
      ['negative', -5],
      ['not a whole number', 1.5],
      ['beyond the context', 10_000_000],
    ])('is not used if it is %s', async (_lie, input) => {
      const { usage, message } = await ask({ texts, usage: { input, output: 1 } });
      expect(usage.usage).toBeUndefined();
      expect(message.content).toBe('one');
    });

    it('is not used if it is missing', async () => {
      const { usage, finishReason } = await ask({ texts, usage: { raw: undefined } });
      expect(usage.usage).toBeUndefined();
      expect(finishReason).toBe('stop');
    });

    it('is counted once if the start of the answer comes twice', async () => {
      const { usage, message } = await ask({ texts, usage: { input: 7, output: 2 }, fault: 'repeated start' });
      expect(usage.usage).toMatchObject({ input: 7, output: 2 });
      expect(message.content).toBe('one');
    });
  });

  describe('the end', () => {
    it.each(['stop', 'length', 'content_filter'] as const)('has the reason %s', async (finish) => {
      const { finishReason, last } = await ask({ texts: ['one'], finish });
      expect(finishReason).toBe(finish);
      if (last) expect(last).toEqual({ kind: 'done' });
    });

    has('finish reasons of its own')('keeps the name that the provider gives it', async () => {
      const { nativeFinishReason } = await ask({ texts: ['one'], finish: 'content_filter' });
      expect(nativeFinishReason).toMatch(/SAFETY|refusal/);
    });
  });

  describe('tools', () => {
    it('are called in parallel, with their ids, names and arguments', async () => {
      const { message, finishReason } = await ask({ texts: ['I look.'], calls }, { tools: [weather, clock] });
      expect(finishReason).toBe('tool_calls');
      expect(message.content).toBe('I look.');
      expect(message.tool_calls.map(({ id, type, function: { name } }) => [id, type, name])).toEqual([
        ['call_1', 'function', 'get_weather'],
        ['call_2', 'function', 'get_time'],
      ]);
      expect(message.tool_calls.map((call) => JSON.parse(call.function.arguments) as unknown)).toEqual(
        calls.map((call) => call.arguments),
      );
    });

    it('are metered by name and arguments, without ids and signatures', async () => {
      const { billed } = await ask({ calls }, { tools: [weather, clock] });
      for (const text of ['get_weather', 'Zürich', 'get_time']) expect(billed).toContain(text);
      for (const text of ['call_1', 'sig-1']) expect(billed).not.toContain(text);
    });

    it('are declared, called, and answered with their results', async () => {
      const tools = [weather, clock];
      const first = { role: 'user', content: 'Use get_weather and get_time for Bern' };
      const { message } = await converse({ messages: [first], tools });
      expect(message.tool_calls.map((call) => JSON.parse(call.function.arguments) as unknown)).toEqual([
        { city: 'Bern' },
        {},
      ]);
      const results = message.tool_calls.map(({ id }, index) => ({
        ...{ role: 'tool', tool_call_id: id },
        content: ['21 degrees', 'noon'][index],
      }));
      const answer = await converse({ messages: [first, { role: 'assistant', ...message }, ...results], tools });
      expect(answer.message.content).toBe('The result is 21 degrees, noon.');
      expect(lastAsked()?.tools).toMatchObject([
        { name: 'get_weather', description: 'The weather of a city.', schema: weather.function.parameters },
        { name: 'get_time' },
      ]);
    });

    it.each([
      ['none', { kind: 'none' }],
      ['required', { kind: 'required' }],
      [
        { type: 'function', function: { name: 'get_time' } },
        { kind: 'tool', name: 'get_time' },
      ],
    ])('are chosen as the customer asks: %j', async (choice, read) => {
      await ask({ texts: ['one'] }, { tools: [weather, clock], tool_choice: choice });
      expect(lastAsked()?.settings.toolChoice).toEqual(read);
    });
  });

  describe('the request', () => {
    it('has the roles and texts of the conversation', async () => {
      const messages = [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'One?' },
        { role: 'assistant', content: 'Two.' },
        { role: 'user', content: [{ type: 'text', text: 'Three?' }] },
      ];
      const { message } = await converse({ messages });
      expect(message.content).toBe('You wrote: Three?');
      expect(lastAsked()?.messages.map(({ role, parts }) => [role, parts])).toMatchObject(
        ['Be brief.', 'One?', 'Two.', 'Three?'].map((text, index) => [
          ['system', 'user', 'assistant', 'user'][index],
          [{ kind: 'text', text }],
        ]),
      );
    });

    it('has the settings of the sampling, and the limits of the customer and of the credits', async () => {
      const settings = { temperature: 0.5, top_p: 0.9, stop: ['END'] };
      await ask({ texts: ['one'] }, { ...settings, max_tokens: 77 });
      expect(lastAsked()).toMatchObject({
        ...{ maxOutputTokens: 77, model },
        settings: { temperature: 0.5, topP: 0.9, stop: ['END'] },
      });
      await ask({ texts: ['one'] }, {}, { outputCap: 55 });
      expect(lastAsked()?.maxOutputTokens).toBe(55);
    });

    it('has the bytes of pictures', async () => {
      const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } };
      await ask(
        { texts: ['one'] },
        { messages: [{ role: 'user', content: [{ type: 'text', text: 'What?' }, picture] }] },
      );
      expect(lastAsked()?.messages).toMatchObject([
        {
          role: 'user',
          parts: [{ text: 'What?' }, { kind: 'image', source: { mediaType: 'image/png', data: PIXEL } }],
        },
      ]);
    });

    has('JSON schema')('has the schema of the output', async () => {
      const schema = {
        type: 'object',
        properties: { n: { type: 'integer' } },
        required: ['n'],
        additionalProperties: false,
      };
      const format = { type: 'json_schema', json_schema: { name: 'count', strict: true, schema } };
      const { message } = await converse({ response_format: format });
      expect(lastAsked()?.settings.output).toMatchObject({ kind: 'schema', schema });
      expect(JSON.parse(message.content)).toEqual({ n: 7 });
    });

    has('cache control')('has the breakpoints of the cache', async () => {
      const text = { type: 'text', text: 'A long text.', cache_control: { type: 'ephemeral' } };
      await ask({ texts: ['one'] }, { messages: [{ role: 'user', content: [text] }] });
      expect(lastAsked()?.messages).toMatchObject([{ parts: [{ text: 'A long text.', cached: true }] }]);
    });

    has('translation')('names no customer', async () => {
      await ask({ texts: ['one'] }, { user: 'person@example.com', metadata: { order: 'secret-1' } });
      expect(fixture.upstream.bodies.at(-1)).not.toMatch(/person@example.com|secret-1/);
    });
  });

  describe('thinking', () => {
    has('thinking')('arrives as reasoning, and is metered', async () => {
      const thinking = { text: 'I think.', signature: 'sig-9' };
      const { message, billed } = await ask({ thinking, texts: ['one'] }, { reasoning_effort: 'low' });
      expect(message).toMatchObject({ reasoning: 'I think.', content: 'one' });
      expect([billed.replace('I think.', ''), billed.replace('one', '')]).toEqual(['one', 'I think.']);
      expect(lastAsked()?.settings.thinking).toBeDefined();
    });

    has('signed thinking')('goes back with its signature', async () => {
      const thinking = { text: 'I think.', signature: 'sig-9' };
      const tools = [weather];
      const messages = [{ role: 'user', content: 'Go' }];
      const unsigned = [{ id: 'call_1', name: 'get_weather', arguments: { city: 'Bern' } }];
      const { message } = await ask({ thinking, calls: unsigned }, { reasoning_effort: 'low', tools });
      const result = { role: 'tool', tool_call_id: 'call_1', content: 'Sun' };
      await converse({
        messages: [...messages, { role: 'assistant', ...message }, result],
        ...{ reasoning_effort: 'low', tools },
      });
      const parts = lastAsked()?.messages.flatMap((one) => (one.role === 'assistant' ? [...one.parts] : []));
      const at = parts?.findIndex((part) => part.kind === 'thinking' && part.signature?.value === 'sig-9') ?? -1;
      expect(at).toBeGreaterThanOrEqual(0);
      expect(parts?.slice(at).some(({ kind }) => kind === 'tool_call')).toBe(true);
    });

    has('signed calls')('goes back with the signature of a call, before that call', async () => {
      const tools = [weather, clock];
      const messages = [{ role: 'user', content: 'Go' }];
      const { message } = await ask({ calls }, { tools });
      const results = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'Sun' }));
      await converse({ messages: [...messages, { role: 'assistant', ...message }, ...results], tools });
      const parts = lastAsked()?.messages.flatMap((one) => (one.role === 'assistant' ? [...one.parts] : []));
      expect(parts).toMatchObject([
        { kind: 'thinking', signature: { value: 'sig-1' } },
        { kind: 'tool_call', id: 'call_1' },
        { kind: 'tool_call', id: 'call_2' },
      ]);
    });
  });

  describe('an error', () => {
    it.each<[Failure['failure'], object]>([
      ['credit', { cause: expect.stringMatching(/account|overload/) as string }],
      ['overloaded', { cause: 'overload' }],
      ['broken', { cause: 'failure' }],
    ])('is a refusal by its cause, without the account: %s', async (failure, refusal) => {
      fixture.upstream.play({ failure });
      const answer = await send({});
      expect(answer).toMatchObject({ kind: 'refused', ...refusal });
      expect(JSON.stringify(answer)).not.toMatch(/credit balance|billing|quota|project|organization/i);
    });

    it('within the answer ends it as failed', async () => {
      const failing = ask({ texts: three, fault: 'error' });
      if (!('stream' in streamed)) return expect(failing).rejects.toThrow();
      const { last, message, finishReason } = await failing;
      expect(last).toMatchObject({ kind: 'failed', refusal: undefined });
      expect(message.content).toBe('one ');
      expect(finishReason).toBeNull();
    });
  });
};
