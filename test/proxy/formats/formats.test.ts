import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBadRequest, type Job } from '../../../src/proxy/formats/format.ts';
import { withFields } from '../../../src/proxy/json/json-edit.ts';
import type { Endpoint } from '../../../src/proxy/providers/http/transport.ts';
import { jsonObject, jsonValue, readJob } from '../examples.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const chat = { model: 'm', messages };

const read = (body: unknown, endpoint: Endpoint = '/chat/completions') =>
  readJob(endpoint, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));

const good = (body: unknown, endpoint?: Endpoint): Job => {
  const request = read(body, endpoint);
  if (isBadRequest(request)) throw new Error(request.message);
  return request;
};

describe('a format', () => {
  it.each<[unknown, string]>([
    [[], 'The body: must be an object'],
    [{ messages }, 'model: must be a string of 1 to 256 characters'],
    [{ ...chat, model: 7 }, 'model: must be a string of 1 to 256 characters'],
    [{ ...chat, model: '' }, 'model: must be a string of 1 to 256 characters'],
    [{ ...chat, model: 'x'.repeat(257) }, 'model: must be a string of 1 to 256 characters'],
    [{ ...chat, stream: 'yes' }, 'stream: must be true or false'],
    [{ ...chat, stream_options: 7 }, 'stream_options: must be an object'],
    [{ ...chat, n: 0 }, 'n: must be a whole number from 1 to 128'],
    [{ ...chat, n: 129 }, 'n: must be a whole number from 1 to 128'],
    [{ ...chat, n: 1.5 }, 'n: must be a whole number from 1 to 128'],
    [{ ...chat, max_tokens: 0 }, 'max_tokens: must be a whole number of at least 1'],
    [{ ...chat, max_tokens: '9' }, 'max_tokens: must be a whole number of at least 1'],
    [{ model: 'm', messages: [] }, 'messages: must be a list of messages that is not empty'],
  ])('says of %j in words that no compiler uses: %s', (body, message) => {
    expect(read(body)).toMatchObject({ code: 'invalid_request', message });
  });

  it('reads what bounds the cost', () => {
    expect(good({ ...chat, stream: true, stream_options: { include_usage: true }, max_tokens: 7, n: 3 })).toMatchObject(
      {
        model: 'm',
        streamed: true,
        includeUsage: true,
        maxOutputTokens: 7,
        choices: 3,
      },
    );
    expect(good(chat)).toMatchObject({ streamed: false, includeUsage: false, maxOutputTokens: undefined, choices: 1 });
  });

  it('takes null for what is not said, as some SDKs do', () => {
    const nulls = { stream: null, stream_options: null, n: null, max_tokens: null, max_completion_tokens: null };
    const unpriced = { service_tier: null, web_search_options: null, audio: null, modalities: null };
    expect(good({ ...chat, ...nulls, ...unpriced })).toMatchObject({ streamed: false, maxOutputTokens: undefined });
  });

  it('bounds the output by the larger of two limits, for who knows which of them the provider heeds', () => {
    expect(good({ ...chat, max_tokens: 5, max_completion_tokens: 9 }).maxOutputTokens).toBe(9);
    expect(good({ ...chat, max_tokens: 9, max_completion_tokens: 5 }).maxOutputTokens).toBe(9);
  });

  it('asks for no usage where nothing streams', () => {
    expect(good({ ...chat, stream_options: { include_usage: true } }).includeUsage).toBe(false);
  });

  describe('of the legacy endpoint', () => {
    const legacy = (extra: object) => good({ model: 'm', prompt: 'x', ...extra }, '/completions');
    it.each<[object, number]>([
      [{}, 1],
      [{ n: 2 }, 2],
      [{ prompt: ['a', 'b', 'c'] }, 3],
      [{ prompt: ['a', 'b', 'c'], n: 2 }, 6],
      [{ prompt: [1, 2, 3] }, 1],
      [
        {
          prompt: [[1, 2], [3]],
        },
        2,
      ],
    ])('%o generates %i choices', (extra, choices) => expect(legacy(extra).choices).toBe(choices));

    it('generates 16 tokens where nothing is said', () => {
      expect(legacy({}).maxOutputTokens).toBe(16);
      expect(legacy({ max_tokens: 99 }).maxOutputTokens).toBe(99);
    });
  });

  it.each<[object, string]>([
    [{ echo: true }, 'echo'],
    [{ echo: 'yes' }, 'echo'],
    [{ best_of: 5 }, 'best_of'],
    [{ n: 2, best_of: 2 }, 'best_of'],
    [{ prompt_logprobs: 1 }, 'prompt_logprobs'],
  ])('refuses %o of the legacy format with the reason', (extra, param) =>
    expect(read({ model: 'm', prompt: 'x', ...extra }, '/completions')).toMatchObject({
      code: 'unsupported_parameter',
      message: expect.stringContaining('here. Leave it out'),
      param,
    }),
  );

  it('accepts these fields of the legacy format if they change nothing, and in a chat, which has none of them', () => {
    good({ model: 'm', prompt: 'x', echo: false, best_of: 1, prompt_logprobs: null }, '/completions');
    good({ ...chat, echo: true, best_of: 5 });
  });

  it('expects no output of embeddings', () => {
    for (const n of [undefined, null, 3, -1, 'x', [1]]) {
      expect(good({ model: 'm', input: 'x', n }, '/embeddings')).toMatchObject({ maxOutputTokens: 0, choices: 1 });
    }
  });

  it.each<[unknown, string | null]>([
    ['', null],
    ['{"model":"m"', null],
    [Buffer.from([0xff, 0xfe]).toString('latin1'), null],
  ])('finds no JSON in %j', (body, param) => expect(read(body)).toMatchObject({ code: 'invalid_json', param }));

  it.each<[unknown, string | null, Endpoint?]>([
    [[], null],
    ['7', null],
    [{ messages }, 'model'],
    [{ ...chat, model: '' }, 'model'],
    [{ ...chat, messages: [] }, 'messages'],
    [{ ...chat, max_tokens: 0 }, 'max_tokens'],
    [{ ...chat, max_tokens: 1.5 }, 'max_tokens'],
    [{ ...chat, max_completion_tokens: 1e300 }, 'max_completion_tokens'],
    [{ ...chat, n: 1000 }, 'n'],
    [{ ...chat, stream: 'true' }, 'stream'],
    [{ ...chat, stream_options: { include_usage: 1 } }, 'stream_options.include_usage'],
    [{ model: 'm' }, 'prompt', '/completions'],
    [{ model: 'm', input: [] }, 'input', '/embeddings'],
  ])('%j is blamed on %s', (body, param, endpoint) =>
    expect(read(body, endpoint)).toMatchObject({ code: 'invalid_request', param }),
  );

  it.each([
    [{ service_tier: 'priority' }, 'service_tier'],
    [{ service_tier: 'flex' }, 'service_tier'],
    [{ web_search_options: {} }, 'web_search_options'],
    [{ audio: { voice: 'alloy' } }, 'audio'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ tools: [{ type: 'browser_search' }] }, 'tools'],
    [{ tools: [{ type: 'function', function: { name: 'f' } }, { type: 'code_interpreter' }] }, 'tools'],
    [{ tools: [{ type: 'builtin_function', function: { name: '$web_search' } }] }, 'tools'],
    [{ tools: [{ type: 'web_search', web_search: { enable: true } }] }, 'tools'],
    [{ enable_search: true }, 'enable_search'],
    [{ search_parameters: { mode: 'auto' } }, 'search_parameters'],
    [{ plugins: [{ id: 'web' }] }, 'plugins'],
  ])('%o is not sold', (extra, param) =>
    expect(read({ ...chat, ...extra })).toMatchObject({ code: 'unsupported_parameter', param }),
  );

  it('sells tools that the customer runs, and what is switched off', () => {
    const tools = [
      { type: 'function', function: { name: 'f' } },
      { type: 'custom' },
      { function: {} },
      { type: null },
      7,
    ];
    for (const extra of [{ tools }, { tools: null }, { tools: 'x' }, { enable_search: false, plugins: null }]) {
      good({ ...chat, ...extra });
    }
  });

  it('sells the default tier and plain text', () => {
    for (const tier of ['auto', 'default']) good({ ...chat, service_tier: tier, modalities: ['text'] });
  });
});

