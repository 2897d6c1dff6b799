/**
 * Parses JSON so that writing it again keeps each number as it was written: ids in tool arguments may have more digits than
 * a double. Throws SyntaxError like JSON.parse.
 */
export const parseExact = (json: string): unknown =>
  JSON.parse(json, function (this: unknown, _name: string, value: unknown, context?: { readonly source?: string }) {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;
  } as (this: unknown, name: string, value: unknown) => unknown);
