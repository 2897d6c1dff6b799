import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { errorsPage } from '../../scripts/errors.ts';

it('docs/errors.md matches the table of problems (npm run errors writes it)', async () => {
  expect(await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8')).toBe(await errorsPage());
});
