import { createOpenAiProvider } from '../../../../src/proxy/providers/openai/openai.ts';
import { createOpenAiUpstream } from '../../../support/upstreams/openai.ts';
import { describeUpstream } from '../upstream.contract.ts';

describeUpstream(
  'openai, in the chat format',
  async () => {
    const upstream = await createOpenAiUpstream();
    const provider = createOpenAiProvider({
      ...{ name: 'test', baseUrl: upstream.url, apiKey: 'sk-1', outputLimitField: 'max_completion_tokens' },
      ...{ firstByteTimeoutMs: 10_000, idleTimeoutMs: 10_000 },
    });
    return { provider, upstream };
  },
  { lacks: ['signed thinking', 'signed calls', 'finish reasons of its own', 'translation'] },
);
