import { InvalidConfig, type Config } from '../config/config.ts';
import type { Upstream } from '../proxy/providers/provider.ts';
import { createOpenAiUpstream } from '../proxy/providers/openai/openai.ts';
import { createSimulatedUpstream } from '../proxy/providers/simulated/simulated.ts';

/**
 * The upstreams that are switched on, by the name that the price book calls them. Throws InvalidConfig where one has a name
 * that is none of these `providers`: nobody could ever ask it for anything, and its models would be missing in silence.
 */
export const createUpstreams = (config: Config, providers: ReadonlySet<string>): ReadonlyMap<string, Upstream> => {
  const unknown = config.upstreamNames.find((name) => !providers.has(name));
  if (unknown !== undefined) {
    const known = [...providers].sort().join(', ');
    throw new InvalidConfig(
      `KISSAPI_UPSTREAMS: no model is of a provider ${unknown}. Those that have models: ${known}.`,
    );
  }
  const { openAiKey, openAiUrl, firstByteTimeoutMs, idleTimeoutMs } = config;
  const openAi =
    openAiKey === undefined
      ? []
      : [{ name: 'openai', baseUrl: openAiUrl, apiKey: openAiKey, outputLimitField: 'max_completion_tokens' as const }];
  const compatible = [...openAi, ...config.upstreams].map((upstream) =>
    createOpenAiUpstream({ ...upstream, firstByteTimeoutMs, idleTimeoutMs }),
  );
  const simulated = config.simulated ? [createSimulatedUpstream()] : [];
  return new Map([...simulated, ...compatible].map((upstream) => [upstream.name, upstream]));
};
