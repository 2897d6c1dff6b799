import { membersOf, type Span } from './json-text.ts';

/**
 * Changes or renames top-level fields of a body. Every other byte is kept: a double cannot represent every number, and
 * a provider's cache may depend on the order of fields.
 */
export const withFields = (
  { body, fields }: { readonly body: Buffer; readonly fields: Readonly<Record<string, unknown>> },
  changes: Readonly<Record<string, unknown>>,
  renamed: Readonly<Record<string, string>> = {},
): Buffer => {
  const touched = [...Object.keys(changes), ...Object.keys(renamed)];
  if (touched.length === 0) return body;
  const edits: Edit[] = [];
  const added: Record<string, unknown> = {};
  // Decoded as latin1, so that offsets in the text are offsets in the bytes.
  const text = touched.some((name) => Object.hasOwn(fields, name)) ? body.toString('latin1') : '';
  for (const [from, to] of Object.entries(renamed)) {
    for (const { name } of membersOf(text, from)) edits.push({ ...name, json: JSON.stringify(to) });
  }
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(fields, name)) added[name] = value;
    else for (const { start, end } of membersOf(text, name)) edits.push({ start, end, json: JSON.stringify(value) });
  }
  if (Object.keys(added).length > 0) {
    const start = body.indexOf('{') + 1;
    edits.push({ start, end: start, json: `${JSON.stringify(added).slice(1, -1)},` });
  }
  return edited(body, edits);
};

type Edit = Span & { readonly json: string };

const edited = (body: Buffer, edits: readonly Edit[]): Buffer => {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const { start, end, json } of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(body.subarray(from, start), Buffer.from(json));
    from = end;
  }
  return Buffer.concat([...parts, body.subarray(from)]);
};
