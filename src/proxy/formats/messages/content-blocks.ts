import { asList, field, isThere, shown, strings } from '../../json/untyped-json.ts';
import { unsupported, type BadRequest, type Job, type MediaPart } from '../format.ts';
import { jsonTexts } from '../json-body.ts';

type Fields = Job['fields'];

/** A content block, and the path of it in the request. */
type Placed = { readonly block: unknown; readonly at: string };

const blocksIn = (content: unknown, at: string): readonly Placed[] =>
  asList(content).map((block, index) => ({ block, at: `${at}.${index}` }));

/** All content blocks of a request, those within tool results and documents included. */
function* blocksOf(fields: Fields): Generator<Placed> {
  const open: Placed[] = [
    ...blocksIn(fields['system'], 'system'),
    ...asList(fields['messages']).flatMap((message, index) =>
      blocksIn(field(message, 'content'), `messages.${index}.content`),
    ),
  ];
  for (const placed of open) {
    yield placed;
    const { block, at } = placed;
    // Lists are nested only a few levels deep in this format; deeper ones are refused as unknown blocks.
    if (containers.has(field(block, 'type'))) open.push(...blocksIn(field(block, 'content'), `${at}.content`));
    else open.push(...blocksIn(field(field(block, 'source'), 'content'), `${at}.source.content`));
  }
}

const containers = new Set<unknown>(['tool_result', 'search_result']);

/** Blocks whose price is by token, and that the customer wrote or received here. */
const soldBlocks = new Set<unknown>([
  ...['text', 'image', 'document', 'search_result', 'thinking', 'redacted_thinking', 'tool_use', 'tool_result'],
]);

const NO_FILES = 'files cannot be kept at a provider from here; send the content with the request.';

/** A content block that is not sold: of a tool that the provider runs, or of a file that is kept there. */
export const unsoldBlock = (fields: Fields): BadRequest | undefined => {
  for (const { block, at } of blocksOf(fields)) {
    const type = field(block, 'type');
    if (!soldBlocks.has(type))
      return unsupported(`${at}.type`, `${shown(type)} is not a content block that is sold here.`);
    const source = field(block, 'source');
    if (field(source, 'type') === 'file' || isThere(field(source, 'file_id')))
      return unsupported(`${at}.source`, NO_FILES);
  }
  return undefined;
};

/**
 * The texts that a model reads. Thinking of earlier turns is left out, because models drop most of it and then report less
 * input; its bytes bound it.
 */
export const textsIn = (fields: Fields): readonly string[] => {
  const texts: string[] = [...stringsOf(fields['system'])];
  for (const message of asList(fields['messages'])) texts.push(...stringsOf(field(message, 'content')));
  for (const { block } of blocksOf(fields)) {
    const source = field(block, 'source');
    texts.push(
      ...strings(field(block, 'text')),
      ...stringsOf(field(block, 'content')),
      ...jsonTexts(field(block, 'input')),
    );
    if (field(source, 'type') === 'text') texts.push(...stringsOf(field(source, 'data')));
    texts.push(...stringsOf(field(source, 'content')));
  }
  return [...texts, ...jsonTexts(fields['tools'])];
};

const stringsOf = (value: unknown): readonly string[] => (typeof value === 'string' ? [value] : []);
const stringOf = (value: unknown): string | undefined => stringsOf(value)[0];

/** Pictures; and documents, whose tokens nothing in the request bounds. A document of plain text is a text. */
export function* mediaIn(fields: Fields): Generator<MediaPart> {
  for (const { block } of blocksOf(fields)) {
    const type = field(block, 'type');
    const source = field(block, 'source');
    const [data, url] = [stringOf(field(source, 'data')), stringOf(field(source, 'url'))];
    if (type === 'image') {
      const inline = data === undefined ? url : `data:${String(field(source, 'media_type'))};base64,${data}`;
      yield { kind: 'picture', url: inline, detail: undefined };
    } else if (type === 'document' && !textSources.has(field(source, 'type'))) {
      yield { kind: 'other', bytes: (data ?? url ?? '').length };
    }
  }
}

const textSources = new Set<unknown>(['text', 'content']);
