/** Reads JSON whose shape is not checked. */

export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;

/** Neither undefined nor null. */
export const isThere = (value: unknown): boolean => value !== undefined && value !== null;

export const strings = (value: unknown): readonly string[] =>
  typeof value === 'string' ? [value] : asList(value).filter((item) => typeof item === 'string');

const LONGEST_SHOWN = 60;

/** A value for an error message: a scalar as JSON, truncated. */
export const shown = (value: unknown): string => {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = JSON.stringify(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
};
