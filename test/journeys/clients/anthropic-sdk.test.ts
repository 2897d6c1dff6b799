import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditedOne, untouched, type Customer } from '../../support/customers/audit.ts';
import { costIn, sharedHouse, type House } from '../../support/house.ts';

const MODEL = 'gpt-4o-mini';
const asked = { model: MODEL, max_tokens: 100, messages: [{ role: 'user' as const, content: 'How are you?' }] };
const tools = [
  {
    name: 'get_weather',
    description: 'The weather of a city.',
    input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
  },
];

let house: House;
let customer: Customer;
const clientOf = (apiKey: string): Anthropic =>
  new Anthropic({ apiKey, baseURL: house.gateway.url, maxRetries: 0, logLevel: 'off' });
let client: Anthropic;
beforeAll(async () => {
  house = await sharedHouse();
  customer = await house.gateway.openAccount('5.00');
  client = clientOf(customer.apiKey);
});
afterAll(() => house.close());

const one = <T>(act: () => Promise<T>) => auditedOne(house, customer, act);

const failure = async (answer: PromiseLike<unknown>): Promise<InstanceType<typeof Anthropic.APIError>> => {
  try {
    await answer;
  } catch (error) {
    if (error instanceof Anthropic.APIError) return error;
    throw error;
  }
  throw new Error('it was answered');
};

describe("Anthropic's client", () => {
  it('reads a whole message, with its cost in the usage', async () => {
    const { result, generation } = await one(() => client.messages.create(asked));
    expect(result).toMatchObject({ type: 'message', role: 'assistant', stop_reason: 'end_turn' });
    expect(result.content[0]).toMatchObject({ type: 'text' });
    expect(costIn(result.usage)).toBe(generation.chargedUsd);
    expect(result.usage.input_tokens).toBe(generation.tokens?.['input']);
  });

  it('may use the path of its betas', async () => {
    const { result } = await one(() => client.beta.messages.create({ ...asked, betas: ['a-beta-2026-01-01'] }));
    expect(result).toMatchObject({ type: 'message', stop_reason: 'end_turn' });
  });

  it('reads a stream with its helper, and the same cost at its end', async () => {
    const endings: unknown[] = [];
    const { result, generation } = await one(() =>
      client.messages
        .stream(asked)
        .on('streamEvent', (event) => event.type === 'message_delta' && endings.push(event.usage))
        .finalMessage(),
    );
    expect(result).toMatchObject({ role: 'assistant', stop_reason: 'end_turn' });
    expect(endings.map(costIn)).toEqual([generation.chargedUsd]);
    expect(generation.delivery).toMatchObject({ ended: 'completed', usage_source: 'reported' });
  });

  it.each([false, true])('calls tools and returns their results; streamed: %s', async (isStream) => {
    const send = (messages: Anthropic.MessageParam[]): Promise<Anthropic.Message> => {
      const told = { ...asked, tools, messages };
      return isStream ? client.messages.stream(told).finalMessage() : client.messages.create(told);
    };
    const question: Anthropic.MessageParam = { role: 'user', content: 'get_weather in Oslo' };
    const { result } = await one(() => send([question]));
    expect(result.stop_reason).toBe('tool_use');
    const call = result.content.find((block) => block.type === 'tool_use');
    if (!call) throw new Error('a tool is called');
    expect(call).toMatchObject({ name: 'get_weather', input: { city: expect.any(String) as string } });
    const results = [{ type: 'tool_result' as const, tool_use_id: call.id, content: 'sunny' }];
    const { result: end } = await one(() =>
      send([question, { role: 'assistant', content: result.content }, { role: 'user', content: results }]),
    );
    expect(end.stop_reason).toBe('end_turn');
  });

  it("throws its own errors, with the gateway's code beside", async () => {
    const unknown = await failure(clientOf('sk-unknown').messages.create(asked));
    expect(unknown).toBeInstanceOf(Anthropic.AuthenticationError);
    expect(unknown).toMatchObject({ status: 401, type: 'authentication_error' });
    const invalid = await failure(client.messages.create({ ...asked, max_tokens: 0 }));
    expect(invalid).toBeInstanceOf(Anthropic.BadRequestError);
    expect(invalid).toMatchObject({ type: 'invalid_request_error', error: { error: { param: 'max_tokens' } } });
    expect((await failure(client.messages.create({ ...asked, model: 'none' }))).type).toBe('not_found_error');
    const poor = await house.gateway.openAccount('0.000001');
    const short = await failure(clientOf(poor.apiKey).messages.create({ ...asked, max_tokens: 4000 }));
    expect(short).toMatchObject({ status: 402, type: 'billing_error' });
  });
});

describe('a count of input tokens', () => {
  const { max_tokens: _, ...counted } = asked;
  const count = (params: Anthropic.MessageCountTokensParams) =>
    untouched(house, customer, () => client.messages.countTokens(params));

  it('costs nothing, and grows with the messages', async () => {
    const { input_tokens } = await count(counted);
    expect(input_tokens).toBeGreaterThan(0);
    const longer = await count({ ...counted, system: 'Be very brief.', tools });
    expect(longer.input_tokens).toBeGreaterThan(input_tokens);
  });

  it("has Anthropic's errors: for an unknown model, an invalid body and a wrong key", async () => {
    const unknown = await failure(count({ ...counted, model: 'claude-none' }));
    expect([unknown.status, unknown.error]).toMatchObject([404, { type: 'error', error: { type: 'not_found_error' } }]);
    const invalid = await failure(count({ ...counted, messages: [] }));
    expect([invalid.status, invalid.error]).toMatchObject([400, { error: { type: 'invalid_request_error' } }]);
    const stranger = await failure(clientOf('kiss_live_none').messages.countTokens(counted));
    expect([stranger.status, stranger.error]).toMatchObject([401, { error: { type: 'authentication_error' } }]);
  });

  it('is refused to an account that is suspended', async () => {
    const { accountId, apiKey } = await house.gateway.openAccount('1.00');
    await house.gateway.manage('POST', `/accounts/${accountId}/suspend`, { reason: 'test' });
    const refused = await failure(clientOf(apiKey).messages.countTokens(counted));
    expect([refused.status, refused.error]).toMatchObject([403, { error: { type: 'permission_error' } }]);
  });
});
