import { z } from 'zod';

/** Converts values by a schema, as zod does. Both functions throw ZodError. */
export type CompiledSchema<Value> = {
  /** Like `schema.parse`. */
  readonly decode: (data: unknown) => Value;
  /** The JSON text of `z.encode`. */
  readonly toJson: (value: unknown) => string;
};

/** The result of `decode` for data that is not certainly valid. */
const UNSURE = Symbol('unsure');

/** The conversions of one part of a schema. */
type Part = {
  readonly decode: (data: unknown) => unknown;
  /**
   * Appends the JSON. False for a value that is not certainly valid. The pieces are joined once, because V8 takes as long to
   * flatten a string of many concatenations as to make it.
   */
  readonly write: (value: unknown, json: string[]) => boolean;
};
type Test = (value: unknown) => boolean;

/**
 * The conversions of a schema in a fraction of the time: every completion writes two events, and several readers decode
 * them. There is one function for each part of the schema, and no intermediate result. A value that is not certainly
 * valid is left to the schema itself, which converts or rejects it. The JSON of each object of the `shared` part is kept:
 * such objects never change, and many events contain the same one.
 */
export const compileSchema = <Value>(schema: z.ZodType<Value>, shared?: z.ZodType): CompiledSchema<Value> => {
  const { decode, write } = compile(schema, shared);
  return {
    decode: (data) => {
      const value = decode(data);
      return value === UNSURE ? schema.parse(data) : (value as Value);
    },
    toJson: (value) => {
      const json: string[] = [];
      return write(value, json) ? json.join('') : JSON.stringify(z.encode(schema, value as Value));
    },
  };
};

const compile = (schema: z.core.$ZodType, shared: z.core.$ZodType | undefined): Part => {
  if (schema === shared) return keepJson(compile(schema, undefined));
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'string' || def.type === 'number') return compileScalar(schema, def.type);
  // Checks of other types are rare.
  if (def.checks !== undefined && def.checks.length > 0) return leaveTo(schema);
  switch (def.type) {
    case 'object':
      return compileObject(def, shared) ?? leaveTo(schema);
    case 'array':
      return listOf(compile(def.element, shared));
    case 'nullable':
      return orNull(compile(def.innerType, shared));
    case 'pipe':
      return compileCodec(def) ?? leaveTo(schema);
    case 'boolean':
      return unchanged((value) => typeof value === 'boolean', String);
    case 'enum': {
      const values = new Set<unknown>(Object.values(def.entries));
      return unchanged((value) => values.has(value), JSON.stringify);
    }
    default:
      return leaveTo(schema);
  }
};

const unchanged = (isValid: Test, jsonOf: (value: unknown) => string): Part => ({
  decode: (data) => (isValid(data) ? data : UNSURE),
  write: (value, json) => {
    if (!isValid(value)) return false;
    json.push(jsonOf(value));
    return true;
  },
});

/** A part of a schema that has no conversion of its own. */
const leaveTo = (part: z.core.$ZodType): Part => {
  const schema = part as z.ZodType<unknown, unknown>;
  return {
    decode: (data) => {
      const parsed = z.safeDecode(schema, data);
      return parsed.success ? parsed.data : UNSURE;
    },
    write: (value, json) => {
      const encoded = z.safeEncode(schema, value);
      if (encoded.success) json.push(JSON.stringify(encoded.data));
      return encoded.success;
    },
  };
};

/** Strings, and numbers that are safe integers. */
const compileScalar = (schema: z.core.$ZodType, type: 'string' | 'number'): Part => {
  const { checks = [], ...def } = schema._zod.def as z.core.$ZodTypeDef & { format?: string; coerce?: boolean };
  const isKnown = def.coerce !== true && (type === 'number' ? def.format === 'safeint' : def.format === undefined);
  const check = checks.length === 0 ? (): boolean => true : testOf(checks[0] as z.core.$ZodChecks);
  if (!isKnown || !check || checks.length > 1) return leaveTo(schema);
  return type === 'number'
    ? unchanged((value) => Number.isSafeInteger(value) && check(value), String)
    : unchanged((value) => typeof value === 'string' && check(value), quoted);
};

