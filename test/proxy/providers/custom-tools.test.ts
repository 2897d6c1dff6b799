import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInputReader, functionOf, unwrapped, wrapped } from '../../../src/proxy/providers/custom-tools.ts';

const readAll = (pieces: readonly string[]): string => {
  const reader = createInputReader();
  return pieces.map((piece) => reader.read(piece)).join('') + reader.end();
};

const cut = (text: string, places: readonly number[]): readonly string[] => {
  const at = [0, ...places.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b), text.length];
  return at.slice(1).map((to, index) => text.slice(at[index], to));
};

const inputs = fc.string({ unit: fc.constantFrom(...'"\\\n{}u0041abc ü😀\u2028\t'), maxLength: 40 });
const places = fc.array(fc.nat(200), { maxLength: 12 });

describe('the input of a custom tool that went to a provider as a function', () => {
  it('comes back as it was, however its arguments arrive', () =>
    fc.assert(
      fc.property(inputs, places, fc.constantFrom(0, 1, 2), (input, at, space) => {
        const json = JSON.stringify({ input }, null, space);
        expect(readAll(cut(json, at))).toBe(input);
        expect(unwrapped(json)).toBe(input);
      }),
    ));

  it('arrives as soon as a piece completes a character', () => {
    const reader = createInputReader();
    expect(['{"in', 'put":"a', 'b\\', 'n\\u00', 'fc', '"}'].map((piece) => reader.read(piece))).toEqual([
      ...['', 'a', 'b', '\n', 'ü', ''],
    ]);
    expect(reader.end()).toBe('');
  });

  it('is the arguments as they are if they have another shape', () => {
    for (const text of ['', '{"patch":"x"}', 'no JSON', '{"input":5}', `{"input":[${'1,'.repeat(99)}1]}`]) {
      expect(unwrapped(text)).toBe(text);
      expect(readAll(cut(text, [3, 9]))).toBe(text);
    }
  });

  it('is what arrived if the arguments break off', () => {
    expect(unwrapped(wrapped('one two').slice(0, -4))).toBe('one t');
    expect(unwrapped('{"input":"a\nb\\')).toBe('a\nb');
  });

  it('is described with its grammar, in the shape of either format', () => {
    const rules = { syntax: 'lark', definition: 'start: "a"' };
    for (const format of [
      { type: 'grammar', ...rules },
      { type: 'grammar', grammar: rules },
    ]) {
      expect(functionOf({ kind: 'custom', name: 'patch', description: 'Edits.', format })).toMatchObject({
        name: 'patch',
        description: 'Edits.\n\nThe input must match this lark grammar:\nstart: "a"',
        schema: { properties: { input: { type: 'string' } } },
      });
    }
    expect(functionOf({ kind: 'custom', name: 'patch', format: { type: 'text' } })).not.toHaveProperty('description');
  });
});
