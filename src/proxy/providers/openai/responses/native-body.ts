import { isReadableByOpenAi } from '../../../formats/responses/reasoning.ts';
import type { Job } from '../../../formats/format.ts';
import { withFields } from '../../../json/json-edit.ts';
import { asList, field, isThere } from '../../../json/untyped-json.ts';
import type { ProviderRequest } from '../../provider.ts';
import type { Dialect } from '../dialects.ts';

/**
 * The customer's request for a server that has this format. Nothing is stored, the tier is the priced one, and all other
 * bytes stay as they are.
 */
export const nativeBody = (
  { job, model, outputCap }: Pick<ProviderRequest, 'job' | 'model' | 'outputCap'>,
  { chatFields }: Pick<Dialect, 'chatFields'>,
): Buffer => {
  const { fields } = job;
  return withFields(job, {
    ...(isThere(fields['service_tier']) ? { service_tier: 'default' } : {}),
    ...chatFields,
    store: false,
    ...(job.gathered === true ? { stream: true } : {}),
    ...(model === job.model ? {} : { model }),
    ...(outputCap === undefined ? {} : { max_output_tokens: outputCap }),
    ...readableInput(fields),
  });
};

/**
 * The input without reasoning that OpenAI would look for in its store, or that another provider has signed: it would
 * refuse the request. The other items need no ids: nothing is stored under them.
 */
const readableInput = ({ input }: Job['fields']): { readonly input?: unknown } => {
  const items = asList(input);
  if (items.every(isReadable)) return {};
  return { input: items.filter(isReadable).map(withoutId) };
};

const isReadable = (item: unknown): boolean => {
  const type = field(item, 'type');
  return type !== 'item_reference' && (type !== 'reasoning' || isReadableByOpenAi(item));
};

const withoutId = (item: unknown): unknown => {
  if (field(item, 'type') === 'reasoning') return item;
  const { id: _, ...rest } = item as Readonly<Record<string, unknown>>;
  return rest;
};