/** Undefined for a check that is left to the schema. */
const testOf = (check: z.core.$ZodChecks): Test | undefined => {
  const { def } = check._zod;
  if (def.check === 'min_length') return (value) => (value as string).length >= def.minimum;
  if (def.check === 'greater_than' && typeof def.value === 'number') {
    const { value: least, inclusive } = def;
    return (value) => (value as number) > least || (inclusive && value === least);
  }
  if (def.check !== 'string_format' || def.format !== 'regex') return undefined;
  const { pattern } = def;
  return pattern && !pattern.global && !pattern.sticky ? (value) => pattern.test(value as string) : undefined;
};

/** Most strings are ids, and need no escapes. */
const NEEDS_NO_ESCAPE = /^[\w ./:+-]*$/;
const quoted = (text: unknown): string =>
  NEEDS_NO_ESCAPE.test(text as string) ? `"${text as string}"` : JSON.stringify(text);

const keepJson = ({ decode, write }: Part): Part => {
  const kept = new WeakMap<object, string>();
  return {
    decode,
    write: (value, json) => {
      if (!isObject(value)) return false;
      let known = kept.get(value);
      if (known === undefined) {
        const own: string[] = [];
        if (!write(value, own)) return false;
        kept.set(value, (known = own.join('')));
      }
      json.push(known);
      return true;
    },
  };
};

const orNull = ({ decode, write }: Part): Part => ({
  decode: (data) => (data === null ? null : decode(data)),
  write: (value, json) => (value === null ? json.push('null') > 0 : write(value, json)),
});

const listOf = ({ decode, write }: Part): Part => ({
  decode: (data) => {
    if (!Array.isArray(data)) return UNSURE;
    const values: unknown[] = [];
    for (const item of data) {
      const value = decode(item);
      if (value === UNSURE) return UNSURE;
      values.push(value);
    }
    return values;
  },
  write: (value, json) => {
    if (!Array.isArray(value)) return false;
    json.push('[');
    for (let n = 0; n < value.length; n++) {
      if (n > 0) json.push(',');
      if (!write(value[n], json)) return false;
    }
    json.push(']');
    return true;
  },
});

const compileCodec = ({ in: stored, out, transform, reverseTransform }: z.core.$ZodPipeDef): Part | undefined => {
  // A transformation with a second parameter may report an issue of its own.
  if (transform?.length !== 1 || reverseTransform?.length !== 1) return undefined;
  const { def } = (out as z.core.$ZodTypes)._zod;
  if (def.type !== 'bigint' || (def.checks ?? []).length > 0) return undefined;
  const { decode, write } = compile(stored, undefined);
  const nothing = { value: undefined, issues: [] };
  return {
    decode: (data) => {
      const valid = decode(data);
      return valid === UNSURE ? UNSURE : transform(valid, nothing);
    },
    write: (value, json) => typeof value === 'bigint' && write(reverseTransform(value, nothing), json),
  };
};

type Member = Part & {
  readonly name: string;
  readonly isOptional: boolean;
  /** What its value follows, as the first member and as a later one. */
  readonly opening: string;
  readonly label: string;
};

const compileObject = (
  { shape, catchall }: z.core.$ZodObjectDef,
  shared: z.core.$ZodType | undefined,
): Part | undefined => {
  const isStrict = catchall?._zod.def.type === 'never';
  if (catchall && !isStrict) return undefined;
  const members = Object.entries(shape).map(([name, schema]): Member => {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    const isOptional = def.type === 'optional';
    return {
      name,
      isOptional,
      opening: `{"${name}":`,
      label: `,"${name}":`,
      ...compile(isOptional ? def.innerType : schema, shared),
    };
  });
  return {
    decode: (data) => {
      if (!isObject(data)) return UNSURE;
      const values: Record<string, unknown> = {};
      let count = 0;
      for (const { name, isOptional, decode } of members) {
        const member = data[name];
        if (member === undefined && isOptional && !(name in data)) continue;
        const value = decode(member);
        if (value === UNSURE || value === undefined) return UNSURE;
        values[name] = value;
        count++;
      }
      return isStrict && Object.keys(data).length !== count ? UNSURE : values;
    },
    write: (value, json) => {
      if (!isObject(value)) return false;
      let count = 0;
      for (const { name, isOptional, opening, label, write } of members) {
        const member = value[name];
        if (member === undefined && isOptional && !(name in value)) continue;
        json.push(count === 0 ? opening : label);
        if (!write(member, json)) return false;
        count++;
      }
      json.push(count === 0 ? '{}' : '}');
      return !isStrict || Object.keys(value).length === count;
    },
  };
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
