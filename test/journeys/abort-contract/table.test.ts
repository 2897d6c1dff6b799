import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { rows } from './contract.ts';

/** The table itself, and the cases that end alike in every format, which are not repeated in rows. */
const withoutRows = ['table.test.ts', 'formats.test.ts'];

it('every row of the table is tested here, and every other file has rows', () => {
  const files = readdirSync(import.meta.dirname).filter(
    (file) => file.endsWith('.test.ts') && !withoutRows.includes(file),
  );
  expect([...new Set(rows.map(({ file }) => `${file}.test.ts`))].toSorted()).toEqual(files.toSorted());
});

it('no case has two rows for one kind of answer', () => {
  const played = rows.flatMap(({ file, name, answer }) =>
    (answer === 'both' ? ['whole', 'streamed'] : [answer]).map((kind) => `${file}: ${name} (${kind})`),
  );
  expect(played).toEqual([...new Set(played)]);
  for (const { answer } of rows) expect(['both', 'whole', 'streamed']).toContain(answer);
});
