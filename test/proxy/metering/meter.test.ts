import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withCost } from '../../../src/proxy/formats/openai-usage.ts';
import { withMember } from '../../../src/proxy/json/json-text.ts';
import { readAnswer } from '../../../src/proxy/providers/openai/answer.ts';
import { textOfMessage } from '../../../src/proxy/providers/openai/delta-text.ts';
import { createStreamMeter } from './stream-meter.ts';
import { chunk, jsonObject, lastChunk, name, sse, usage, usageChunk } from '../examples.ts';

/** Feeds pieces, and tells what passed and what was made of it. */
const meter = (pieces: Iterable<Uint8Array | string>) => {
  const stream = createStreamMeter();
  let passed = '';
  for (const piece of pieces) {
    const passing = stream.feed(typeof piece === 'string' ? Buffer.from(piece) : piece);
    passed += typeof passing === 'string' ? passing : Buffer.from(passing).toString();
  }
  return { passed, stream, metered: stream.metered() };
};

const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const places = [...new Set([0, ...at.map((place) => place % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  return places.slice(1).map((to, n) => bytes.subarray(places[n], to));
};

/** As any client reads a stream. */
const eventsOf = (text: string) => {
  const events: { event: string | undefined; data: string }[] = [];
  const parser = createParser({ onEvent: ({ event, data }) => events.push({ event, data }) });
  parser.feed(text);
  return events;
};

const words = ['na', 'ïve ', '😀', ' 家族', '👩‍👩‍👧', ' "{[DONE]}"', '\ndata: x', ''];
/** Of mistral-medium-2604. */
const thinking = (text: string) => ({ content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] });
const answer = [chunk({ role: 'assistant', content: '' }), ...words.map((content) => chunk({ content })), lastChunk];
const whole = sse(...answer, usageChunk(9, 7), '[DONE]');

describe('a stream meter', () => {
  it('passes on what came, but for the usage and the end', () => {
    const { passed, stream, metered } = meter([whole]);
    expect(passed).toBe(sse(...answer));
    expect(stream).toMatchObject({ state: 'done', delivered: true, usageChunk: { choices: [], usage: usage(9, 7) } });
    expect(metered).toEqual({
      upstreamId: 'chatcmpl-1',
      finishReason: 'stop',
      usage: usage(9, 7),
      texts: [words.join('')],
    });
  });

  it('keeps the texts of choices apart, for no token is of two', () => {
    const says = (index: number, content: string): string => chunk({}, { choices: [{ index, delta: { content } }] });
    const turns = [says(0, 'Her'), says(1, '='), says(0, 'e'), says(1, '='), says(0, '.'), says(1, '!')];
    expect(meter([sse(...turns)]).metered.texts).toEqual(['Here.', '==!']);
  });

  it('passes bytes on as they are, where they end with an event', () => {
    const bytes = Buffer.from(sse(...answer));
    expect(createStreamMeter().feed(bytes)).toBe(bytes);
  });

  it('reads byte by byte', () => {
    const { passed, metered } = meter(cut(Buffer.from(whole), [...Buffer.from(whole).keys()]));
    expect(passed).toBe(sse(...answer));
    expect(metered.texts).toEqual([words.join('')]);
  });

  it('gives the same text however a stream is cut', () =>
    fc.assert(
      fc.property(fc.array(fc.nat()), (at) => {
        const { passed, stream, metered } = meter(cut(Buffer.from(whole), at));
        expect(passed).toBe(sse(...answer));
        expect(stream.state).toBe('done');
        expect(metered).toEqual(meter([whole]).metered);
      }),
    ));

  const isJsonObject = (data: string): boolean => {
    try {
      return Object.prototype.toString.call(JSON.parse(data)) === '[object Object]';
    } catch {
      return false;
    }
  };

  it('gives the same events however a stream is written and cut', () => {
    const event = fc.oneof(
      fc.record({
        data: fc.oneof(fc.constant(chunk({ content: 'ü' })), fc.string({ unit: 'grapheme' }), fc.constant(lastChunk)),
      }),
      fc.record({
        data: fc.constantFrom('{"one":\n2,\n\n"three":3}', 'one\ntwo\n\nthree'),
        event: fc.constantFrom('ping', 'message'),
      }),
      fc.record({ comment: fc.constantFrom('', ' keep-alive', 'x') }),
    );
    const written = (
      one: { data?: string; event?: string; comment?: string },
      newline: string,
      space: string,
    ): string => {
      if (one.comment !== undefined) return `:${one.comment}${newline}`;
      const lines = (one.data ?? '').split(/\r\n|\r|\n/).map((line) => `data:${space}${line}`);
      return [...(one.event === undefined ? [] : [`event: ${one.event}`]), ...lines, '', ''].join(newline);
    };
    fc.assert(
      fc.property(fc.array(event), fc.constantFrom('\n', '\r\n'), fc.array(fc.nat()), (events, newline, at) => {
        const text = events.map((one) => written(one, newline, ' ')).join('') + `data: [DONE]${newline}${newline}`;
        const { passed, stream } = meter(cut(Buffer.from(text), at));
        expect(eventsOf(passed)).toEqual(eventsOf(text).filter(({ data }) => isJsonObject(data)));
        expect(stream.state).toBe('done');
        expect(stream.events).toBe(eventsOf(text).length);
      }),
    );
  });

  it('takes no comment for an event', () => {
    const { stream } = meter([': keep-alive\n\n', ':\n\n', ': OPENROUTER PROCESSING\n\n']);
    expect(stream).toMatchObject({ events: 0, state: 'open', delivered: false });
  });

  it.each([
    ['a role', { role: 'assistant', content: '' }, ''],
    ['content', { content: 'a' }, 'a'],
    ['nothing', { content: null }, ''],
    ['a refusal', { refusal: 'no' }, 'no'],
    ['reasoning', { reasoning_content: 'hm' }, 'hm'],
    ['the name of a tool', { tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '' } }] }, 'f'],
    ['arguments', { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] }, '{"a"'],
    ['thoughts that come under two names once', { reasoning: 'hm', reasoning_content: 'hm' }, 'hm'],
    ['no channel, which is a word in each chunk of gpt-oss at Groq', { reasoning: 'hm', channel: 'analysis' }, 'hm'],
    [
      'thoughts that stand between tags of the content as well once, as MiniMax tells them',
      { content: '<think>\nhm', reasoning_content: 'hm', reasoning_details: [{ type: 'reasoning.text', text: 'hm' }] },
      '<think>\nhm',
    ],
    [
      'no name of who speaks, which is in each chunk of MiniMax, nor its sound',
      { role: 'assistant', name: 'MiniMax AI', content: 'a', audio_content: '4944' },
      'a',
    ],
    ['nothing of such a chunk without words', { role: 'assistant', name: 'MiniMax AI', audio_content: '' }, ''],
    [
      'no seal of thoughts, as Gemini has it',
      {
        role: 'assistant',
        thought_signature: 'AVSoXO4AzAXs7GGvOY63fp8C',
        extra_content: { google: { thought: true, thought_signature: 'AVSoXO4AzAXs7GGvOY63fp8C' } },
      },
      '',
    ],
    ['no seals of other makes', { signature: 'x', encrypted_content: 'x', reasoning_opaque: 'x' }, ''],
    ['no words about a message', { id: 'msg_1', type: 'message', tool_call_id: 'call_1', phase: 'commentary' }, ''],
    [
      'thoughts that come in parts alone',
      { content: '', reasoning_details: [{ type: 'reasoning.text', text: '15 * 27', format: 'f', index: 0 }] },
      '15 * 27',
    ],
    [
      'what may be read of thoughts in parts',
      {
        reasoning: null,
        reasoning_details: [
          { type: 'reasoning.summary', summary: 'hm' },
          { type: 'reasoning.encrypted', data: 'gAAAAABpPB8l' },
          null,
        ],
      },
      'hm',
    ],
    [
      'thoughts that come in one and in parts once',
      { content: '', reasoning: 'hm', reasoning_details: [{ type: 'reasoning.text', text: 'hm' }] },
      'hm',
    ],
    ['thoughts in parts of parts, as Mistral has them', thinking('hm'), 'hm'],
    ['words in parts', { content: [{ type: 'text', text: 'a' }, null, 7, { type: 'reference' }] }, 'a'],
    ['the older form of both', { function_call: { name: 'f', arguments: '{}' } }, 'f{}'],
    ['what nobody knows', { tool_calls: [null, 7, {}], surprise: { deep: 'x' } }, ''],
  ])('meters %s', (_name, delta, text) => {
    const { stream, metered } = meter([sse(chunk(delta))]);
    expect(metered.texts.join('')).toBe(text);
    expect(stream.delivered).toBe(text !== '');
  });

  it('meters legacy completions', () => {
    const { metered } = meter([sse('{"id":"cmpl-1","choices":[{"text":"a","index":0,"finish_reason":"length"}]}')]);
    expect(metered).toMatchObject({ texts: ['a'], upstreamId: 'cmpl-1', finishReason: 'length' });
  });

  it('meters a call of a tool beside an empty text, as Together tells it', () => {
    const delta = {
      role: 'assistant',
      content: null,
      tool_calls: [{ index: 0, function: { name: 'f', arguments: '' } }],
    };
    const choices = [{ index: 0, text: '', logprobs: null, finish_reason: null, delta }];
    expect(meter([sse(chunk({}, { choices }))])).toMatchObject({
      metered: { texts: ['f'] },
      stream: { delivered: true },
    });
    const said = [{ index: 0, text: 'a', delta: { token_id: 30, role: 'assistant', content: 'a', tool_calls: null } }];
    expect(meter([sse(chunk({}, { choices: said }))]).metered.texts).toEqual(['a']);
  });

  it('keeps the last usage, wherever it came, and tells of none before the end', () => {
    // xAI and Gemini count up in every chunk.
    const { passed, stream, metered } = meter([
      sse(chunk({ content: 'a' }, { usage: usage(9, 1) }), chunk({ content: 'b' }, { usage: usage(9, 2) }), lastChunk),
    ]);
    expect(metered.usage).toEqual(usage(9, 2));
    expect(passed).toBe(sse(chunk({ content: 'a' }), chunk({ content: 'b' }), lastChunk));
    expect(stream.usageChunk).toMatchObject({ choices: [], usage: usage(9, 2) });
  });

  it('leaves no null where we asked for a usage, or where there is no fingerprint, and changes nothing else', () => {
    const said = '"choices":[{"index":0,"delta":{"content":"a","usage":null},"logprob":1.50}]';
    for (const data of [
      `{${said},"usage":null}`,
      `{"usage" : null , ${said}}`,
      `{"system_fingerprint":null,${said},"usage":null}`,
      `{${said},"usage":null,"usage":null}`,
    ]) {
      expect(meter([sse(data)]).passed).toBe(sse(`{${said}}`));
    }
    const { stream } = meter([sse(chunk({}, { choices: [], usage: usage(9, 2), system_fingerprint: null }))]);
    expect(stream.usageChunk).not.toHaveProperty('system_fingerprint');
    const kept = chunk({ content: 'a' }, { system_fingerprint: 'fp', service_tier: null });
    expect(meter([sse(kept)]).passed).toBe(sse(kept));
  });

  it('withholds a usage that comes with no choices, whatever stands in their place', () => {
    for (const choices of [[], null, undefined, {}]) {
      const { passed, metered } = meter([sse(chunk({}, { choices, usage: usage(9, 2) }))]);
      expect(passed).toBe('');
      expect(metered.usage).toEqual(usage(9, 2));
    }
  });

  it('finds the usage that Groq tells aside', () => {
    const choices = [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }];
    const aside = chunk({}, { choices, x_groq: { id: 'req_1', usage: { queue_time: 0.07, ...usage(23, 19) } } });
    const { passed, stream, metered } = meter([sse(aside, '[DONE]')]);
    expect(metered).toMatchObject({ usage: usage(23, 19), finishReason: 'stop' });
    expect(stream.usageChunk).toMatchObject({ choices: [], usage: usage(23, 19) });
    expect(passed).toBe(sse(aside));
  });

  it('finds the usage that Moonshot tells in a choice, and the one that it tells after that', () => {
    const choices = [{ index: 0, delta: {}, finish_reason: 'stop', usage: usage(9, 2) }];
    const last = sse(chunk({ content: 'a' }), chunk({}, { choices }));
    expect(meter([last]).metered).toMatchObject({ usage: usage(9, 2), finishReason: 'stop' });
    expect(meter([last, sse(usageChunk(9, 3), '[DONE]')]).metered.usage).toEqual(usage(9, 3));
    // Where it tells it at the top as well, that counts.
    const both = chunk({}, { choices, usage: usage(9, 4) });
    expect(meter([sse(both)]).metered.usage).toEqual(usage(9, 4));
  });

  it('knows what was said after the usage, which counts what it comes with', () => {
    const counting = chunk({ content: 'a' }, { usage: usage(9, 1) });
    const [more, other] = [chunk({ content: 'b' }), chunk({}, { choices: [{ index: 1, delta: { content: 'c' } }] })];
    expect(meter([sse(counting)]).metered.unreported).toBeUndefined();
    expect(meter([sse(chunk({ content: 'a' }))]).metered.unreported).toBeUndefined();
    expect(meter([sse(counting, more, other, more)]).metered.unreported).toEqual(['bb', 'c']);
    expect(meter([sse(usageChunk(9, 1), more)]).metered.unreported).toEqual(['b']);
    expect(meter([sse(counting, more, usageChunk(9, 2))]).metered.unreported).toBeUndefined();
    expect(meter([sse(more, counting, lastChunk, '[DONE]', more)]).metered.unreported).toBeUndefined();
  });

  it('takes a usage that comes after the end, where there was none before', () => {
    const late = meter([sse(chunk({ content: 'a' }), '[DONE]'), sse(usageChunk(9, 2))]);
    expect(late.metered.usage).toEqual(usage(9, 2));
    expect(late.passed).toBe(sse(chunk({ content: 'a' })));
    expect(meter([sse(usageChunk(9, 1), '[DONE]', usageChunk(9, 2))]).metered.usage).toEqual(usage(9, 1));
  });

  it('takes an empty finish reason for none', () => {
    const choices = [{ index: 0, delta: { role: null, content: 'a', tool_calls: null }, finish_reason: '' }];
    const { stream, metered } = meter([sse(chunk({}, { choices, usage: null }))]);
    expect(metered).toMatchObject({ finishReason: null, texts: ['a'] });
    expect(stream.finishes).toEqual([]);
  });

  it('does not mind choices that are none', () => {
    const { passed, metered } = meter([sse('{"choices":[null,7,"x",{"delta":null},{"delta":{"content":"a"}}]}')]);
    expect(metered.texts).toEqual(['a']);
    expect(eventsOf(passed)).toHaveLength(1);
  });

  it.each([
    ['OpenRouter', chunk({ content: '' }, { error: { code: 502, message: 'Overloaded' } })],
    [
      'OpenRouter, in the choice',
      chunk({}, { choices: [{ delta: {}, finish_reason: 'error', error: { code: 502 } }] }),
    ],
    ['Groq, aside', chunk({}, { x_groq: { id: 'req_1', error: 'over capacity' } })],
    ['Mistral', '{"object":"error","message":"Overloaded","type":"internal_server_error","code":"1000"}'],
    ['Gemini', '{"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}'],
    ['Zhipu', chunk({}, { choices: [{ index: 0, delta: { content: '' }, finish_reason: 'network_error' }] })],
    [
      'DeepSeek',
      chunk(
        {},
        { choices: [{ index: 0, delta: {}, finish_reason: 'insufficient_system_resource' }], usage: usage(9, 1) },
      ),
    ],
    ['MiniMax', '{"choices":null,"base_resp":{"status_code":2056,"status_msg":"usage limit exceeded"}}'],
  ])('hears an error in the words of %s', (_name, error) => {
    const { passed, stream } = meter([sse(chunk({ content: 'a' }), error, chunk({ content: 'b' }), '[DONE]')]);
    expect(stream.state).toBe('failed');
    expect(passed).toBe(sse(chunk({ content: 'a' })));
  });

  it('hears an error that is one by its name alone', () => {
    for (const data of ['{"message":"Overloaded"}', 'Overloaded']) {
      const { passed, stream } = meter([`event: error\ndata: ${data}\n\n`]);
      expect(stream.state).toBe('failed');
      expect(passed).toBe('');
    }
  });

  it('takes no status of 0 for an error', () => {
    const fine = { choices: [], usage: usage(9, 1), base_resp: { status_code: 0, status_msg: '' } };
    expect(meter([sse(chunk({ content: 'a' }), chunk({}, fine))]).stream.state).toBe('open');
  });

  it("takes no error of Azure's filter for one of the stream", () => {
    const filtered = { content_filter_result: { error: { code: 'content_filter_error', message: 'not filtered' } } };
    const choices = [{ index: 0, delta: {}, finish_reason: 'stop', ...filtered }];
    const prompt = { id: '', model: '', object: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] };
    const chunks = [JSON.stringify(prompt), chunk({ content: 'a' }), chunk({}, { choices })];
    const { passed, stream, metered } = meter([sse(...chunks)]);
    expect(stream).toMatchObject({ state: 'open', delivered: true });
    expect(passed).toBe(sse(...chunks));
    // The first chunk is of nothing, and has an id of nothing.
    expect(metered.upstreamId).toBe('chatcmpl-1');
  });

  it('has heard the last word when an error came, whatever follows it', () => {
    const error = '{"error":{"message":"Overloaded","type":"server_error"}}';
    for (const pieces of [
      [sse(chunk({ content: 'a' }), error, chunk({ content: 'b' }), '[DONE]')],
      [sse(error), sse('[DONE]')],
    ]) {
      const { passed, stream, metered } = meter(pieces);
      expect(stream.state).toBe('failed');
      expect(passed).not.toContain('Overloaded');
      expect(passed).not.toContain('[DONE]');
      expect(metered.texts.join('')).not.toContain('b');
    }
  });

  it('lets nothing pass after [DONE]', () => {
    const { passed, stream, metered } = meter([sse('[DONE]', chunk({ content: 'late' }))]);
    expect(passed).toBe('');
    expect(stream).toMatchObject({ state: 'done', delivered: false });
    expect(metered.texts).toEqual([]);
  });

  it('passes on what it does not understand', () => {
    const odd = sse('{}', '{"choices":7}', '{"choices":[]}', '{"choices":[null,7]}', '{"error":null}');
    const { passed, stream } = meter([odd]);
    expect(passed).toBe(odd);
    expect(stream.state).toBe('open');
  });

  it('keeps back what is no JSON object', () => {
    const { passed, stream } = meter([
      sse('not json', chunk({ content: 'a' }), '7', 'null', '[]', '"words"', '{"id":'),
    ]);
    expect(passed).toBe(sse(chunk({ content: 'a' })));
    expect(stream).toMatchObject({ state: 'open', delivered: true, output: [{ choice: 0, text: 'a' }] });
  });

  it('keeps back lines of no field, such as an answer that came whole under the name of a stream', () => {
    const answer = '{"choices":[{"message":{"content":"a"}}]}\n\n';
    const { passed, stream } = meter([sse(chunk({ content: 'a' })), answer, `${answer}${sse(lastChunk)}`]);
    expect(passed).toBe(sse(chunk({ content: 'a' }), lastChunk));
    expect(stream.state).toBe('open');
  });

  it('meters what is said beside a text that says less', () => {
    const beside = chunk({}, { choices: [{ index: 0, text: 'a', delta: { content: 'a', reasoning: ' b c' } }] });
    expect(meter([sse(beside)]).metered.texts).toEqual(['a b c']);
    const whole = { choices: [{ text: 'a', message: { content: 'a b c' } }] };
    expect(readAnswer(JSON.stringify(whole))).toMatchObject({ texts: ['a b c'] });
  });

  it('keeps back the name of an event that has no data, which the official client takes for one', () => {
    const ping = 'event: ping\n\n';
    for (const pieces of [[ping], [sse(lastChunk) + ping], [': here\n\n' + ping, ping]]) {
      expect(meter(pieces).passed).not.toContain('ping');
    }
    expect(meter([`event: x\n${sse(lastChunk)}`]).passed).toBe(`event: x\n${sse(lastChunk)}`);
  });

  it('takes no longer for a choice that says in each of its chunks how it finished', () => {
    const stream = createStreamMeter();
    const said = Buffer.from(
      sse(chunk({}, { choices: [{ index: 0, delta: { content: 'a' }, finish_reason: 'stop' }] })),
    );
    for (let chunks = 0; chunks < 150_000; chunks++) stream.feed(said);
    expect(new Set(stream.finishes)).toEqual(new Set([0]));
  });

  it('finds thoughts that are told twice without looking all over for them', () => {
    const half = 'a'.repeat(1_000_000);
    const [thoughts, content] = [`${half}b${half}`, `${half}${half}${half}${half}`];
    expect(textOfMessage({ content, reasoning: thoughts })).toHaveLength(content.length + thoughts.length);
    const tagged = `<think>\n\n${thoughts}\n\n</think>\n\nb`;
    expect(textOfMessage({ content: tagged, reasoning: thoughts })).toBe(tagged);
  });

  it('reads thoughts in parts, however deep they lie', () => {
    const [deep, parts] = [20_000, '[{"type":"thinking","text":"a","thinking":'];
    const content = `${parts.repeat(deep)}"b"${'}]'.repeat(deep)}`;
    const { metered } = meter([sse(`{"choices":[{"index":0,"delta":{"content":${content}}}]}`)]);
    expect(metered.texts).toEqual([`${'a'.repeat(deep)}b`]);
  });

  it('takes a usage that comes with an error', () => {
    const { passed, stream, metered } = meter([
      sse(`{"error":{"message":"m"},"usage":${JSON.stringify(usage(9, 1))}}`),
    ]);
    expect(passed).toBe('');
    expect(stream).toMatchObject({ state: 'failed', delivered: false });
    expect(metered.usage).toEqual(usage(9, 1));
  });

  it('waits for the end of an event, and takes the end of the stream for it', () => {
    for (const end of ['', '\n', '\r\n']) {
      const { passed, stream } = meter([`data: ${usageChunk(9, 1)}\n\ndata: ${chunk({ content: 'a' })}${end}`]);
      expect(passed).toBe('');
      stream.close();
      expect(stream.passing.map(({ event }) => event.wire?.())).toEqual([sse(chunk({ content: 'a' }))]);
      expect(stream).toMatchObject({ output: [{ text: 'a' }], delivered: true });
    }
  });

  it('makes nothing of an event that breaks off, nor of the end of a stream that has ended well', () => {
    for (const pieces of [[`data: ${chunk({ content: 'a' }).slice(0, -1)}`], [sse(chunk({ content: 'a' }))], []]) {
      const { stream } = meter(pieces);
      const { events, output } = stream;
      const said = [...output];
      stream.close();
      expect(stream.passing).toEqual([]);
      expect(stream.output).toEqual(said);
      expect(stream.events - events).toBe(pieces[0]?.endsWith('\n') === false ? 1 : 0);
    }
  });

  it('hears of the end without a blank line after it', () => {
    const { stream } = meter([sse(chunk({ content: 'a' })), 'data: [DONE]']);
    expect(stream.state).toBe('open');
    stream.close();
    expect(stream.state).toBe('done');
  });
});

