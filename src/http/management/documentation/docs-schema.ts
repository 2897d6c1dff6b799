import { html, type Html } from '../router/html.ts';

/** As much of JSON Schema as the documents of this API are made of. */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly description?: string;
};

export type Schemas = Readonly<Record<string, Schema>>;

type Field = { readonly name: string; readonly type: string; readonly required: boolean; readonly description: string };

const resolve = (schema: Schema, schemas: Schemas): Schema => {
  if (schema.$ref === undefined) return schema;
  const { $ref, ...beside } = schema;
  return { ...schemas[$ref.slice($ref.lastIndexOf('/') + 1)], ...beside };
};

const alternatives = (schema: Schema): readonly Schema[] => schema.oneOf ?? schema.anyOf ?? [];

const typeOf = (schema: Schema, schemas: Schemas): string => {
  const { type, const: only, enum: values, items, ...rest } = resolve(schema, schemas);
  if (only !== undefined) return JSON.stringify(only);
  if (values) return values.map((value) => JSON.stringify(value)).join(' or ');
  if (items) return `list of ${typeOf(items, schemas)}`;
  if (type !== undefined) return typeof type === 'string' ? type : type.join(' or ');
  const types = alternatives(rest).map((one) => typeOf(one, schemas));
  return [...new Set(types)].join(' or ') || 'any';
};

/** Every field of a schema, those of objects within it under names like `keys[].name`. */
const fieldsOf = (schema: Schema, schemas: Schemas, prefix = ''): readonly Field[] => {
  const { properties = {}, required = [], items, ...rest } = resolve(schema, schemas);
  const own = Object.entries(properties).flatMap(([name, property]) => {
    const field = {
      name: `${prefix}${name}`,
      type: typeOf(property, schemas),
      required: required.includes(name),
      description: resolve(property, schemas).description ?? '',
    };
    return [field, ...fieldsOf(property, schemas, `${prefix}${name}.`)];
  });
  const ofItems = items ? fieldsOf(items, schemas, `${prefix.slice(0, -1)}[].`) : [];
  return [...own, ...ofItems, ...alternatives(rest).flatMap((one) => fieldsOf(one, schemas, prefix))];
};

export const fieldTable = (schema: Schema, schemas: Schemas, sayRequired: boolean): Html =>
  html` <table>
    <thead>
      <tr>
        <th>Field</th>
        <th>Type</th>
        <th>Meaning</th>
      </tr>
    </thead>
    <tbody>
      ${fieldsOf(schema, schemas).map(
        ({ name, type, required, description }) =>
          html` <tr>
            <td><code>${name}</code></td>
            <td>${type}${sayRequired && required ? ', required' : ''}</td>
            <td>${description}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
