import { InvalidConfig, type Config } from '../config/config.ts';
import { chat } from '../proxy/formats/chat/chat.ts';
import { completions } from '../proxy/formats/completions.ts';
import { embeddings } from '../proxy/formats/embeddings.ts';
import type { Format } from '../proxy/formats/format.ts';
import { messages } from '../proxy/formats/messages/messages.ts';
import { responses } from '../proxy/formats/responses/responses.ts';
import { createAnthropicProvider } from '../proxy/providers/anthropic/anthropic.ts';
import { createGeminiProvider } from '../proxy/providers/gemini/gemini.ts';
import { createOpenAiProvider } from '../proxy/providers/openai/openai.ts';
import type { Provider } from '../proxy/providers/provider.ts';
import { createSimulatedProvider } from '../proxy/providers/simulated/simulated.ts';

/** The formats of the endpoints, by endpoint. */
export const formats: ReadonlyMap<string, Format> = new Map(
  [chat, completions, embeddings, responses, messages].map((format) => [format.endpoint, format]),
);

/**
 * The configured providers, by their names in the price book. Throws InvalidConfig if a name is not among those
 * `listed`: no request could reach that provider, and its models would be missing without a message.
 */
export const createProviders = (config: Config, listed: ReadonlySet<string>): ReadonlyMap<string, Provider> => {
  const unknown = config.upstreamNames.find((name) => !listed.has(name));
  if (unknown !== undefined) {
    const known = [...listed].sort().join(', ');
    throw new InvalidConfig(
      `KISSAPI_UPSTREAMS: no model is of a provider ${unknown}. Those that have models: ${known}.`,
    );
  }
  const { openAiKey, openAiUrl, firstByteTimeoutMs, idleTimeoutMs } = config;
  const openAi =
    openAiKey === undefined
      ? []
      : [
          {
            name: 'openai',
            baseUrl: openAiUrl,
            apiKey: openAiKey,
            outputLimitField: 'max_completion_tokens' as const,
            dialect: 'openai' as const,
            responses: true,
          },
        ];
  const create = { openai: createOpenAiProvider, anthropic: createAnthropicProvider, gemini: createGeminiProvider };
  const remote = [...openAi, ...config.upstreams].map((upstream) =>
    create[upstream.dialect]({ ...upstream, firstByteTimeoutMs, idleTimeoutMs }),
  );
  const simulated = config.simulated ? [createSimulatedProvider()] : [];
  return new Map([...simulated, ...remote].map((provider) => [provider.name, provider]));
};
