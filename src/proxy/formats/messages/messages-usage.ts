import { formatUsd, jsonUsd, type Usage } from '../../../domain/money.ts';
import { isThere } from '../../json/untyped-json.ts';
import type { Settlement } from '../format.ts';
import { withoutCosts } from '../openai-usage.ts';

type Report = Readonly<Record<string, unknown>>;

/** The usage for the customer in Anthropic's names, without the cost. A provider's own report is passed on if it has them. */
export const messagesUsageOf = ({ usage, reported }: Settlement): Report =>
  reported && statesAll(reported, usage) ? withoutCosts(reported) : { ...unused, ...inAnthropicNames(usage) };

/** The same for the end of a stream, with the cost. */
export const settledUsage = (settlement: Settlement): Report => ({
  ...messagesUsageOf(settlement),
  cost: jsonUsd(settlement.charged),
  cost_usd: formatUsd(settlement.charged),
});

const statesAll = (report: Report, usage: Usage): boolean =>
  isThere(report['cache_read_input_tokens']) &&
  report['input_tokens'] === usage.input &&
  report['cache_read_input_tokens'] === usage.cachedInput &&
  (report['cache_creation_input_tokens'] ?? 0) === usage.cacheWrite &&
  report['output_tokens'] === usage.output + usage.reasoning;

/** Fields that Anthropic's SDKs declare as always present. */
const unused = {
  cache_creation: null,
  inference_geo: null,
  server_tool_use: null,
  service_tier: 'standard',
  speed: null,
};

/** Anthropic's `input_tokens` leave out what was read from a cache or written to it. */
const inAnthropicNames = ({ input, cachedInput, cacheWrite, output, reasoning }: Usage): Report => ({
  input_tokens: input,
  cache_creation_input_tokens: cacheWrite,
  cache_read_input_tokens: cachedInput,
  output_tokens: output + reasoning,
  output_tokens_details: reasoning > 0 ? { thinking_tokens: reasoning } : null,
});

/** The usage of a message that begins. */
export const noUsageYet: Report = {
  ...unused,
  ...{ input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 },
  output_tokens_details: null,
};
