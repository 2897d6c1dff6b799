import type { Conversation, ImagePart, OutputFormat, Settings, Tool } from '../../formats/conversation.ts';
import { cannotTranslate, refuse } from '../../formats/translating.ts';
import type { Family } from './families.ts';
import { thinkingConfigOf } from './write-thinking.ts';

/** What a setting is called in the format of the customer, if not as in OpenAI's chat. */
const names: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  messages: { parallel_tool_calls: 'tool_choice.disable_parallel_tool_use', reasoning_effort: 'output_config.effort' },
  responses: { verbosity: 'text.verbosity', reasoning_effort: 'reasoning.effort' },
};

const nameIn = (format: string, name: string): string => names[format]?.[name] ?? name;

/** Refuses what Google's API has no counterpart for. */
export const checkSettings = ({ settings, others, tools }: Conversation, format: string): void => {
  const [other] = Object.keys(others);
  if (other !== undefined) cannotTranslate(other);
  const { parallelToolCalls, verbosity } = settings;
  if (parallelToolCalls === false && tools.length > 0) {
    refuse(nameIn(format, 'parallel_tool_calls'), 'this model may call several tools at once. Leave it out.');
  }
  // OpenAI's default.
  if (verbosity !== undefined && verbosity !== 'medium') cannotTranslate(nameIn(format, 'verbosity'));
};

type Limits = { readonly maxOutputTokens: number | undefined; readonly family: Family; readonly format: string };

/** The `generationConfig`. */
export const generationConfigOf = (
  { settings, messages }: Conversation,
  { maxOutputTokens, family, format }: Limits,
): object => {
  const { temperature, topP, topK, frequencyPenalty, presencePenalty, seed, stop, output, thinking } = settings;
  return {
    ...{ maxOutputTokens, temperature, topP, topK, frequencyPenalty, presencePenalty, seed },
    stopSequences: stop,
    ...(output ? outputOf(output) : {}),
    ...(thinking ? { thinkingConfig: thinkingConfigOf(thinking, family, nameIn(format, 'reasoning_effort')) } : {}),
    mediaResolution: resolutionOf(messages.flatMap(({ parts }) => [...parts]).filter((part) => part.kind === 'image')),
  };
};

const outputOf = (output: OutputFormat) => {
  const json = { responseMimeType: 'application/json' };
  if (output.kind === 'json') return json;
  const { schema, description } = output;
  const described = description !== undefined && schema['description'] === undefined ? { description } : {};
  return { ...json, responseJsonSchema: { ...described, ...schema } };
};

/** OpenAI's detail of one picture is Google's resolution of all of them. Without it, a picture is read in full. */
const resolutionOf = (pictures: readonly ImagePart[]): string | undefined => {
  const low = pictures.filter(({ detail }) => detail === 'low');
  if (low.length === 0) return undefined;
  return low.length === pictures.length
    ? 'MEDIA_RESOLUTION_LOW'
    : refuse('detail', 'must be the same for all pictures with this model.');
};

/** The tools, and the choice among them. */
export const toolsOf = (tools: readonly Tool[], choice: Settings['toolChoice']): object => {
  if (tools.length === 0) return {};
  return {
    tools: [{ functionDeclarations: tools.map(declarationOf) }],
    toolConfig: { functionCallingConfig: callingOf(tools, choice) },
  };
};

const declarationOf = (tool: Tool, index: number) => {
  if (tool.kind === 'custom') {
    return refuse(`tools.${index}`, 'this model calls functions only. Send tools of type function.');
  }
  const { name, description, schema } = tool;
  return { name, description, parametersJsonSchema: schema };
};

const callingOf = (tools: readonly Tool[], choice: Settings['toolChoice'] = { kind: 'auto' }) => {
  switch (choice.kind) {
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [choice.name] };
    case 'auto':
      // VALIDATED is AUTO with arguments that follow the schema.
      return { mode: tools.some((tool) => tool.kind === 'function' && tool.strict) ? 'VALIDATED' : 'AUTO' };
  }
};
