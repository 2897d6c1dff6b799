import type { Job } from '../../formats/format.ts';
import { isSold } from '../../formats/messages/unsold-fields.ts';
import { withoutMember } from '../../json/json-text.ts';
import { withFields } from '../../json/json-edit.ts';
import type { ProviderRequest } from '../provider.ts';

/** Whether the body of a job is in the wire format of this provider. */
export const isNative = ({ format }: Job): boolean => format.name === 'messages';

/** The customer's body with the provider's name of the model, and the priced values in fields that decide the price. */
export const nativeBody = ({ job, model, outputCap }: Pick<ProviderRequest, 'job' | 'model' | 'outputCap'>): Buffer => {
  const body = withFields(job, {
    // The tier of a request without this field is a setting of our account.
    service_tier: 'standard_only',
    ...(model === job.model ? {} : { model }),
    ...(job.gathered ? { stream: true } : {}),
    ...(outputCap === undefined ? {} : { max_tokens: outputCap }),
  });
  return withoutUnsold(job, body);
};

/** The body for a count. */
export const countBody = ({ job, model }: Pick<ProviderRequest, 'job' | 'model'>): Buffer =>
  withoutUnsold(job, withFields(job, model === job.model ? {} : { model }));

/** Anthropic refuses fields that belong to a beta, even if they are null. */
const withoutUnsold = ({ fields }: Job, body: Buffer): Buffer => {
  const names = Object.keys(fields).filter((name) => !isSold(name));
  if (names.length === 0) return body;
  // Decoded as latin1, so that every byte stays as it is.
  return Buffer.from(names.reduce(withoutMember, body.toString('latin1')), 'latin1');
};