describe('an event without an end', () => {
  it('breaks the stream, and is not kept for ever', () => {
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    const { passed, stream, metered } = meter([
      sse(chunk({ content: 'hi' })),
      'data: ',
      ...Array<Buffer>(70).fill(megabyte),
    ]);
    expect(stream).toMatchObject({ state: 'failed', delivered: true });
    expect(metered.texts).toEqual(['hi']);
    expect(passed).toBe(sse(chunk({ content: 'hi' })));
    expect(stream.feed(Buffer.from(`\n\n${sse(chunk({ content: 'more' }))}`))).toBe('');
    stream.close();
    expect(stream.metered().texts).toEqual(['hi']);
  });
});

describe('readAnswer', () => {
  const message = { role: 'assistant', content: 'Fine.', refusal: null };
  it('reads chat, legacy and embeddings', () => {
    const choices = [{ message, finish_reason: 'stop' }, { message: { ...message, content: 'Well.' } }];
    expect(readAnswer(JSON.stringify({ id: 'a', choices, usage: { x: 1 } }))).toEqual({
      upstreamId: 'a',
      finishReason: 'stop',
      usage: { x: 1 },
      texts: ['Fine.', 'Well.'],
    });
    const called = '{"choices":[{"text":"","finish_reason":"","message":{"tool_calls":[{"function":{"name":"f"}}]}}]}';
    expect(readAnswer(called)).toMatchObject({ texts: ['f'], finishReason: null });
    expect(readAnswer('{"choices":[null,7,{"text":"a"}]}')).toMatchObject({ texts: ['a'], finishReason: null });
    expect(readAnswer('{"choices":[{"text":"Once"}]}')).toMatchObject({ texts: ['Once'], upstreamId: null });
    expect(readAnswer('\n\n {"data":[{"embedding":[1]}],"usage":{}}')).toMatchObject({ texts: [], usage: {} });
  });

  it.each([
    '',
    '<html>',
    'null',
    '7',
    '"text"',
    '[]',
    '{}',
    '{"usage":null}',
    '{"error":{"message":"x"}}',
    '{"error":"x","choices":[{}]}',
    '{"object":"error","message":"x","choices":[{}]}',
    '{"choices":[{"error":{"code":502,"message":"x"},"finish_reason":"error","message":{"content":""}}]}',
    '{"choices":null,"usage":{"total_tokens":0},"base_resp":{"status_code":2061,"status_msg":"x"}}',
    '{"choices":[{"finish_reason":"network_error","message":{"content":"Fi"}}],"usage":{"prompt_tokens":9}}',
    '{"choices":[]}',
    '{"choices":[null]}',
    '{"data":[],"usage":null}',
  ])('takes %s for no answer', (body) => expect(readAnswer(body)).toBeUndefined());

  it('does not mind an error of null', () => {
    expect(readAnswer('{"error":null,"choices":[{}]}')).toBeDefined();
    expect(readAnswer('{"choices":[{}],"base_resp":{"status_code":0,"status_msg":""}}')).toBeDefined();
  });
});

