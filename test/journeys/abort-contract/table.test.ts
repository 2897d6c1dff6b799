import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { rows } from './contract.ts';

it('every row of the table is tested here, and every file has rows', () => {
  const files = readdirSync(import.meta.dirname).filter(
    (file) => file.endsWith('.test.ts') && file !== 'table.test.ts',
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
