import { createAnthropicProvider } from '../../../../src/proxy/providers/anthropic/anthropic.ts';
import { createAnthropicUpstream } from '../../../support/upstreams/anthropic.ts';
import { describeUpstream } from '../upstream.contract.ts';

describeUpstream(
  'anthropic, with translated chats',
  async () => {
    const upstream = await createAnthropicUpstream();
    const provider = createAnthropicProvider({
      ...{ name: 'test', baseUrl: upstream.url, apiKey: 'sk-ant-1' },
      ...{ firstByteTimeoutMs: 10_000, idleTimeoutMs: 10_000 },
    });
    return { provider, upstream };
  },
  { lacks: ['signed calls'] },
);