describe('withMember', () => {
  it('stands behind all others, or where one of its name stood, and no other byte changes', () => {
    expect(withMember('{ "a": [1.0] }\n', 'b', '{"c":"}"}')).toBe('{ "a": [1.0] ,"b":{"c":"}"}}\n');
    expect(withMember('{"b" : {"d":1.0}, "a":1e5}', 'b', '2')).toBe('{"b" : 2, "a":1e5}');
  });

  it('is read by everybody', () =>
    fc.assert(
      fc.property(jsonObject, fc.constantFrom('usage', 'model', 'kissapi'), (object, name) => {
        const body = JSON.stringify({ first: 1, ...object });
        expect(JSON.parse(withMember(body, name, '[7]'))).toEqual({ ...(JSON.parse(body) as object), [name]: [7] });
      }),
    ));
});

describe('withCost', () => {
  const told = { prompt_tokens: 1 };
  it.each([
    ['the last', '{"data":[0.10, -1e-5],"usage":{"prompt_tokens":1}}'],
    ['the first', '{"usage": {"prompt_tokens":1} ,"data":["usage", "{"]}'],
    ['laid out', '{\n  "data": [],\n  "usage" : {\n    "prompt_tokens": 1\n  }\n}\n'],
    ['before others of its name', '{"usage":{"prompt_tokens":1},"x_groq":{"id":"r","usage":{"prompt_tokens":1}}}'],
    ['after others of its name', '{"choices":[{"usage":{"prompt_tokens":1}}],"usage":{"prompt_tokens":1}}'],
    [
      'beside text that looks like it',
      '{"choices":[{"text":"}{\\"usage\\":{\\"prompt_tokens\\":1}}{\\\\"}],"usage":{"prompt_tokens":1}}',
    ],
    ['beside a text of its name', '{"usage":{"prompt_tokens":1},"object":"usage"}'],
  ])('adds the cost to the usage of the answer, and changes no other byte: %s', (_name, body) => {
    const result = withCost(body, told, '0.00001');
    expect(result.replace(',"cost":0.00001,"cost_usd":"0.00001"', '')).toBe(body);
    expect(JSON.parse(result)).toEqual({
      ...(JSON.parse(body) as object),
      usage: { prompt_tokens: 1, cost: 0.00001, cost_usd: '0.00001' },
    });
  });

  it('adds it to the one that counts, where there are two', () => {
    const result = withCost('{"usage":{"x":1},"usage":{"prompt_tokens":1}}', told, '0.01');
    expect(JSON.parse(result)).toEqual({ usage: { prompt_tokens: 1, cost: 0.01, cost_usd: '0.01' } });
  });

  it('takes the place of a cost that the provider told us', () => {
    const body = '{"vectors":[1.0],"usage":{"prompt_tokens":1,"cost":0.5,"is_byok":false}}';
    const result = withCost(body, { prompt_tokens: 1, cost: 0.5, is_byok: false }, '0.01');
    expect(result).toBe('{"vectors":[1.0],"usage":{"prompt_tokens":1,"cost":0.01,"is_byok":false,"cost_usd":"0.01"}}');
  });

  it('replaces a usage that was not believed, or was not there', () => {
    const usage = { prompt_tokens: 1 };
    const fair = '"usage":{"prompt_tokens":1,"cost":0.01,"cost_usd":"0.01"}';
    expect(withCost('{"usage":{"prompt_tokens":-1},"data":[1.0]}', usage, '0.01')).toBe(`{${fair},"data":[1.0]}`);
    expect(withCost('{"usage":null,"data":[1.0]}', usage, '0.01')).toBe(`{${fair},"data":[1.0]}`);
    expect(withCost('{"data":[1.0]}\n', usage, '0.01')).toBe(`{"data":[1.0],${fair}}\n`);
    expect(withCost('{"usage":{}}', {}, '0.00')).toBe('{"usage":{"cost":0.00,"cost_usd":"0.00"}}');
  });

  it('keeps all else of any answer', () =>
    fc.assert(
      fc.property(jsonObject, fc.dictionary(name, fc.nat()), fc.constantFrom(undefined, 2), (rest, usage, space) => {
        const body = JSON.stringify({ choices: [], ...rest, usage }, null, space);
        const result = withCost(body, JSON.parse(body).usage as Record<string, unknown>, '0.01');
        const { usage: _, ...others } = JSON.parse(body) as Record<string, unknown>;
        expect(JSON.parse(result)).toEqual({
          ...others,
          usage: { ...JSON.parse(body).usage, cost: 0.01, cost_usd: '0.01' },
        });
      }),
    ));
});
