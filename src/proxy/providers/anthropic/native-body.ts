import type { Job } from '../../formats/format.ts';
import { withFields } from '../../json/json-edit.ts';
import type { ProviderRequest } from '../provider.ts';

/** Whether the body of a job is in the wire format of this provider. */
export const isNative = ({ format }: Job): boolean => format.name === 'messages';

/** The customer's body with the provider's name of the model, and the priced values in fields that decide the price. */
export const nativeBody = ({ job, model, outputCap }: Pick<ProviderRequest, 'job' | 'model' | 'outputCap'>): Buffer =>
  withFields(job, {
    // The tier of a request without this field is a setting of our account.
    service_tier: 'standard_only',
    ...(model === job.model ? {} : { model }),
    ...(job.gathered ? { stream: true } : {}),
    ...(outputCap === undefined ? {} : { max_tokens: outputCap }),
  });
