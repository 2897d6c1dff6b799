import { asList, field, isThere, shown, strings } from '../../json/untyped-json.ts';
import { unsupported, type BadRequest, type Job } from '../format.ts';
import { unsoldTool } from '../unsupported-features.ts';
import { ownTools, toolLists } from './tools.ts';

type Fields = Job['fields'];

const NOT_KEPT =
  'nothing is kept here between requests, because all customers share one account at a provider. Send the content itself.';
const NO_ITEMS = `${NOT_KEPT} Clients do so if they set store to false.`;

/** Fields that name something that is kept at a provider. */
const kept: readonly string[] = ['previous_response_id', 'conversation', 'prompt', 'background'];

/** All other fields are refused by name: an unknown one may name something kept, or cost something without a price. */
const fieldsOfFormat = new Set([
  ...['model', 'input', 'instructions', 'tools', 'tool_choice', 'parallel_tool_calls', 'max_tool_calls'],
  ...['max_output_tokens', 'temperature', 'top_p', 'top_logprobs', 'reasoning', 'text', 'include', 'truncation'],
  ...['stream', 'stream_options', 'store', 'service_tier', 'metadata', 'client_metadata', 'user', 'safety_identifier'],
  ...['prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options', 'simulate'],
]);

const includes: readonly unknown[] = ['reasoning.encrypted_content', 'message.output_text.logprobs'];

/** Items of the input. A message may have no type. */
const itemTypes: readonly unknown[] = [
  ...['message', 'reasoning', 'function_call', 'function_call_output', 'custom_tool_call', 'custom_tool_call_output'],
  ...['additional_tools', 'tool_search_call', 'tool_search_output', 'item_reference'],
];

const partTypes: readonly unknown[] = ['input_text', 'output_text', 'refusal', 'input_image', 'input_file'];

/** The first field of a request that is not sold in this format. */
export const unsoldResponsesField = (fields: Fields): BadRequest | undefined =>
  unsoldTopField(fields) ?? unsoldInclude(fields) ?? unsoldItem(fields) ?? unsoldTools(fields) ?? unsoldChoice(fields);

const isOff = (value: unknown): boolean => !isThere(value) || value === false;

const unsoldTopField = (fields: Fields): BadRequest | undefined => {
  for (const [name, value] of Object.entries(fields)) {
    if (isOff(value) || fieldsOfFormat.has(name)) continue;
    return unsupported(name, kept.includes(name) ? NOT_KEPT : 'is not sold here. Leave it out.');
  }
  return undefined;
};

const unsoldInclude = ({ include }: Fields): BadRequest | undefined => {
  const other = asList(include).find((one) => !includes.includes(one));
  if (other === undefined) return undefined;
  return unsupported('include', `${shown(other)} is not sold here. Send ${includes.map(shown).join(' or ')}.`);
};

const unsoldItem = ({ input }: Fields): BadRequest | undefined => {
  for (const [index, item] of asList(input).entries()) {
    const at = `input.${index}`;
    const type = field(item, 'type') ?? (isThere(field(item, 'role')) ? 'message' : undefined);
    if (!itemTypes.includes(type)) return unsupported(`${at}.type`, `${shown(type ?? null)} is not sold here.`);
    if (type === 'item_reference' && !isReasoningReference(item)) return unsupported(at, NO_ITEMS);
    const isServers = field(item, 'execution') === 'server';
    if (isServers)
      return unsupported(
        `${at}.execution`,
        'a search for tools that the provider runs is not sold here. Set it to "client".',
      );
    const why =
      unsoldPart(field(item, 'content'), `${at}.content`) ?? unsoldPart(field(item, 'output'), `${at}.output`);
    if (why) return why;
  }
  return undefined;
};

/**
 * Clients that expect their answers to be stored refer to reasoning by its id. Reasoning that a provider cannot read is
 * left out, so such a reference is, too.
 */
export const isReasoningReference = (item: unknown): boolean =>
  field(item, 'type') === 'item_reference' && String(field(item, 'id')).startsWith('rs_');

const unsoldPart = (parts: unknown, at: string): BadRequest | undefined => {
  for (const [index, part] of asList(parts).entries()) {
    const type = field(part, 'type');
    const isReasoning = type === 'reasoning_text' || type === 'summary_text';
    if (!partTypes.includes(type) && !isReasoning) {
      return unsupported(`${at}.${index}.type`, `${shown(type ?? null)} is not sold here.`);
    }
    if (isThere(field(part, 'file_id'))) return unsupported(`${at}.${index}.file_id`, NOT_KEPT);
  }
  return undefined;
};

/** Tools that the provider runs, wherever tools may be. Those at the top of the request are checked with its other fields. */
const unsoldTools = (fields: Fields): BadRequest | undefined => {
  for (const { tools, at } of toolLists(fields)) {
    const why = unsoldTool(tools, at, ownTools);
    if (why) return why;
    for (const [index, tool] of asList(tools).entries()) {
      if (field(tool, 'type') === 'tool_search' && field(tool, 'execution') !== 'client') {
        return unsupported(
          `${at}.${index}`,
          'a search for tools that the provider runs is not sold here. Set execution to "client".',
        );
      }
      const within = unsoldTool(field(tool, 'tools'), `${at}.${index}.tools`);
      if (within) return within;
    }
  }
  return undefined;
};

const choiceTypes: readonly unknown[] = ['function', 'custom', 'allowed_tools'];

const unsoldChoice = ({ tool_choice: choice }: Fields): BadRequest | undefined => {
  if (!isThere(choice) || typeof choice === 'string') return undefined;
  const types = [field(choice, 'type'), ...asList(field(choice, 'tools')).map((tool) => field(tool, 'type'))];
  const [other] = strings(types).filter((type) => !choiceTypes.includes(type));
  return other === undefined ? undefined : unsupported('tool_choice', `${shown(other)} is not sold here.`);
};
