/** Looking into JSON whose shape is for others to judge. */

export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;

/** Neither left out nor null. */
export const isThere = (value: unknown): boolean => value !== undefined && value !== null;

export const strings = (value: unknown): readonly string[] =>
  typeof value === 'string' ? [value] : asList(value).filter((item) => typeof item === 'string');
