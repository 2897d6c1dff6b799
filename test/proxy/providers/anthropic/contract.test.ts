import { createAnthropicUpstream } from '../../../support/upstreams/anthropic.ts';
import { describeUpstream } from '../upstream.contract.ts';
import { providerAt } from './upstream.ts';

describeUpstream(
  'anthropic',
  async () => {
    const upstream = await createAnthropicUpstream();
    return { provider: providerAt(upstream.url), upstream };
  },
  // Only Google signs calls.
  { lacks: ['signed calls'] },
);
