import type { Conversation, Settings, ThinkingSetting, Tool, ToolChoice } from '../../formats/conversation.ts';
import type { Job } from '../../formats/format.ts';
import { settingName } from '../../formats/setting-names.ts';
import { refuse } from '../../formats/translating.ts';
import { functionOf } from '../custom-tools.ts';
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

const toolOf = (tool: Tool): Fields => {
  if (tool.kind === 'custom') {
    const { schema, ...named } = functionOf(tool);
    return { ...named, input_schema: schema };
  }
  const { name, description } = tool;
  return {
    ...{ name, ...(description === undefined ? {} : { description }) },
    input_schema: { type: 'object', ...(tool.schema ?? { properties: {} }) },
    ...(tool.strict === true ? { strict: true } : {}),
    ...cacheControl(tool),
  };
};

/** Other formats show the summary of the thoughts, which some models leave out by default. */
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

/** The part of the limit that a model may think with, by effort. */
const shares: Readonly<Record<string, number>> = { low: 0.2, medium: 0.5, high: 0.8, xhigh: 0.9, max: 0.9 };
const LEAST_BUDGET = 1024;

/** The same for a model without efforts: a share of the limit, which the thoughts are part of. */
export const writeThinkingBudget = (job: Job, thinking: ThinkingSetting | undefined, limit: number): Fields => {
  if (thinking?.kind !== 'effort' && thinking?.kind !== 'adaptive') return writeThinking(thinking);
  const share = shares[thinking.kind === 'effort' ? effortOf(job, thinking.effort) : 'medium'] ?? 0;
  return writeThinking({ kind: 'budget', tokens: Math.max(LEAST_BUDGET, Math.floor(limit * share)) });
};

/** OpenAI's efforts in Anthropic's words. */
const efforts: Readonly<Record<string, string>> = {
  ...{ minimal: 'low', low: 'low', medium: 'medium', high: 'high', xhigh: 'xhigh', max: 'max' },
};

/** The `output_config`: the effort, and the schema of the answer. */
export const writeOutput = (job: Job, { thinking, output }: Settings): Fields => ({
  ...(thinking?.kind === 'effort' ? { effort: effortOf(job, thinking.effort) } : {}),
  ...(output ? { format: formatOf(job, output) } : {}),
});

const effortOf = (job: Job, effort: string): string => {
  const known = Object.hasOwn(efforts, effort) ? efforts[effort] : undefined;
  const all = Object.keys(efforts).join(', ');
  return known ?? refuse(settingName(job, 'thinking'), `the effort must be one of ${all} with this model.`);
};

const formatOf = (job: Job, output: NonNullable<Settings['output']>): Fields => {
  if (output.kind === 'json') {
    return refuse(settingName(job, 'output'), 'with this model, JSON requires a schema. Send type json_schema.');
  }
  const { schema, description } = output;
  return { type: 'json_schema', schema: description === undefined ? schema : { description, ...schema } };
};
