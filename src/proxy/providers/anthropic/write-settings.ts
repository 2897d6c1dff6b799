import type { Conversation, Settings, ThinkingSetting, Tool, ToolChoice } from '../../formats/conversation.ts';
import { refuse } from '../../formats/translating.ts';
import { field, isThere } from '../../json/untyped-json.ts';
import { cacheControl } from './write-messages.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The tools, and which of them the model may call. */
export const writeTools = ({ tools, settings }: Conversation): Fields => {
  if (tools.length === 0) return {};
  const choice = choiceOf(settings.toolChoice, settings.parallelToolCalls === false);
  return { tools: tools.map(toolOf), ...(choice ? { tool_choice: choice } : {}) };
};

const choiceOf = (choice: ToolChoice | undefined, oneAtATime: boolean): Fields | undefined => {
  if (!choice && !oneAtATime) return undefined;
  const single = oneAtATime ? { disable_parallel_tool_use: true } : {};
  switch (choice?.kind) {
    case 'none':
      return { type: 'none' };
    case 'required':
      return { type: 'any', ...single };
    case 'tool':
      return { type: 'tool', name: choice.name, ...single };
    case 'auto':
    case undefined:
      return { type: 'auto', ...single };
  }
};

/** A tool whose input is text is a function with one argument. */
const textInput = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };

const toolOf = (tool: Tool, index: number): Fields => {
  const { name, description } = tool;
  const named = { name, ...(description === undefined ? {} : { description }) };
  if (tool.kind === 'custom') {
    const type = field(tool.format, 'type');
    if (isThere(type) && type !== 'text') {
      refuse(`tools.${index}.custom.format`, 'grammars have no counterpart at the provider of this model.');
    }
    return { ...named, input_schema: textInput };
  }
  return {
    ...named,
    input_schema: { type: 'object', ...(tool.schema ?? { properties: {} }) },
    ...(tool.strict === true ? { strict: true } : {}),
    ...cacheControl(tool),
  };
};

/** The summary of the thoughts is what other formats show; some models leave it out by default. */
const SUMMARISED = { display: 'summarized' };

export const writeThinking = (thinking: ThinkingSetting | undefined): Fields => {
  switch (thinking?.kind) {
    case undefined:
      return {};
    case 'off':
      return { thinking: { type: 'disabled' } };
    case 'adaptive':
    case 'effort':
      return { thinking: { type: 'adaptive', ...SUMMARISED } };
    case 'budget':
      return { thinking: { type: 'enabled', budget_tokens: thinking.tokens, ...SUMMARISED } };
  }
};

/** OpenAI's efforts in Anthropic's words. */
const efforts: Readonly<Record<string, string>> = {
  ...{ minimal: 'low', low: 'low', medium: 'medium', high: 'high', xhigh: 'xhigh', max: 'max' },
};

/** The `output_config`: the effort, and the schema of the answer. */
export const writeOutput = ({ thinking, output }: Settings): Fields => ({
  ...(thinking?.kind === 'effort' ? { effort: effortOf(thinking.effort) } : {}),
  ...(output ? { format: formatOf(output) } : {}),
});

const effortOf = (effort: string): string => {
  const known = Object.hasOwn(efforts, effort) ? efforts[effort] : undefined;
  return known ?? refuse('reasoning_effort', `must be one of ${Object.keys(efforts).join(', ')} with this model.`);
};

const formatOf = (output: NonNullable<Settings['output']>): Fields => {
  if (output.kind === 'json') {
    return refuse('response_format', 'this model writes JSON only by a schema. Send one as json_schema.');
  }
  const { schema, description } = output;
  return { type: 'json_schema', schema: description === undefined ? schema : { description, ...schema } };
};
