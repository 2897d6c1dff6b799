import type { Job } from '../../formats/format.ts';
import { withFields } from '../../json/json-edit.ts';
import { isThere } from '../../json/untyped-json.ts';
import type { ProviderRequest } from '../provider.ts';
import type { Dialect } from './dialects.ts';
import type { Endpoint } from '../http/transport.ts';

/** The formats whose bodies a server with this wire format accepts unchanged, with the endpoint of each. */
const endpoints: Readonly<Record<string, Endpoint>> = {
  chat: '/chat/completions',
  completions: '/completions',
  embeddings: '/embeddings',
};

const RESPONSES = '/responses';

/** Undefined for a format that the server does not have itself. */
export const endpointOf = (
  { format }: Pick<Job, 'format'>,
  { responses }: Pick<Dialect, 'responses'>,
): Endpoint | undefined => {
  if (format.name === 'responses') return responses === true ? RESPONSES : undefined;
  return Object.hasOwn(endpoints, format.name) ? endpoints[format.name] : undefined;
};

/** Replace the customer's values: the priced tier, and no storage, because the content is the customer's. */
const AS_PRICED = { service_tier: 'default', store: false };

const NEWER_LIMIT = 'max_completion_tokens';

/**
 * The customer's body with the provider's names for the model and the limit. Usage is always requested, and fields that
 * change the price have the priced values.
 */
export const bodyFor = (
  { job, model, outputCap }: Pick<ProviderRequest, 'job' | 'model' | 'outputCap'>,
  { outputLimitField, chatFields }: Pick<Dialect, 'outputLimitField' | 'chatFields'>,
): Buffer => {
  const { fields, format, maxOutputTokens: limit } = job;
  const asPriced = Object.entries(AS_PRICED).filter(([name]) => isThere(fields[name]));
  // DeepSeek ignores the newer name, so that nothing would bound the output; Mistral refuses it.
  const renames = outputLimitField === 'max_tokens' && typeof fields[NEWER_LIMIT] === 'number';
  return withFields(
    job,
    {
      ...Object.fromEntries(asPriced),
      ...(format.name === 'chat' ? chatFields : {}),
      ...(model === job.model ? {} : { model }),
      ...(job.gathered ? { stream: true } : {}),
      ...(job.streamed && (!job.includeUsage || job.gathered)
        ? { stream_options: { ...(fields['stream_options'] ?? {}), include_usage: true } }
        : {}),
      ...(outputCap === undefined ? {} : { [outputLimitField]: outputCap }),
      // The hold covers the format's default; a provider's own default may be higher.
      ...(format.name === 'completions' && !isThere(fields['max_tokens']) ? { max_tokens: limit } : {}),
      // After the rename, the name may occur twice. Each has the limit that the hold covers.
      ...(renames ? { [NEWER_LIMIT]: limit } : {}),
      ...(renames && Object.hasOwn(fields, outputLimitField) ? { [outputLimitField]: limit } : {}),
    },
    renames ? { [NEWER_LIMIT]: outputLimitField } : {},
  );
};
