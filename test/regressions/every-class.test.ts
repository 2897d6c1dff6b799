import { readFileSync, readdirSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const folder = new URL('./', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

/** The scenarios of a file, by class: the titles of each `it` in a `describe` at the top. */
const scenariosIn = (text: string): ReadonlyMap<string, readonly string[]> => {
  const source = ts.createSourceFile('scenarios.ts', text, ts.ScriptTarget.Latest);
  const found = new Map<string, readonly string[]>();
  for (const statement of source.statements) {
    const named = ts.isExpressionStatement(statement) && titleOf('describe', statement.expression);
    if (named) found.set(named, titlesWithin(statement));
  }
  return found;
};

const titlesWithin = (node: ts.Node): string[] => {
  const titles: string[] = [];
  const look = (inner: ts.Node): void => {
    const title = titleOf('it', inner);
    if (title) titles.push(title);
    ts.forEachChild(inner, look);
  };
  look(node);
  return titles;
};

/** The title in `it('…')` and `it.each(…)('…')`. */
const titleOf = (name: 'describe' | 'it', node: ts.Node): string | undefined => {
  if (!ts.isCallExpression(node)) return undefined;
  const [title] = node.arguments;
  const called = ts.isCallExpression(node.expression) ? node.expression.expression : node.expression;
  const isNamed = ts.isPropertyAccessExpression(called)
    ? ts.isIdentifier(called.expression) && called.expression.text === name && called.name.text === 'each'
    : ts.isIdentifier(called) && called.text === name;
  return isNamed && title && ts.isStringLiteral(title) ? title.text : undefined;
};

type Row = { readonly name: string; readonly file: string };
const rowsOf = (table: string): readonly Row[] =>
  [...table.matchAll(/^\| (.+?) +\|.*\| \[.+\]\((.+)\) +\|$/gm)].map(([, name = '', file = '']) => ({ name, file }));

/** One line for each class without a scenario, and for each scenario without a class. */
const gaps = (rows: readonly Row[], files: ReadonlyMap<string, string>): readonly string[] => {
  const scenarios = new Map([...files].map(([file, text]) => [file, scenariosIn(text)]));
  const listed = new Set(rows.map(({ name, file }) => `${file}: ${name}`));
  return [
    ...rows
      .filter(({ name, file }) => !scenarios.get(file)?.get(name)?.length)
      .map(({ name, file }) => `"${name}" has no scenario in ${file}`),
    ...[...scenarios].flatMap(([file, classes]) =>
      [...classes.keys()]
        .filter((name) => !listed.has(`${file}: ${name}`))
        .map((name) => `"${name}" of ${file} is not in the table`),
    ),
  ];
};

/** The only file that may import KissAPI. It is loaded only if the scenarios run against KissAPI. */
const OUR_GATEWAY = new URL('support/our-gateway.ts', folder).href;

const importsOf = (url: string): readonly string[] =>
  ts
    .preProcessFile(readFileSync(new URL(url), 'utf8'))
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => new URL(fileName, url).href);

/** All files that a file imports, directly or not, including types; imports of OUR_GATEWAY are not followed. */
const reachedFrom = ({ href }: URL): ReadonlySet<string> => {
  const reached = new Set([href]);
  // Iteration over a set includes the elements that are added meanwhile.
  for (const url of reached) if (url !== OUR_GATEWAY) for (const next of importsOf(url)) reached.add(next);
  return reached;
};

const files = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts') && !import.meta.url.endsWith(name))
    .map((name) => [name, read(name)]),
);
const rows = rowsOf(read('regressions.md'));

describe('the classes of failures', () => {
  it('have scenarios, and every scenario has a class', () => expect(gaps(rows, files)).toEqual([]));

  it('are all found', () => {
    expect(rows).toHaveLength(17);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    expect(new Set(rows.map(({ file }) => file))).toEqual(new Set(files.keys()));
  });

  it('use the gateway only from outside', () => {
    const ours = new URL('../../src/', folder).href;
    for (const file of files.keys()) {
      const reached = [...reachedFrom(new URL(file, folder))];
      expect(reached, file).toContain(OUR_GATEWAY);
      expect(
        reached.filter((url) => url.startsWith(ours)),
        file,
      ).toEqual([]);
    }
    // The walk would have found an import of src: our gateway has one.
    expect(importsOf(OUR_GATEWAY).flatMap((url) => [...reachedFrom(new URL(url))])).toContainEqual(
      expect.stringContaining(ours),
    );
  });

  it.each([
    ['a class without a scenario', [{ name: 'x', file: 'a.ts' }], `describe('x', () => {});`, '"x" has no scenario'],
    ['a class without a file', [{ name: 'x', file: 'b.ts' }], `const a = 1;`, '"x" has no scenario in b.ts'],
    ['a scenario without a class', [], `describe('x', () => { it('y', f); });`, '"x" of a.ts is not in the table'],
  ])('detects %s', (_, table, text, gap) =>
    expect(gaps(table, new Map([['a.ts', text]]))).toEqual([expect.stringContaining(gap)]),
  );
});
