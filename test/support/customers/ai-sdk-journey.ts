import { generateText, jsonSchema, streamText, tool, type LanguageModel, type ToolSet } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Knobs } from '@kissapi/simulator';
import { auditedOne, type Customer } from './audit.ts';
import { sharedHouse, type House } from '../house.ts';

export type Settings = { readonly baseURL: string; readonly apiKey: string; readonly fetch: typeof fetch };

/** A fetch that adds to each body what the simulated provider is to do. */
const fetchWith =
  (knobs: Knobs): typeof fetch =>
  (input, init) => {
    const body = { ...(JSON.parse(String(init?.body)) as object), simulate: knobs };
    return fetch(input, { ...init, body: JSON.stringify(body) });
  };

const tools = {
  get_weather: tool({
    description: 'The weather of a city',
    inputSchema: jsonSchema<{ city: string }>({
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    }),
  }),
  // Its own types do not agree under exactOptionalPropertyTypes.
} as unknown as ToolSet;

type Finished = { readonly usage: unknown; readonly providerMetadata: unknown };

/** What a customer does with a provider of the AI SDK, against a real gateway. `costIn` is where that provider has the cost. */
export const aiSdkJourney = (
  client: string,
  createModel: (settings: Settings, model: string) => LanguageModel,
  costIn: ((finished: Finished) => unknown) | undefined,
): void => {
  describe(client, () => {
    let house: House;
    let customer: Customer;
    beforeAll(async () => {
      house = await sharedHouse();
      customer = await house.gateway.openAccount('5.00');
    });
    afterAll(() => house.close());

    const one = <T>(act: () => Promise<T>) => auditedOne(house, customer, act);
    const modelOf = (knobs: Knobs = {}): LanguageModel => {
      const settings = { baseURL: `${house.gateway.url}/v1`, apiKey: customer.apiKey, fetch: fetchWith(knobs) };
      return createModel(settings, 'gpt-4o-mini');
    };
    const ask = (knobs: Knobs, prompt = 'Hello') => ({ model: modelOf(knobs), prompt, maxRetries: 0 });

    it('reads an answer that comes whole, with its usage', async () => {
      const { result, generation } = await one(() => generateText(ask({ text: 'one two three' })));
      expect(result.text).toBe('one two three');
      expect(result.finishReason).toBe('stop');
      expect(result.usage.outputTokens).toBe(3);
      if (costIn) expect(costIn(result)).toBe(Number(generation.chargedUsd));
    });

    it('reads a stream, with its usage', async () => {
      const errors: unknown[] = [];
      const { result, generation } = await one(async () => {
        const stream = streamText({
          ...ask({ text: 'one two three' }),
          onError: ({ error }) => void errors.push(error),
        });
        const text = await stream.text;
        const [usage, providerMetadata] = [await stream.usage, await stream.providerMetadata];
        return { text, usage, providerMetadata, finishReason: await stream.finishReason };
      });
      expect(errors).toEqual([]);
      expect(result).toMatchObject({ text: 'one two three', finishReason: 'stop', usage: { outputTokens: 3 } });
      if (costIn) expect(costIn(result)).toBe(Number(generation.chargedUsd));
    });

    it('calls tools, whole and streamed', async () => {
      const call = { toolName: 'get_weather', input: { city: expect.any(String) as string } };
      const asked = { ...ask({}, 'get_weather in Oslo'), tools };
      const whole = await one(() => generateText(asked));
      expect(whole.result.toolCalls).toMatchObject([call]);
      const streamed = await one(async () => {
        const stream = streamText(asked);
        return { calls: await stream.toolCalls, finishReason: await stream.finishReason };
      });
      expect(streamed.result).toMatchObject({ calls: [call], finishReason: 'tool-calls' });
    });

    it('raises on a stream that breaks in the middle', async () => {
      const errors: unknown[] = [];
      const { result, generation } = await one(async () => {
        const broken = ask({ text: 'one two three four', breakAfter: 2 });
        const stream = streamText({ ...broken, onError: ({ error }) => void errors.push(error) });
        let text = '';
        const types: string[] = [];
        for await (const part of stream.fullStream) {
          types.push(part.type);
          if (part.type === 'text-delta') text += part.text;
        }
        return { text, types };
      });
      expect(result.text).toBe('one two');
      expect(result.types).toContain('error');
      expect(errors).toHaveLength(1);
      expect(generation.delivery).toMatchObject({ ended: 'upstream_broke' });
    });
  });
};
