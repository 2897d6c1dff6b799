import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { generateText, isStepCount, jsonSchema, streamText, tool, type LanguageModel, type ToolSet } from 'ai';
import { weatherTool, type Client, type Question, type Weather } from './client.ts';

const toolsOf = (weather: Weather): ToolSet =>
  ({
    [weatherTool.name]: tool({
      description: weatherTool.description,
      inputSchema: jsonSchema({ ...weatherTool.schema, required: [...weatherTool.schema.required] }),
      execute: (input: unknown) => weather(input),
    }),
    // Its own types do not agree under exactOptionalPropertyTypes.
  }) as unknown as ToolSet;

const providerOptions = {
  openai: { reasoningEffort: 'low', reasoningSummary: 'auto', forceReasoning: true },
  anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } },
  kissapi: { reasoningEffort: 'low' },
  openrouter: { reasoning: { effort: 'low' } },
};

type Settings = { readonly baseURL: string; readonly apiKey: string };

const aiSdk = (name: string, createModel: (settings: Settings, model: string) => LanguageModel): Client => ({
  name: `ai: ${name}`,
  // By default, OpenAI's refers to reasoning that OpenAI is asked to store.
  keepsReasoning: /anthropic|openrouter/.test(name),
  connect: ({ url, apiKey, model: id }) => {
    const model = createModel({ baseURL: `${url}/v1`, apiKey }, id);
    const send = async ({ system, text, streamed, thinks = false }: Question, more: { tools?: ToolSet } = {}) => {
      const asked = {
        model,
        instructions: system,
        prompt: text,
        maxRetries: 0,
        stopWhen: isStepCount(3),
        ...more,
        ...(thinks ? { providerOptions } : {}),
      };
      if (!streamed) return [(await generateText(asked)).text];
      const errors: unknown[] = [];
      const stream = streamText({ ...asked, onError: ({ error }) => void errors.push(error) });
      const pieces: string[] = [];
      for await (const piece of stream.textStream) pieces.push(piece);
      if (errors.length > 0) throw errors[0] as Error;
      return pieces;
    };
    return {
      ask: (question) => send(question),
      useTool: (question, weather) => send(question, { tools: toolsOf(weather) }),
    };
  },
});

export const aiSdkClients: readonly Client[] = [
  aiSdk('@ai-sdk/openai, its default', (settings, model) => createOpenAI(settings)(model)),
  aiSdk('@ai-sdk/openai, chat', (settings, model) => createOpenAI(settings).chat(model)),
  aiSdk('@ai-sdk/anthropic', (settings, model) => createAnthropic(settings)(model) as LanguageModel),
  aiSdk('@ai-sdk/openai-compatible', (settings, model) =>
    createOpenAICompatible({ name: 'kissapi', includeUsage: true, ...settings })(model),
  ),
  aiSdk('@openrouter/ai-sdk-provider', (settings, model) => createOpenRouter(settings)(model)),
];
