import { asList, field, strings } from '../../json/untyped-json.ts';
import { pictureOf } from '../chat/chat.ts';
import type { Job, MediaPart } from '../format.ts';
import { jsonTexts } from '../json-body.ts';
import { toolLists } from './tools.ts';

/** The texts of a request that a model reads. */
export const textsIn = (fields: Job['fields']): readonly string[] => [
  ...strings(fields['instructions']),
  ...(typeof fields['input'] === 'string' ? [fields['input']] : asList(fields['input']).flatMap(textsOfItem)),
  ...toolLists(fields).flatMap(({ tools }) => jsonTexts(tools)),
];

const textsOfItem = (item: unknown): readonly string[] => [
  ...textsOfParts(field(item, 'content')),
  ...textsOfParts(field(item, 'output')),
  ...textsOfParts(field(item, 'summary')),
  ...['name', 'arguments', 'input'].flatMap((name) => strings(field(item, name))),
];

const textsOfParts = (content: unknown): readonly string[] =>
  typeof content === 'string'
    ? [content]
    : asList(content).flatMap((part) => [...strings(field(part, 'text')), ...strings(field(part, 'refusal'))]);

/** Pictures and files are in messages, and in the results of tools. */
export const mediaIn = function* (fields: Job['fields']): Generator<MediaPart> {
  for (const item of asList(fields['input'])) {
    for (const part of [...asList(field(item, 'content')), ...asList(field(item, 'output'))]) {
      const type = field(part, 'type');
      const url = field(part, 'image_url');
      if (type === 'input_image') yield pictureOf(typeof url === 'string' ? url : undefined, field(part, 'detail'));
      const file = field(part, 'file_data');
      if (type === 'input_file') yield { kind: 'other', bytes: typeof file === 'string' ? file.length : 0 };
    }
  }
};
