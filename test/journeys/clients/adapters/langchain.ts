import { AIMessageChunk, HumanMessage, SystemMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { weatherTool, type Client, type Question } from './client.ts';

const { name: toolName, description, schema: parameters } = weatherTool;
const tools = [{ type: 'function' as const, function: { name: toolName, description, parameters } }];

// The client sends its own setting only to models with names of OpenAI.
const reasoning = { effort: 'low', summary: 'auto' };

const langchain = (name: string, useResponsesApi: boolean): Client => ({
  name: `@langchain/openai: ${name}`,
  keepsReasoning: useResponsesApi,
  connect: ({ url, apiKey, model }) => {
    const create = ({ thinks = false }: Question) =>
      new ChatOpenAI({
        ...{ model, apiKey, useResponsesApi, maxRetries: 0 },
        configuration: { baseURL: `${url}/v1` },
        ...(thinks ? { modelKwargs: useResponsesApi ? { reasoning } : { reasoning_effort: 'low' } } : {}),
      });
    const send = async (asked: Pick<ChatOpenAI, 'invoke' | 'stream'>, streamed: boolean, messages: BaseMessage[]) => {
      if (!streamed) {
        const message = await asked.invoke(messages);
        return { message, pieces: [message.text] };
      }
      let message: AIMessageChunk | undefined;
      const pieces: string[] = [];
      for await (const chunk of await asked.stream(messages)) {
        message = message ? message.concat(chunk) : chunk;
        if (chunk.text !== '') pieces.push(chunk.text);
      }
      if (!message) throw new Error('the stream is empty');
      return { message, pieces };
    };
    const begin = ({ system, text }: Question): BaseMessage[] => [new SystemMessage(system), new HumanMessage(text)];
    return {
      ask: async (question) => (await send(create(question), question.streamed, begin(question))).pieces,
      useTool: async (question, weather) => {
        const messages = begin(question);
        const withTools = create(question).bindTools(tools);
        const { message } = await send(withTools, question.streamed, messages);
        const results = (message.tool_calls ?? []).map(
          ({ id = '', args }) => new ToolMessage({ tool_call_id: id, content: weather(args) }),
        );
        return (await send(withTools, question.streamed, [...messages, message, ...results])).pieces;
      },
    };
  },
});

export const langchainClients: readonly Client[] = [langchain('chat', false), langchain('responses', true)];
