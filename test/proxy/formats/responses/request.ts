import type { Conversation, ImagePart, Message, TextPart } from '../../../../src/proxy/formats/conversation.ts';
import { urlOf } from '../../../../src/proxy/formats/translating.ts';

/** A conversation as the body of a request in the responses format, as a client would send it. */
export const responsesRequest = ({ messages, tools, settings }: Conversation): object => ({
  model: 'm',
  input: messages.flatMap(itemsOf),
  tools: tools.map(({ kind, ...tool }) => ({
    ...{ type: kind, name: tool.name, description: tool.description },
    ...('schema' in tool ? { parameters: tool.schema } : {}),
  })),
  temperature: settings.temperature,
  top_p: settings.topP,
  tool_choice: settings.toolChoice?.kind,
  ...(settings.output?.kind === 'schema'
    ? { text: { format: { type: 'json_schema', name: 'answer', schema: settings.output.schema } } }
    : {}),
});

const itemsOf = (message: Message): readonly object[] => {
  switch (message.role) {
    case 'tool':
      return [{ type: 'function_call_output', call_id: message.callId, output: message.parts.map(inputPart) }];
    case 'assistant':
      return message.parts.flatMap((part): readonly object[] => {
        if (part.kind === 'text') {
          return [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: part.text }] }];
        }
        if (part.kind !== 'tool_call') return [];
        return [{ type: 'function_call', call_id: part.id, name: part.name, arguments: part.arguments }];
      });
    default:
      return [{ type: 'message', role: message.role, content: message.parts.map(inputPart) }];
  }
};

const inputPart = (part: TextPart | ImagePart): object =>
  part.kind === 'text'
    ? { type: 'input_text', text: part.text }
    : { type: 'input_image', image_url: urlOf(part.source) };
