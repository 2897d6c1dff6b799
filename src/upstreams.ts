import type { Config } from './config.ts';
import type { Upstream } from './proxy/upstream.ts';
import { createOpenAiUpstream } from './proxy/upstreams/openai.ts';
import { createSimulatedUpstream } from './proxy/upstreams/simulated.ts';

/** The upstreams that are switched on, by the name that the price book calls them. */
export const createUpstreams = (config: Config): ReadonlyMap<string, Upstream> => {
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
