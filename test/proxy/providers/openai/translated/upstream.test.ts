import type { Job } from '../../../../../src/proxy/formats/format.ts';
import { createOpenAiProvider } from '../../../../../src/proxy/providers/openai/openai.ts';
import { createOpenAiUpstream } from '../../../../support/upstreams/openai.ts';
import { request } from '../../../examples.ts';
import { describeUpstream } from '../../upstream.contract.ts';

/** A chat as a job of another format. */
const foreign = (fields: object): Job => {
  const job = request(fields);
  return { ...job, format: { ...job.format, name: 'foreign' } };
};

describeUpstream(
  'openai, with translated requests',
  async () => {
    const upstream = await createOpenAiUpstream();
    const provider = createOpenAiProvider({
      ...{ name: 'openrouter', baseUrl: upstream.url, apiKey: 'sk-1', outputLimitField: 'max_completion_tokens' },
      ...{ firstByteTimeoutMs: 10_000, idleTimeoutMs: 10_000 },
    });
    return { provider, upstream };
  },
  { lacks: ['signed thinking', 'signed calls', 'finish reasons of its own'], jobOf: foreign },
);
