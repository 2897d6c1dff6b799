import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { problem, type ProblemCode } from '../../src/http/server/problems.ts';

/** Codes of the wire that the domain knows by another name. */
const domainName: Readonly<Record<string, ProblemCode>> = { credit_balance_exhausted: 'insufficient_credits' };

const page = await readFile(new URL('../../docs/api.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| (\d{3}) +\| `(\w+)` +\| (yes|no) +\|/gm)].map(
  ([, status, code, retry]) => [code ?? '', Number(status), retry === 'yes'] as const,
);

describe('the errors that docs/api.md lists', () => {
  it('are many', () => expect(rows.length).toBeGreaterThan(25));

  it.each(rows)('%s is %i', (code, status, shouldRetry) => {
    expect(problem(domainName[code] ?? (code as ProblemCode))).toMatchObject({ code, status, shouldRetry });
  });
});
