import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import { weatherTool, type Client, type Question, type Weather } from './client.ts';

const toolOf = (weather: Weather) =>
  tool({
    name: weatherTool.name,
    description: weatherTool.description,
    parameters: { ...weatherTool.schema, required: [...weatherTool.schema.required] },
    strict: true,
    execute: (input) => weather(input),
  });

const modelSettings = { reasoning: { effort: 'low' as const, summary: 'auto' as const } };

const agents = (name: string, useResponses: boolean): Client => ({
  name: `@openai/agents: ${name}`,
  keepsReasoning: useResponses,
  connect: ({ url, apiKey, model }) => {
    const modelProvider = new OpenAIProvider({ apiKey, baseURL: `${url}/v1`, useResponses });
    const runner = new Runner({ modelProvider, tracingDisabled: true });
    const send = async ({ system, text, streamed, thinks = false }: Question, tools: ReturnType<typeof toolOf>[]) => {
      const agent = new Agent({
        name: 'Weather',
        instructions: system,
        model,
        tools,
        ...(thinks ? { modelSettings } : {}),
      });
      if (!streamed) return [(await runner.run(agent, text)).finalOutput ?? ''];
      const result = await runner.run(agent, text, { stream: true });
      const pieces: string[] = [];
      for await (const piece of result.toTextStream()) pieces.push(piece);
      await result.completed;
      return pieces;
    };
    return { ask: (question) => send(question, []), useTool: (question, weather) => send(question, [toolOf(weather)]) };
  },
});

export const agentsClients: readonly Client[] = [agents('its default', true), agents('chat', false)];
