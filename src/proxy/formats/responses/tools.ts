import { asList, field, isThere } from '../../json/untyped-json.ts';
import type { Tool, ToolChoice } from '../conversation.ts';
import type { Job } from '../format.ts';
import { cannotTranslate, recordOf, refuse } from '../translating.ts';

/** The types of tools that the customer runs. */
export const ownTools: readonly string[] = ['function', 'custom', 'namespace', 'tool_search'];

/** How the calls of a tool are written: the type of the item, and the name of the tool in its namespace. */
export type CalledAs = {
  readonly type: 'function_call' | 'custom_tool_call' | 'tool_search_call';
  readonly name: string;
  readonly namespace?: string;
};

type NamedTool = { readonly tool: Tool; readonly calledAs: CalledAs };

/** The name of a tool without namespaces, which other dialects do not have. */
export const flatName = (name: string, namespace: unknown): string =>
  typeof namespace === 'string' && namespace !== '' ? `${namespace}__${name}` : name;

/** A client runs its own search under this name. */
export const TOOL_SEARCH = 'tool_search';

/** A list of tools, with its path in the request. */
type ToolList = { readonly tools: unknown; readonly at: string };

/** Tools are at the top of a request, and within its input: further ones, and those that a search of the client found. */
export const toolLists = (fields: Job['fields']): readonly ToolList[] => [
  { tools: fields['tools'], at: 'tools' },
  ...asList(fields['input']).flatMap((item, index) => {
    const type = field(item, 'type');
    const hasTools = type === 'additional_tools' || type === 'tool_search_output';
    return hasTools ? [{ tools: field(item, 'tools'), at: `input.${index}.tools` }] : [];
  }),
];

/** All tools by their flat names. If a name occurs twice, the later tool counts. */
export const namedTools = (fields: Job['fields']): ReadonlyMap<string, NamedTool> => {
  const named = new Map<string, NamedTool>();
  for (const { tools, at } of toolLists(fields)) {
    for (const [index, tool] of asList(tools).entries()) {
      for (const one of readTool(tool, `${at}.${index}`)) named.set(one.tool.name, one);
    }
  }
  return named;
};

const readTool = (tool: unknown, at: string): readonly NamedTool[] => {
  if (field(tool, 'type') !== 'namespace') return [readOne(tool, at, undefined)];
  const namespace = field(tool, 'name');
  return asList(field(tool, 'tools')).map((one, index) => readOne(one, `${at}.tools.${index}`, namespace));
};

const readOne = (tool: unknown, at: string, namespace: unknown): NamedTool => {
  const type = field(tool, 'type');
  const [description, schema, given] = [field(tool, 'description'), field(tool, 'parameters'), field(tool, 'name')];
  const name = type === 'tool_search' ? TOOL_SEARCH : given;
  if (typeof name !== 'string') return refuse(`${at}.name`, 'must be a string.');
  const own = {
    name: flatName(name, namespace),
    ...(typeof description === 'string' ? { description } : {}),
  };
  const within = typeof namespace === 'string' && namespace !== '' ? { namespace } : {};
  if (type === 'custom') {
    const tool_: Tool = { kind: 'custom', ...own, format: field(tool, 'format') };
    return { tool: tool_, calledAs: { type: 'custom_tool_call', name, ...within } };
  }
  if (type !== 'function' && type !== 'tool_search') return cannotTranslate(`${at}.type`);
  return {
    tool: {
      ...{ kind: 'function', ...own },
      ...(isThere(schema) ? { schema: recordOf(schema) } : {}),
      ...(field(tool, 'strict') === true ? { strict: true } : {}),
    },
    calledAs: { type: type === 'function' ? 'function_call' : 'tool_search_call', name, ...within },
  };
};

/** A choice of one tool names it; a list of allowed tools leaves the others out. */
export const readToolChoice = (
  choice: unknown,
  tools: readonly Tool[],
): { readonly tools: readonly Tool[]; readonly toolChoice: ToolChoice | undefined } => {
  if (!isThere(choice)) return { tools, toolChoice: undefined };
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { tools, toolChoice: { kind: choice } };
  const [type, name, mode] = [field(choice, 'type'), field(choice, 'name'), field(choice, 'mode')];
  if (type === 'allowed_tools') {
    const allowed = new Set(asList(field(choice, 'tools')).map(nameIn));
    const kind = mode === 'required' ? 'required' : 'auto';
    return { tools: tools.filter((tool) => allowed.has(tool.name)), toolChoice: { kind } };
  }
  if ((type !== 'function' && type !== 'custom') || typeof name !== 'string') return cannotTranslate('tool_choice');
  return { tools, toolChoice: { kind: 'tool', name: flatName(name, field(choice, 'namespace')) } };
};

const nameIn = (tool: unknown): string => flatName(String(field(tool, 'name')), field(tool, 'namespace'));
