import type { Conversation, ImagePart, OutputFormat, Settings, Tool } from '../../formats/conversation.ts';
import { cannotTranslate, refuse } from '../../formats/translating.ts';
import type { Job } from '../../formats/format.ts';
import { settingName } from '../../formats/setting-names.ts';
import { functionOf } from '../custom-tools.ts';
import type { Family } from './families.ts';
import { thinkingConfigOf } from './write-thinking.ts';

/** Refuses what Google's API has no counterpart for. */
export const checkSettings = (job: Job, { settings, others, tools }: Conversation): void => {
  const [other] = Object.keys(others);
  if (other !== undefined) cannotTranslate(other);
  const { parallelToolCalls, verbosity } = settings;
  if (parallelToolCalls === false && tools.length > 0) {
    refuse(
      settingName(job, 'parallelToolCalls'),
      'cannot be false with this model, which may call several tools at once. Leave it out.',
    );
  }
  if (verbosity !== undefined && verbosity !== ORDINARY_VERBOSITY) cannotTranslate(settingName(job, 'verbosity'));
};

const ORDINARY_VERBOSITY = 'medium';

/** The `generationConfig`. */
export const generationConfigOf = (
  job: Pick<Job, 'format'>,
  { settings, messages }: Conversation,
  family: Family,
  limit: number | undefined,
): object => {
  const { temperature, topP, topK, frequencyPenalty, presencePenalty, seed, stop, output, thinking } = settings;
  return {
    ...{ temperature, topP, topK, frequencyPenalty, presencePenalty, seed },
    maxOutputTokens: limit,
    stopSequences: stop,
    ...(output ? outputOf(output) : {}),
    ...(thinking ? { thinkingConfig: thinkingConfigOf(thinking, family, settingName(job, 'thinking')) } : {}),
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

/** A tool whose input is text is a function with one argument. */
const declarationOf = (tool: Tool) => {
  const { name, description, schema } = tool.kind === 'custom' ? functionOf(tool) : tool;
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
