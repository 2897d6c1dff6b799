import OpenAI from 'openai';
import { weatherTool, type Address, type Client, type Question } from './client.ts';

const clientOf = ({ url, apiKey }: Address): OpenAI => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
const { name, description, schema: parameters } = weatherTool;

const chatTools = [{ type: 'function' as const, function: { name, description, parameters } }];
type ChatMessage = OpenAI.ChatCompletionMessageParam;

export const openAiChat: Client = {
  name: 'openai: chat',
  connect: (address) => {
    const client = clientOf(address);
    const { model } = address;
    const send = async (
      { streamed, thinks = false }: Question,
      messages: ChatMessage[],
      more: { tools?: typeof chatTools } = {},
    ) => {
      const body = { model, messages, ...more, ...(thinks ? { reasoning_effort: 'low' as const } : {}) };
      if (!streamed) {
        const [choice] = (await client.chat.completions.create(body)).choices;
        return { message: choice?.message, pieces: [choice?.message.content ?? ''] };
      }
      const pieces: string[] = [];
      const stream = client.chat.completions.stream(body).on('content.delta', ({ delta }) => pieces.push(delta));
      return { message: (await stream.finalChatCompletion()).choices[0]?.message, pieces };
    };
    const begin = ({ system, text }: Question): ChatMessage[] => [
      { role: 'system', content: system },
      { role: 'user', content: text },
    ];
    return {
      ask: async (question) => (await send(question, begin(question))).pieces,
      useTool: async (question, weather) => {
        const messages = begin(question);
        const { message } = await send(question, messages, { tools: chatTools });
        if (message) messages.push(message);
        for (const call of message?.tool_calls ?? []) {
          if (call.type !== 'function') continue;
          const content = weather(JSON.parse(call.function.arguments));
          messages.push({ role: 'tool', tool_call_id: call.id, content });
        }
        return (await send(question, messages, { tools: chatTools })).pieces;
      },
    };
  },
};

const responseTools = [{ type: 'function' as const, name, description, parameters, strict: true }];
type Input = OpenAI.Responses.ResponseInput;

export const openAiResponses: Client = {
  name: 'openai: responses',
  keepsReasoning: true,
  connect: (address) => {
    const client = clientOf(address);
    const { model } = address;
    const send = async (
      { system, streamed, thinks = false }: Question,
      input: Input,
      more: { tools?: typeof responseTools; reasoning?: OpenAI.Reasoning } = {},
    ) => {
      if (thinks) more.reasoning = { effort: 'low', summary: 'auto' };
      const include: OpenAI.Responses.ResponseIncludable[] = ['reasoning.encrypted_content'];
      const body = { model, instructions: system, input, include, store: false, ...more };
      if (!streamed) {
        const response = await client.responses.create(body);
        return { output: response.output, pieces: [response.output_text] };
      }
      const pieces: string[] = [];
      const stream = client.responses.stream(body).on('response.output_text.delta', ({ delta }) => pieces.push(delta));
      return { output: (await stream.finalResponse()).output, pieces };
    };
    const begin = ({ text }: Question): Input => [{ role: 'user', content: text }];
    return {
      ask: async (question) => (await send(question, begin(question))).pieces,
      useTool: async (question, weather) => {
        const input = begin(question);
        const { output } = await send(question, input, { tools: responseTools });
        for (const item of output) {
          input.push(item as Input[number]);
          if (item.type !== 'function_call') continue;
          const result = weather(JSON.parse(item.arguments));
          input.push({ type: 'function_call_output', call_id: item.call_id, output: result });
        }
        return (await send(question, input, { tools: responseTools })).pieces;
      },
    };
  },
};
