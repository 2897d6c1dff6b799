import { Linter } from 'eslint';
import { describe, expect, it } from 'vitest';
import plainWords, { oddWordsOfPage } from '../../eslint/plain-words.ts';

/** Lines with an odd word, as the rule reports them. */
const reported = (code: string): readonly number[] =>
  new Linter()
    .verify(code, [{ plugins: { local: plainWords }, rules: { 'local/plain-words': 'error' } }])
    .map(({ line, message }) => {
      expect(message).toMatch(/^".+": write /);
      return line;
    });

describe('the lint rule for plain words', () => {
  it.each([
    ['a line comment', '// The response is none.\nconst a = 1;', [1]],
    ['a block comment, at its line', '/**\n * First line.\n * Nobody reads this.\n */\nconst a = 1;', [3]],
    ['a sentence that begins with a relative clause', '// One. Who asks too often waits.', [1]],
    ['a test title', "it('tells the client', () => {});", [1]],
    ['a title behind a table', "describe.each([1])('says no', () => {});", [1]],
    ['a title with placeholders', 'test(`is told ${1}`, () => {});', [1]],
    ['two phrases in a line', '// It says what it knows.', [1, 1]],
  ])('reports %s', (_, code, lines) => expect(reported(code)).toEqual(lines));

  it.each([
    ['plain words', '// Ignore EPIPE: the reader has closed the pipe.'],
    ['strings that are not titles', "const told = 'nobody is told';"],
    ['code in a comment', '// `told` is a field of `nobody`.'],
    ['a question', '// Who may use this route?'],
    ['"there is none"', '// The newest snapshot, or undefined if there is none.'],
    ['"none of"', '// This is none of: a, b.'],
    ['an exception with a reason', '// plain-words-ok: a quotation\n// It is told so.\nconst a = 1;'],
    ['an exception in the same line', "it('is told', f); // plain-words-ok: the title of a song"],
  ])('accepts %s', (_, code) => expect(reported(code)).toEqual([]));

  it('requires a reason for an exception', () =>
    expect(reported('// plain-words-ok:\n// It is told so.')).toEqual([2]));
});

describe('odd words of a page', () => {
  it.each([
    ['in prose', 'First.\n\n- Whoever reads this.', [2]],
    ['in a table', '| a | nobody |', [0]],
    ['not in code', 'A `told` b\n\n```sh\necho told\n```\n\n[link](told.md)', []],
    ['not with a reason', '<!-- plain-words-ok: a name -->\nIt is told.', []],
  ])('are found %s', (_, page, lines) => expect(oddWordsOfPage(page).map(({ line }) => line)).toEqual(lines));
});
