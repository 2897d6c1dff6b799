import type { Conversation, Settings } from '../../formats/conversation.ts';
import type { Job } from '../../formats/format.ts';
import { settingName } from '../../formats/setting-names.ts';
import { cannotTranslate, refuse } from '../../formats/translating.ts';
import type { ProviderRequest } from '../provider.ts';
import { writeMessages } from './write-messages.ts';
import { writeOutput, writeThinking, writeThinkingBudget, writeTools } from './write-settings.ts';

export type Request = Readonly<Record<string, unknown>>;

/** The limit if neither the request nor the catalogue has one. Every model of Anthropic can write this many tokens. */
const LEAST_LIMIT = 4096;

/**
 * A conversation as a Messages request, without the model. Throws a refusal, within `translating`, that names the field
 * of the customer if it cannot be carried over.
 */
export const writeRequest = (
  job: Job,
  conversation: Conversation,
  sold?: ProviderRequest['sold'],
  outputCap?: number,
): Request => {
  refuseOthers(job, conversation);
  const { settings } = conversation;
  // A limit above the model's own would be refused; no answer can be longer.
  const most = sold?.maxOutputTokens ?? job.maxOutputTokens ?? LEAST_LIMIT;
  const limit = Math.min(job.maxOutputTokens ?? outputCap ?? most, most);
  const { system, messages } = writeMessages(conversation.messages);
  return {
    max_tokens: limit,
    ...(system.length === 0 ? {} : { system }),
    messages,
    ...writeTools(conversation),
    ...(job.streamed ? { stream: true } : {}),
    ...set('temperature', settings.temperature),
    ...set('top_p', settings.topP),
    ...set('top_k', settings.topK),
    ...((settings.stop ?? []).length === 0 ? {} : { stop_sequences: settings.stop }),
    ...(sold?.thinksByBudget === true
      ? writeThinkingBudget(job, settings.thinking, limit)
      : writeThinking(settings.thinking)),
    ...outputConfig(job, conversation, sold?.thinksByBudget !== true),
    // The tier of a request without this field is a setting of our account.
    service_tier: 'standard_only',
  };
};

const set = (name: string, value: unknown): Request => (value === undefined ? {} : { [name]: value });

const outputConfig = (job: Job, { settings }: Conversation, hasEffort: boolean): Request => {
  const { effort, ...rest } = writeOutput(job, settings);
  const config = hasEffort && effort !== undefined ? { effort, ...rest } : rest;
  return Object.keys(config).length === 0 ? {} : { output_config: config };
};

/** Refuses what Anthropic's models do not offer. A penalty of 0 and a medium verbosity are what a model does anyway. */
const refuseOthers = (job: Job, { settings, others }: Conversation): void => {
  if (job.choices > 1) refuse('n', 'must be 1 with this model.');
  const [other] = Object.keys(others);
  if (other !== undefined) cannotTranslate(other);
  const absent: Settings = {
    frequencyPenalty: settings.frequencyPenalty || undefined,
    presencePenalty: settings.presencePenalty || undefined,
    seed: settings.seed,
    verbosity: settings.verbosity === 'medium' ? undefined : settings.verbosity,
  };
  for (const name of Object.keys(absent) as (keyof Settings)[]) {
    if (absent[name] !== undefined) cannotTranslate(settingName(job, name));
  }
  if ((settings.temperature ?? 0) > 1) refuse('temperature', 'must be at most 1 with this model.');
};
