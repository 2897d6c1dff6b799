import type { Conversation, Settings, ThinkingSetting, Tool } from '../../../formats/conversation.ts';
import { isBadRequest, unsupported, type BadRequest, type Job } from '../../../formats/format.ts';
import { settingName } from '../../../formats/setting-names.ts';
import { customNames, functionOf, grammarOf } from '../../custom-tools.ts';
import type { ProviderRequest } from '../../provider.ts';
import type { Dialect, Reads } from '../dialects.ts';
import { cacheOf, chatMessages } from './chat-messages.ts';

/** The reason why a job of another format cannot become a chat for this server; undefined if it can. */
export const untranslatable = (job: Job, { reads = {} }: Pick<Dialect, 'reads'>): BadRequest | undefined => {
  const conversation = job.conversation();
  if (!conversation) return unsupported('model', `is not sold in the format ${job.format.name}.`);
  if (isBadRequest(conversation)) return conversation;
  const { settings, others } = conversation;
  const refusal = (name: string): BadRequest =>
    unsupported(name, 'cannot be carried over to the provider of this model. Leave it out, or use another model.');
  if (settings.topK !== undefined && reads.topK !== true) return refusal(settingName(job, 'topK'));
  const hasVerbosity = settings.verbosity !== undefined && settings.verbosity !== ORDINARY_VERBOSITY;
  if (hasVerbosity && reads.newerOpenAi !== true) return refusal(settingName(job, 'verbosity'));
  const [other] = Object.keys(others).filter((name) => reads.fields?.includes(name) !== true);
  return other === undefined ? undefined : refusal(other);
};

const ORDINARY_VERBOSITY = 'medium';

/** The conversation of a job, which `untranslatable` has checked. */
export const conversationOf = (job: Job): Conversation => {
  const conversation = job.conversation();
  if (!conversation || isBadRequest(conversation)) throw new Error('The job was not checked by unsupported().');
  return conversation;
};

/** A job of another format as the body of a chat. */
export const chatBody = (
  { job, model, outputCap }: Pick<ProviderRequest, 'job' | 'model' | 'outputCap'>,
  { outputLimitField, chatFields, reads = {} }: Pick<Dialect, 'outputLimitField' | 'chatFields' | 'reads'>,
): Buffer => {
  const conversation = conversationOf(job);
  const { messages, tools, settings, others } = conversation;
  const limit = outputCap ?? job.maxOutputTokens;
  const body = {
    model,
    messages: chatMessages(messages, reads),
    ...(tools.length > 0
      ? { tools: tools.map((tool) => toolOf(tool, reads)), ...toolSettings(conversation, reads) }
      : {}),
    ...(limit === undefined ? {} : { [outputLimitField]: limit }),
    ...(job.choices > 1 ? { n: job.choices } : {}),
    ...settingsOf(settings, reads),
    ...others,
    ...(job.streamed ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...chatFields,
  };
  return Buffer.from(JSON.stringify(body));
};

/** Undefined settings are left out of the JSON. */
const settingsOf = (settings: Settings, reads: Reads): object => ({
  temperature: settings.temperature,
  top_p: settings.topP,
  top_k: settings.topK,
  frequency_penalty: settings.frequencyPenalty,
  presence_penalty: settings.presencePenalty,
  seed: settings.seed,
  stop: settings.stop,
  response_format: outputOf(settings.output),
  verbosity: reads.newerOpenAi === true ? settings.verbosity : undefined,
  ...thinkingOf(settings.thinking, reads),
});

const outputOf = (output: Settings['output']): object | undefined => {
  if (!output) return undefined;
  const { kind, ...schema } = output;
  return kind === 'json' ? { type: 'json_object' } : { type: 'json_schema', json_schema: schema };
};

/** A server may refuse these without tools. */
const toolSettings = ({ settings, tools }: Conversation, reads: Reads): object => ({
  tool_choice: toolChoiceOf(settings.toolChoice, reads.newerOpenAi === true ? customNames(tools) : new Set()),
  parallel_tool_calls: settings.parallelToolCalls,
});

const toolChoiceOf = (choice: Settings['toolChoice'], custom: ReadonlySet<string>): unknown => {
  if (choice?.kind !== 'tool') return choice?.kind;
  const { name } = choice;
  return custom.has(name) ? { type: 'custom', custom: { name } } : { type: 'function', function: { name } };
};

const toolOf = (tool: Tool, reads: Reads): object => {
  if (tool.kind === 'custom' && reads.newerOpenAi === true) {
    const { name, description, format } = tool;
    const grammar = grammarOf(format);
    return {
      type: 'custom',
      custom: { name, description, ...(grammar ? { format: { type: 'grammar', grammar } } : {}) },
    };
  }
  const { name, description, schema } = tool.kind === 'custom' ? functionOf(tool) : tool;
  const strict = tool.kind === 'function' ? tool.strict : undefined;
  return {
    type: 'function',
    function: { name, description, parameters: schema, strict },
    ...(tool.kind === 'function' ? cacheOf(tool, reads) : {}),
  };
};

/** Without a setting, the model decides. */
const thinkingOf = (thinking: ThinkingSetting | undefined, reads: Reads): object => {
  if (!thinking) return {};
  if (reads.thinking === 'reasoning') return { reasoning: openRouterReasoning(thinking) };
  if (reads.thinking === undefined) return { reasoning_effort: effortOf(thinking) };
  return thinking.kind === 'adaptive' ? {} : { thinking: { type: thinking.kind === 'off' ? 'disabled' : 'enabled' } };
};

const openRouterReasoning = (thinking: ThinkingSetting): object => {
  switch (thinking.kind) {
    case 'off':
      return { enabled: false };
    case 'adaptive':
      return { enabled: true };
    case 'effort':
      return { effort: thinking.effort };
    case 'budget':
      return { max_tokens: thinking.tokens };
  }
};

/** A budget becomes an effort: up to these many tokens, `low` or `medium`. */
const [LOW_TOKENS, MEDIUM_TOKENS] = [2048, 8192];

const effortOf = (thinking: ThinkingSetting): string | undefined => {
  switch (thinking.kind) {
    case 'off':
      return 'none';
    case 'adaptive':
      return undefined;
    case 'effort':
      return thinking.effort;
    case 'budget':
      if (thinking.tokens <= LOW_TOKENS) return 'low';
      return thinking.tokens <= MEDIUM_TOKENS ? 'medium' : 'high';
  }
};
