import type { Usage } from '../../domain/money.ts';
import { membersOf, withMember } from '../json/json-text.ts';
import type { Settlement } from './format.ts';

/**
 * The usage for the customer, without the cost. The provider's own report is passed on if it states the same in
 * OpenAI's names.
 */
export const usageOf = ({ usage, reported }: Settlement): Readonly<Record<string, unknown>> =>
  reported && statesInput(reported, usage) ? withoutCosts(reported) : inOpenAiNames(usage);

/** Whether a client that reads only OpenAI's names finds all input in a report. */
const statesInput = (report: Readonly<Record<string, unknown>>, usage: Usage): boolean =>
  report['prompt_tokens'] === usage.input + usage.cachedInput + usage.cacheWrite;

/** A provider's cost is not what the customer pays. The gateway sets `cost` and `cost_usd`. */
const providerCosts = new Set(['cost', 'cost_usd', 'cost_details', 'cost_in_usd_ticks']);

export const withoutCosts = (usage: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.keys(usage).some((name) => providerCosts.has(name))
    ? Object.fromEntries(Object.entries(usage).filter(([name]) => !providerCosts.has(name)))
    : usage;

/** A usage in OpenAI's names. */
export const inOpenAiNames = (usage: Usage): Readonly<Record<string, unknown>> => {
  const { cachedInput, cacheWrite, reasoning } = usage;
  const [prompt, completion] = [usage.input + cachedInput + cacheWrite, usage.output + reasoning];
  const caches = {
    ...(cachedInput > 0 ? { cached_tokens: cachedInput } : {}),
    ...(cacheWrite > 0 ? { cache_write_tokens: cacheWrite } : {}),
  };
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(cachedInput + cacheWrite > 0 ? { prompt_tokens_details: caches } : {}),
    ...(reasoning > 0 ? { completion_tokens_details: { reasoning_tokens: reasoning } } : {}),
  };
};

/**
 * Adds usage and cost to an answer. Only the bytes of the usage change: the numbers of embeddings and the text of
 * answers stay as they were written. If the usage is the provider's own, only the cost is added.
 */
export const withCost = (body: string, usage: Readonly<Record<string, unknown>>, costUsd: string): string => {
  const span = membersOf(body, 'usage').at(-1);
  if (!span) return withMember(body, 'usage', withBoth(usage, costUsd));
  const written = body.slice(span.start, span.end);
  const value = isKept(written, usage)
    ? `${written.slice(0, -1)},"cost":${costUsd},"cost_usd":"${costUsd}"}`
    : withBoth(usage, costUsd);
  return body.slice(0, span.start) + value + body.slice(span.end);
};

const withBoth = (usage: Readonly<Record<string, unknown>>, costUsd: string): string =>
  JSON.stringify({ ...usage, cost: JSON.rawJSON(costUsd), cost_usd: costUsd });

/** Whether the text of a usage states exactly this one, and has room for a cost. */
const isKept = (written: string, usage: Readonly<Record<string, unknown>>): boolean => {
  if (Object.hasOwn(usage, 'cost') || Object.keys(usage).length === 0) return false;
  const json = JSON.stringify(usage);
  return written === json || JSON.stringify(JSON.parse(written)) === json;
};
