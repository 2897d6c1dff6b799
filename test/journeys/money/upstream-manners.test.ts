import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { audited, auditedOne, type Customer } from '../../support/customers/audit.ts';
import { collect, costIn, createHouse, failure, simulate, type House } from '../../support/house.ts';
import { createScriptedUpstream, says, streams, type ScriptedUpstream } from '../../support/scripted-upstream.ts';

const MODEL = 'gpt-4o-mini';
/** Served by another provider, which calls it by another name. */
const RENAMED = 'gpt-oss-20b';
const messages = [{ role: 'user' as const, content: 'How are you?' }];
const body = { model: MODEL, messages };

let house: House;
let scripted: ScriptedUpstream;
let folder: string;
let customer: Customer;
let client: OpenAI;
beforeAll(async () => {
  scripted = await createScriptedUpstream();
  folder = await mkdtemp(join(tmpdir(), 'kissapi-upstreams-'));
  const file = join(folder, 'upstreams.json');
  const upstreams = [{ name: 'groq', baseUrl: scripted.url, apiKeyEnv: 'KEY_OF_GROQ' }];
  await writeFile(file, JSON.stringify({ upstreams }));
  house = await createHouse({
    KISSAPI_UPSTREAMS: file,
    KEY_OF_GROQ: 'gsk-of-the-house',
  });
});
// One each, so that what one leaves behind is not blamed on the next.
beforeEach(async () => {
  customer = await house.gateway.openAccount('5.00');
  client = house.gateway.client(customer.apiKey);
});
afterAll(async () => {
  await house.close();
  await scripted.close();
  await rm(folder, { recursive: true });
});

const one = <T>(act: () => Promise<T>) => auditedOne(house, customer, act);
describe('an upstream with manners of its own', () => {
  const ask = (extra: object = {}) =>
    client.chat.completions.create({ model: RENAMED, messages, ...extra, stream: false });
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Fine.' }, finish_reason: 'stop' }];
  const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
  const answer = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'openai/gpt-oss-20b',
    choices,
    usage,
  };

  it('that rejects our API key is reported to the operator once', async () => {
    const refusal = JSON.stringify({ error: { message: 'Incorrect API key provided: gsk-of-the-house' } });
    for (let n = 0; n < 2; n++) {
      scripted.play(says(refusal, { status: 401 }));
      const error = await failure(client.chat.completions.create({ model: RENAMED, messages }, { maxRetries: 0 }));
      expect(error).toMatchObject({ status: 503, code: 'no_provider' });
    }
    const lines = house.gateway.process.output().match(/"msg":"groq rejected our API key or account[^"]*"/g);
    expect(lines).toHaveLength(1);
    expect(house.gateway.process.output()).not.toContain('gsk-of-the-house');
  });

  it('is asked by its own name for the model', async () => {
    scripted.play(says(JSON.stringify(answer)));
    const { generation } = await one(() => ask());
    expect(JSON.parse(scripted.bodies.at(-1) ?? '')).toMatchObject({ model: 'openai/gpt-oss-20b', messages });
    expect(generation.tokens).toMatchObject({ input: 9, output: 2 });
  });

  it('may put blank lines before its JSON', async () => {
    scripted.play(says(`\n\n  ${JSON.stringify(answer)}`));
    const { result, generation } = await one(() => ask());
    expect(costIn(result.usage)).toBe(generation.chargedUsd);
  });

  const chunk = (delta: object, more: object = {}) =>
    JSON.stringify({
      id: 'c-1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta, finish_reason: null }],
      ...more,
    });

  it('that sends the usage with its last words is charged by it once, and the cost is told at the end', async () => {
    const last = { index: 0, delta: {}, finish_reason: 'stop' };
    scripted.play(
      streams(chunk({ content: 'Fine.' }), chunk({}, { choices: [last], usage, x_groq: { id: 'r', usage } }), '[DONE]'),
    );
    const { result, generation } = await one(async () =>
      collect(
        await client.chat.completions.create({
          model: RENAMED,
          messages,
          stream: true,
          stream_options: { include_usage: true },
        }),
      ),
    );
    expect(generation.tokens).toMatchObject({ input: 9, output: 2 });
    expect(result.at(-1)).toMatchObject({ choices: [], usage: { ...usage, cost_usd: generation.chargedUsd } });
    expect(result.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Fine.');
  });

  it('that counts up in every chunk is charged by the last', async () => {
    const growing = [1, 2, 3].map((n) =>
      chunk({ content: 'x' }, { usage: { prompt_tokens: 9, completion_tokens: n, total_tokens: 9 + n } }),
    );
    scripted.play(streams(...growing, '[DONE]'));
    const { generation } = await one(async () =>
      collect(await client.chat.completions.create({ model: RENAMED, messages, stream: true })),
    );
    expect(generation.tokens).toMatchObject({ input: 9, output: 3 });
  });
});

describe('the retries of the SDK', () => {
  const patient = () => client.withOptions({ maxRetries: 2 });

  it('after our 5xx lead to one charge, for the answer that came', async () => {
    const answer = {
      id: 'chatcmpl-2',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Third time lucky' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
    };
    scripted.play(says('{}', { status: 500 }), (response) => response.destroy(), says(JSON.stringify(answer)));
    const { result, generations } = await audited(house, customer, () =>
      patient().chat.completions.create({ model: RENAMED, messages }),
    );
    expect(result.choices[0]?.message.content).toBe('Third time lucky');
    expect(generations.map(({ reason, charged }) => [reason, charged > 0n])).toEqual([
      ['upstream_refused', false],
      ['upstream_failed', false],
      [undefined, true],
    ]);
  });

  it('end without a charge where no answer came', async () => {
    const { result, generations } = await audited(house, customer, () =>
      failure(patient().chat.completions.create({ ...body, ...simulate({ status: 500 }) })),
    );
    expect(result.status).toBe(502);
    expect(generations.map(({ charged }) => charged)).toEqual([0n, 0n, 0n]);
  });

  it('do not come where we said that they are no use', async () => {
    for (const knobs of [{ status: 400 }, { status: 409 }] as const) {
      const { generations } = await audited(house, customer, () =>
        failure(patient().chat.completions.create({ ...body, ...simulate(knobs) })),
      );
      expect(generations).toHaveLength(1);
    }
  });

  it('do not come in the middle of a stream', async () => {
    const { generation } = await one(async () => {
      const stream = await patient().chat.completions.create({ ...body, stream: true, ...simulate({ breakAfter: 2 }) });
      return failure(collect(stream));
    });
    expect(generation.charged).toBeGreaterThan(0n);
  });
});