describe('a body that two programs may read in two ways', () => {
  const inChat = (members: string): string => `{"model":"m","messages":[{"role":"user","content":"Hi"}],${members}}`;
  const inPart = (members: string): string =>
    `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hi",${members}}]}]}`;
  const inTool = (members: string): string =>
    inChat(`"tools":[{"type":"function","function":{"name":"f"},${members}}]`);
  const inSchema = (members: string): string =>
    inChat(`"tools":[{"type":"function","function":{"name":"f","parameters":{"properties":{${members}}}}}]`);

  it.each<[string, string]>([
    [inChat('"max_tokens":16000,"max_tokens":1'), 'max_tokens'],
    [inChat('"max_tokens":1,"max_tokens":1'), 'max_tokens'],
    [inChat('"max_tokens":16000,"\\u006dax_tokens":1'), 'max_tokens'],
    [inChat('"\\u006dax_token\\u0073":16000,"max\\u005ftokens":1'), 'max_tokens'],
    [`{"model":"gpt-4o",${inChat('"n":1').slice(1)}`, 'model'],
    [inChat('"temperature":1,"temperature":0'), 'temperature'],
    [inChat('"what_nobody_knows":1,"what_nobody_knows":0'), 'what_nobody_knows'],
    [inChat('"what":{"ever":{"a":1,"b":[{"c":1,"c":2}]}}'), 'c'],
    [inChat('"stream_options":{"include_usage":true,"include_usage":false}'), 'include_usage'],
    [inPart('"text":"another"'), 'text'],
    [inTool('"function":{"name":"g"}'), 'function'],
    [inSchema('"a":{},"a":{}'), 'a'],
    [inChat('"":1,"":2'), ''],
    [inChat('"__proto__":1,"__proto__":2'), '__proto__'],
    [inChat('"\\ud800":1,"\\ud800":2'), '\ud800'],
  ])('is refused for a name that comes twice: %s', (body, param) => {
    const refused = read(body);
    expect(refused).toMatchObject({ code: 'invalid_request', param });
    expect((refused as { message: string }).message).toContain(param);
  });

  it.each<[string, string]>([
    ...['MODEL', 'Model', 'mo\u0064eL', 'model\u0000', 'model\u0000x', ' model', 'model ', 'ｍｏｄｅｌ'].map(
      (name): [string, string] => [inChat(`${JSON.stringify(name)}:"gpt-4o"`), name],
    ),
    [inChat('"Max_Tokens":16000'), 'Max_Tokens'],
    [inChat('"maxTokens":16000'), 'maxTokens'],
    [inChat('"max-tokens":16000'), 'max-tokens'],
    [inChat('"MAX_COMPLETION_TOKENS":16000'), 'MAX_COMPLETION_TOKENS'],
    [inChat('"max_to\u212aens":16000'), 'max_to\u212aens'],
    [inChat('"me\u017f\u017fage\u017f":[]'), 'me\u017f\u017fage\u017f'],
    [inChat('"N":8'), 'N'],
    [inChat('"Service_Tier":"priority"'), 'Service_Tier'],
    [inChat('"\u017fervice_tier":"priority"'), '\u017fervice_tier'],
    [inChat('"serv\u0131ce_tier":"priority"'), 'serv\u0131ce_tier'],
    [inChat('"Stream":true'), 'Stream'],
    [inChat('"stream_options":{"Include_Usage":false}'), 'Include_Usage'],
    [inChat('"Store":true'), 'Store'],
    [inPart('"Prompt_Cache_Breakpoint":{"ttl":"12h"}'), 'Prompt_Cache_Breakpoint'],
    [inPart('"prompt_cache_breakpoint":{"TTL":"12h"}'), 'TTL'],
    [inPart('"Image_URL":{"url":"https://example.com/a.png"}'), 'Image_URL'],
    [inTool('"Type":"web_search"'), 'Type'],
    [inTool('"cache_control":{"Ttl":"1h"}'), 'Ttl'],
    [inChat('"tool_choice":{"Type":"web_search"}'), 'Type'],
  ])('is refused for a known name in another spelling: %s', (body, param) => {
    const refused = read(body);
    expect(refused).toMatchObject({ code: 'invalid_request', param });
    expect((refused as { message: string }).message).toMatch(/^.+: some providers read this name as [a-z_]+\. Write/s);
  });

  it.each([
    inChat('"WHAT_NOBODY_KNOWS":1,"what_nobody_knows":2'),
    inChat('"metadata":{"Model":"x","model":"y"},"logit_bias":{"N":1}'),
    inSchema('"Model":{"type":"string"},"model":{},"URL":{},"maxTokens":{},"ttl":{"type":"string"}'),
    inChat('"response_format":{"type":"json_schema","json_schema":{"name":"j","schema":{"properties":{"N":{}}}}}'),
    inChat('"chat_template_kwargs":{"Enable_Thinking":true}'),
    inChat('"thoughtSignature":"x","extra_content":{"google":{"thought_signature":"x"}}'),
    inPart('"annotations":[{"Type":1},{"Type":1}],"a":{"b":1},"c":{"b":1}'),
  ])('is none where names are the own ones of a customer: %s', (body) => void good(body));

  it('names no more of a long name than can be read', () => {
    const refused = read(inChat(`"${'x'.repeat(1_000_000)}":1,"${'x'.repeat(1_000_000)}":2`));
    expect((refused as { message: string }).message.length).toBeLessThan(200);
  });

  it('has one meaning, or is refused, whatever it is made of', () => {
    const name = fc.constantFrom('n', 'max_tokens', 'a', 'b', 'N');
    const member = fc.tuple(name, fc.constantFrom('1', '"x"', '[]', '{"a":1}', '{"a":1,"a":2}', '[{"b":{"b":1}}]'));
    fc.assert(
      fc.property(fc.array(member, { maxLength: 4 }), (members) => {
        const names = members.map(([one]) => one);
        const twice = new Set(names).size < names.length || members.some(([, value]) => value === '{"a":1,"a":2}');
        const text = inChat(['"x":1', ...members.map(([one, value]) => `"${one}": ${value}`)].join(' , '));
        const refused = isBadRequest(read(text)) ? (read(text) as { message: string }).message : '';
        expect(/twice/.test(refused) || /read this name/.test(refused)).toBe(twice || names.includes('N'));
      }),
    );
  });

  it('is refused where it is not UTF-8, of which each program makes something else', () => {
    const bytes = Buffer.from(inChat('"max_tokens\u00ff":1'), 'latin1');
    expect(readJob('/chat/completions', bytes)).toMatchObject({ code: 'invalid_json', param: null });
  });
});

