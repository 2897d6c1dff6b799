import { formatUsd, jsonUsd, type Usage } from '../../../domain/money.ts';
import { field, isThere } from '../../json/untyped-json.ts';
import type { Frame, Job, Notice, Settlement } from '../format.ts';
import { withoutCosts } from '../openai-usage.ts';
import type { OutputItem } from './output-items.ts';

/** The state of a response, and what it has so far. */
export type ResponseState = {
  readonly status: 'in_progress' | 'completed' | 'incomplete';
  readonly output: readonly OutputItem[];
  readonly incompleteReason?: 'max_output_tokens' | 'content_filter' | undefined;
  readonly notice?: Notice | undefined;
  readonly settlement?: Settlement | undefined;
};

/** The state of an answer that ended, from its finish reason in OpenAI's words. */
export const endedAs = (finishReason: string | null): Pick<ResponseState, 'status' | 'incompleteReason'> => {
  if (finishReason === 'length') return { status: 'incomplete', incompleteReason: 'max_output_tokens' };
  if (finishReason === 'content_filter') return { status: 'incomplete', incompleteReason: 'content_filter' };
  return { status: 'completed' };
};

/** A response in OpenAI's shape. It repeats the settings of its request. */
export const responseOf = (frame: Frame, { fields, maxOutputTokens }: Job, state: ResponseState) => {
  const { status, output, incompleteReason, notice, settlement } = state;
  const given = (name: string, otherwise: unknown): unknown => (isThere(fields[name]) ? fields[name] : otherwise);
  return {
    id: responseId(frame),
    object: 'response',
    access_programs: null,
    created_at: Math.floor(frame.createdAt.getTime() / 1000),
    status,
    background: false,
    error: null,
    incomplete_details: incompleteReason === undefined ? null : { reason: incompleteReason },
    instructions: given('instructions', null),
    max_output_tokens: maxOutputTokens ?? null,
    max_tool_calls: null,
    metadata: given('metadata', {}),
    model: frame.model,
    output,
    parallel_tool_calls: given('parallel_tool_calls', true),
    previous_response_id: null,
    reasoning: { effort: null, summary: null, ...(fields['reasoning'] as object | undefined) },
    service_tier: 'default',
    store: false,
    temperature: given('temperature', 1),
    text: { format: { type: 'text' }, ...(fields['text'] as object | undefined) },
    tool_choice: given('tool_choice', 'auto'),
    tools: given('tools', []),
    top_logprobs: 0,
    top_p: given('top_p', 1),
    truncation: 'disabled',
    ...strings(fields),
    ...(settlement ? { usage: usageWithCost(settlement) } : {}),
    ...(notice ? { kissapi: { generation_id: notice.generationId, error: notice.error } } : {}),
  };
};

/** Settings that OpenAI's client declares as strings, which may be missing and are never null. */
const strings = (fields: Job['fields']): object => {
  const names = ['prompt_cache_key', 'safety_identifier', 'user'];
  return Object.fromEntries(names.flatMap((name) => (isThere(fields[name]) ? [[name, fields[name]]] : [])));
};

const LONGEST_ID = 48;

/** Ids of items derive from it. OpenAI accepts at most 64 characters of this kind. */
export const baseId = ({ id }: Frame): string =>
  id
    .replaceAll(/[^\w-]/g, '')
    .replace(/^resp_/, '')
    .slice(0, LONGEST_ID);

const responseId = (frame: Frame): string => `resp_${baseId(frame)}`;

/** The usage of an answer in the names of this format, with what the customer pays. */
export const usageWithCost = (settlement: Settlement): object => ({
  ...usageOf(settlement),
  cost: jsonUsd(settlement.charged),
  cost_usd: formatUsd(settlement.charged),
});

/** The provider's own report is passed on if it states the same in the names of this format. */
export const usageOf = ({ usage, reported }: Settlement): Readonly<Record<string, unknown>> =>
  reported && statesAll(reported, usage) ? withoutCosts(reported) : inNamesOfFormat(usage);

const statesAll = (report: Readonly<Record<string, unknown>>, usage: Usage): boolean =>
  report['input_tokens'] === usage.input + usage.cachedInput + usage.cacheWrite &&
  isThere(report['total_tokens']) &&
  isThere(field(report['input_tokens_details'], 'cached_tokens'));

const inNamesOfFormat = ({ input, cachedInput, cacheWrite, output, reasoning }: Usage) => {
  const [read, written] = [input + cachedInput + cacheWrite, output + reasoning];
  return {
    input_tokens: read,
    input_tokens_details: { cached_tokens: cachedInput, cache_write_tokens: cacheWrite },
    output_tokens: written,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: read + written,
  };
};
