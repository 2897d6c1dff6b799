import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { membersOf, withoutMember } from '../../../src/proxy/json/json-text.ts';
import { jsonObject } from '../examples.ts';

const valuesOf = (json: string, name: string): string[] =>
  membersOf(json, name).map(({ start, end }) => json.slice(start, end));

describe('membersOf', () => {
  it.each<[string, string, string[]]>([
    ['{}', 'a', []],
    ['{"a":1}', 'a', ['1']],
    ['{"a":-1.50e+3,"b":2}', 'a', ['-1.50e+3']],
    ['{"b":2, "a" : true }', 'a', ['true']],
    ['\n{\t"a"\r\n:\n null\n}', 'a', ['null']],
    ['{"a":"x\\"}\\\\","b":1}', 'a', ['"x\\"}\\\\"']],
    ['{"a":{"a":{"a":1}},"b":{"a":2}}', 'a', ['{"a":{"a":1}}']],
    ['{"b":"a","c":["a",{"a":1}],"a":[1,[2]]}', 'a', ['[1,[2]]']],
    ['{"b":"\\"a\\":7","a":0}', 'a', ['0']],
    ['{"\\u0061":5}', 'a', ['5']],
    ['{"a":1,"a":2}', 'a', ['1', '2']],
    ['{"aa":1,"a b":2}', 'a', []],
    ['{"":1}', '', ['1']],
    ['{"a\\"b":1}', 'a"b', ['1']],
  ])('%s', (json, name, expected) => expect(valuesOf(json, name)).toEqual(expected));

  it('finds what JSON.parse finds, however the text is laid out', () =>
    fc.assert(
      fc.property(jsonObject, fc.constantFrom(undefined, 1, '\t', ' \n '), (object, space) => {
        const json = JSON.stringify(object, null, space);
        const parsed = JSON.parse(json) as Record<string, unknown>;
        for (const [name, value] of Object.entries(parsed)) {
          const found = valuesOf(json, name);
          expect(found).toHaveLength(1);
          expect(JSON.parse(found[0] ?? '')).toEqual(value);
        }
        expect(valuesOf(json, 'a name that nobody uses')).toEqual([]);
      }),
    ));

  it('gives places in bytes when UTF-8 is read as latin1', () => {
    const bytes = Buffer.from('{"text":"naïve 😀 \u2028","model":"gpt-ü"}');
    const [span] = membersOf(bytes.toString('latin1'), 'model');
    expect(bytes.subarray(span?.start, span?.end).toString()).toBe('"gpt-ü"');
  });
});

describe('withoutMember', () => {
  it.each([
    ['{"a":1}', '{}'],
    ['{ "a" : 1 }', '{ }'],
    ['{"a":1,"b":2}', '{"b":2}'],
    ['{"b":2 , "a":[1,2] }', '{"b":2  }'],
    ['{"c":0,"a":{"a":1},"b":2}', '{"c":0,"b":2}'],
    ['{"a":1,"a":2}', '{}'],
    ['{"a":1,"b":{"a":1},"a":2}', '{"b":{"a":1}}'],
    ['{"b":"a"}', '{"b":"a"}'],
  ])('%s', (json, expected) => expect(withoutMember(json, 'a')).toBe(expected));

  it('leaves what JSON.parse finds but for that name', () =>
    fc.assert(
      fc.property(jsonObject, fc.constantFrom(undefined, 1, '\t'), (object, space) => {
        for (const name of [...Object.keys(object), 'none']) {
          const { [name]: _, ...rest } = object;
          const left = JSON.parse(withoutMember(JSON.stringify(object, null, space), name)) as unknown;
          expect(left).toEqual(JSON.parse(JSON.stringify(rest)));
        }
      }),
    ));
});