describe('withFields', () => {
  // Numbers that no double holds, doubles that JSON.stringify writes otherwise, escapes, and spaces.
  const text =
    '{ "seed": 12345678901234567890,\n "temperature": 1.0, "model" : "m",  "top_p": 1e-1,' +
    ' "messages": [{"role": "user", "content": "na\\u00efve \\/ 😀 \\"model\\": \\"x\\" }"}], "logit_bias": {"model": -0.0} }';

  it('leaves the body itself where nothing changes', () => {
    const request = good(text);
    expect(withFields(request, {})).toBe(request.body);
  });

  it('puts what is new in front, and leaves every byte after it', () => {
    const changed = withFields(good(text), { stream_options: { include_usage: true } });
    expect(changed.toString()).toBe(`{"stream_options":{"include_usage":true},${text.slice(1)}`);
  });

  it('replaces what is there, and that alone', () => {
    const changed = withFields(good(text), { model: 'openai/gpt-"q"', max_tokens: 5 });
    expect(changed.toString()).toBe(
      `{"max_tokens":5,${text.slice(1).replace('"model" : "m"', '"model" : "openai/gpt-\\"q\\""')}`,
    );
  });

  it('calls a field by another name, wherever it stands, and leaves its value', () => {
    const request = good('{"max_completion_tokens" : 7,"messages":[{"max_completion_tokens":1}],"model":"m"}');
    const renamed = { max_completion_tokens: 'max_tokens' };
    expect(withFields(request, {}, renamed).toString()).toBe(
      '{"max_tokens" : 7,"messages":[{"max_completion_tokens":1}],"model":"m"}',
    );
    expect(withFields(request, { max_completion_tokens: 9 }, renamed).toString()).toBe(
      '{"max_tokens" : 9,"messages":[{"max_completion_tokens":1}],"model":"m"}',
    );
  });

  it('finds a name that is written with escapes', () => {
    const changed = withFields(good('{"\\u006dodel":"m","messages":[1]}'), { model: 'ours' });
    expect(JSON.parse(changed.toString())).toEqual({ model: 'ours', messages: [1] });
  });

  it('says the same as the object with the changes in it, whatever else there is', () =>
    fc.assert(
      fc.property(
        jsonObject,
        fc.dictionary(fc.constantFrom('model', 'max_tokens', 'stream_options', 'other'), jsonValue),
        fc.constantFrom(undefined, 2),
        (extra, changes, space) => {
          const unsold = { service_tier: 'default', web_search_options: null, audio: null, modalities: ['text'] };
          const common = { stream: false, stream_options: null, n: 1, max_tokens: 3, max_completion_tokens: 3 };
          const body = JSON.stringify({ ...extra, ...unsold, ...common, ...chat }, null, space);
          const changed = withFields(good(body), changes).toString();
          const expected = { ...(JSON.parse(body) as object), ...(JSON.parse(JSON.stringify(changes)) as object) };
          expect(JSON.parse(changed)).toEqual(expected);
        },
      ),
    ));
});
