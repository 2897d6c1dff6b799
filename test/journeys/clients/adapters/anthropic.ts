import Anthropic from '@anthropic-ai/sdk';
import { weatherTool, type Client, type Question } from './client.ts';

const { name, description, schema } = weatherTool;
const thinking = { type: 'enabled' as const, budget_tokens: 1024 };
const tools = [{ name, description, input_schema: { ...schema, required: [...schema.required] } }];

export const anthropic: Client = {
  name: '@anthropic-ai/sdk',
  keepsReasoning: true,
  connect: ({ url, apiKey, model }) => {
    const client = new Anthropic({ apiKey, baseURL: url, maxRetries: 0 });
    const send = async (
      { system, streamed, thinks = false }: Question,
      messages: Anthropic.MessageParam[],
      more: { tools?: typeof tools } = {},
    ) => {
      const body = { model, system, messages, max_tokens: 3000, ...more, ...(thinks ? { thinking } : {}) };
      const pieces: string[] = [];
      if (streamed) {
        const stream = client.messages.stream(body).on('text', (piece) => pieces.push(piece));
        return { content: (await stream.finalMessage()).content, pieces };
      }
      const { content } = await client.messages.create(body);
      return { content, pieces: content.flatMap((block) => (block.type === 'text' ? [block.text] : [])) };
    };
    return {
      ask: async (question) => (await send(question, [{ role: 'user', content: question.text }])).pieces,
      useTool: async (question, weather) => {
        const messages: Anthropic.MessageParam[] = [{ role: 'user', content: question.text }];
        const { content } = await send(question, messages, { tools });
        const results = content.flatMap((block) =>
          block.type === 'tool_use'
            ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: weather(block.input) }]
            : [],
        );
        messages.push({ role: 'assistant', content }, { role: 'user', content: results });
        return (await send(question, messages, { tools })).pieces;
      },
    };
  },
};
