import { beforeAll, describe, expect, it } from 'vitest';
import { audited, type Customer, type Ended } from '../../support/customers/audit.ts';
import type { House } from '../../support/house.ts';
import { dialects, houseOnUpstreams, type HouseOnUpstreams } from '../../support/upstreams/house.ts';
import { agentsClients } from './adapters/agents.ts';
import { aiSdkClients } from './adapters/ai-sdk.ts';
import { anthropic } from './adapters/anthropic.ts';
import type { Client, Question } from './adapters/client.ts';
import { langchainClients } from './adapters/langchain.ts';
import { openAiChat, openAiResponses } from './adapters/openai.ts';

const clients: readonly Client[] = [
  ...[openAiChat, openAiResponses, anthropic],
  ...aiSdkClients,
  ...agentsClients,
  ...langchainClients,
];

let house: House;
let upstreams: HouseOnUpstreams['upstreams'];
let customer: Customer;
beforeAll(async () => {
  ({ house, upstreams } = await houseOnUpstreams());
  customer = await house.gateway.openAccount('100.00');
});

const system = 'Be brief.';

describe.each(dialects)('on an upstream with the wire format of $dialect', ({ dialect, model }) => {
  describe.each(clients)('$name', ({ connect, keepsReasoning = false }) => {
    const talk = () => connect({ url: house.gateway.url, apiKey: customer.apiKey, model });
    /** What the upstream was asked meanwhile, and how each generation ended. */
    const observed = async (act: () => Promise<readonly string[]>) => {
      const { asked } = upstreams[dialect];
      const before = asked.length;
      const { result, generations } = await audited(house, customer, act);
      return { pieces: result, generations, asked: asked.slice(before) };
    };
    const expectCharged = (generations: readonly Ended[], count: number): void => {
      const ended = {
        by: 'HoldSettled',
        writtenOff: 0n,
        delivery: { ended: 'completed', usage_source: 'reported', anomalies: [] },
      };
      expect(generations).toMatchObject(Array.from({ length: count }, () => ended));
      expect(generations.every(({ charged }) => charged > 0n)).toBe(true);
    };

    it.each([false, true])('reads the text of an answer; streamed: %s', async (streamed) => {
      const question: Question = { system, text: 'Nice to see you', streamed };
      const { pieces, generations, asked } = await observed(() => talk().ask(question));
      expect(pieces.join('')).toBe('You wrote: Nice to see you');
      expect(pieces.length > 1).toBe(streamed);
      expect(asked).toHaveLength(1);
      expect(asked[0]?.messages).toMatchObject([
        { parts: [{ text: system }] },
        { role: 'user', parts: [{ text: question.text }] },
      ]);
      expectCharged(generations, 1);
    });

    it.each([false, true])('returns the reasoning of a model with its call; streamed: %s', async (streamed) => {
      const question: Question = { system, text: 'Use get_weather for Oslo', streamed, thinks: true };
      const { pieces, generations, asked } = await observed(() => talk().useTool(question, () => 'rain'));
      expect(pieces.join('')).toBe('The result is rain.');
      const thinking = { settings: { thinking: { kind: expect.stringMatching(/effort|budget|adaptive/) as string } } };
      expect(asked).toMatchObject([thinking, thinking]);
      if (keepsReasoning && dialect === 'anthropic') {
        const [thought] = asked[1]?.messages.at(-2)?.parts ?? [];
        expect(thought).toMatchObject({ text: 'Let me see. ', signature: { from: 'anthropic', value: 'sig-2' } });
      }
      expectCharged(generations, 2);
    });

    it.each([false, true])('calls a tool and answers with its result; streamed: %s', async (streamed) => {
      const question: Question = { system, text: 'Use get_weather for Oslo', streamed };
      const inputs: unknown[] = [];
      const weather = (input: unknown): string => {
        inputs.push(input);
        return 'rain until noon';
      };
      const { pieces, generations, asked } = await observed(() => talk().useTool(question, weather));
      expect(inputs).toEqual([{ city: 'Oslo' }]);
      expect(pieces.join('')).toBe('The result is rain until noon.');
      expect(pieces.length > 1).toBe(streamed);
      const [call, answer, ...others] = asked;
      expect(others).toEqual([]);
      expect(call?.tools).toMatchObject([{ name: 'get_weather', schema: { required: ['city'] } }]);
      const [called, returned] = answer?.messages.slice(-2) ?? [];
      expect(called?.role).toBe('assistant');
      expect(called?.parts.at(-1)).toMatchObject({ kind: 'tool_call', name: 'get_weather' });
      expect(returned).toMatchObject({ role: 'tool', parts: [{ text: 'rain until noon' }] });
      expectCharged(generations, 2);
    });
  });
});
