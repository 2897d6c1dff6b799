import { createGeminiProvider } from '../../../../src/proxy/providers/gemini/gemini.ts';
import { createGeminiUpstream } from '../../../support/upstreams/gemini.ts';
import { describeUpstream } from '../upstream.contract.ts';

describeUpstream(
  'gemini',
  async () => {
    const upstream = await createGeminiUpstream();
    const provider = createGeminiProvider({
      ...{ name: 'test', baseUrl: upstream.url, apiKey: 'AIza-1' },
      ...{ firstByteTimeoutMs: 10_000, idleTimeoutMs: 10_000 },
    });
    return { provider, upstream };
  },
  // Google's cache is automatic, and it bills no writes.
  { lacks: ['cache writes', 'cache control'] },
);
