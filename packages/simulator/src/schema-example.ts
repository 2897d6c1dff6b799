type Schema = { readonly [key: string]: unknown };

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// A schema may be recursive; the example must be finite.
const MAX_DEPTH = 8;

const resolve = (root: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (at, key) => (isSchema(at) ? at[key.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined),
      root,
    );

const scalar = (type: unknown, name: string, { minimum }: Schema): unknown => {
  switch (type) {
    case 'number':
    case 'integer':
      return typeof minimum === 'number' ? Math.ceil(minimum) : 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return `simulated ${name}`;
  }
};

/**
 * A value that matches a JSON schema, for tool arguments and structured output. Supports what OpenAI's strict mode allows
 * (enum, const, anyOf, local $ref), but not formats and patterns.
 */
export const exampleOf = (schema: unknown, name = 'value', root: unknown = schema, depth = 0): unknown => {
  if (!isSchema(schema) || depth > MAX_DEPTH) return {};
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return (schema['enum'] as unknown[])[0];
  if (typeof schema['$ref'] === 'string') return exampleOf(resolve(root, schema['$ref']), name, root, depth + 1);
  const options = schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf'];
  if (Array.isArray(options)) return exampleOf((options as unknown[])[0], name, root, depth + 1);
  const type: unknown = Array.isArray(schema['type']) ? (schema['type'] as unknown[])[0] : schema['type'];
  if (type === 'array') return [exampleOf(schema['items'] ?? { type: 'string' }, name, root, depth + 1)];
  if (type !== 'object' && !isSchema(schema['properties'])) return scalar(type, name, schema);
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [key, exampleOf(value, key, root, depth + 1)]),
  );
};
