type Reviver = (name: string, value: unknown, context: { readonly source?: string }) => unknown;

const keepNumbers: Reviver = (_, value, { source }) =>
  typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;

/**
 * Parses JSON that is written again: `JSON.stringify` of the result has the same digits, although a double cannot
 * represent every number. Such numbers are opaque objects. Throws SyntaxError.
 */
export const parseExact = (json: string): unknown =>
  // TypeScript has no type for the third argument of a reviver yet ("JSON.parse source text access").
  JSON.parse(json, keepNumbers as (name: string, value: unknown) => unknown) as unknown;

/** The same, or undefined if the text is not a JSON object. */
export const parseExactObject = (json: string): Readonly<Record<string, unknown>> | undefined => {
  // A number may be an object, too.
  if (!/^\s*\{/.test(json)) return undefined;
  try {
    return parseExact(json) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
};
