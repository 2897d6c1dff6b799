import { asList, field, isThere, shown } from '../../json/untyped-json.ts';
import { unsupported, type BadRequest, type Job } from '../format.ts';
import { unsoldBlock } from './content-blocks.ts';

type Fields = Job['fields'];

/** The fields of a request that are sold. Every other field is refused, because it may name something kept at a provider. */
const soldFields = new Set([
  ...['model', 'messages', 'max_tokens', 'system', 'tools', 'tool_choice', 'stop_sequences', 'stream', 'cache_control'],
  ...['temperature', 'top_p', 'top_k', 'thinking', 'output_config', 'metadata'],
  ...['service_tier', 'speed', 'inference_geo'],
]);

const NO_STATE =
  'names something that is kept at a provider, under a key that all customers share. Send it with the request.';
const reasons: Readonly<Record<string, string>> = {
  container: NO_STATE,
  diagnostics: NO_STATE,
  user_profile_id: NO_STATE,
  workspace_id: NO_STATE,
  context_management:
    'the provider may read the conversation several times for it, which has no price here. Leave it out.',
};

/** A field, tool or content block that is not sold in this format. */
export const unsoldInMessages = (fields: Fields): BadRequest | undefined => {
  for (const [name, value] of Object.entries(fields)) {
    if (soldFields.has(name) || !isThere(value)) continue;
    return unsupported(name, reasons[name] ?? 'is not a field that is sold in this format. Leave it out.');
  }
  return unsoldTool(fields) ?? unsoldBlock(fields);
};

/** Tools of other types are run by the provider, or bring instructions of their own that are billed as input. */
const unsoldTool = (fields: Fields): BadRequest | undefined => {
  for (const [index, tool] of asList(fields['tools']).entries()) {
    const type = field(tool, 'type');
    if (isThere(type) && type !== 'custom') {
      return unsupported(`tools.${index}.type`, `${shown(type)} is not sold here. Send tools of type custom.`);
    }
  }
  return undefined;
};
