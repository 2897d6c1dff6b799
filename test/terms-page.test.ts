import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { READABLE_VERSIONS } from '../src/eventstore/journal/codec.ts';

type Row = { readonly clause: number; readonly events: readonly string[]; readonly tests: readonly string[] };

/** A test is named as `file`: title. */
const rows: readonly Row[] = readFileSync('docs/terms.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| \d+ /.test(line))
  .map((line) => {
    const [, clause = '', , events = '', tests = ''] = line.split('|').map((cell) => cell.trim());
    return {
      clause: parseInt(clause, 10),
      events: [...events.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
      tests: tests.split('<br>'),
    };
  });

describe('the table of clauses', () => {
  it('has a row for each of the twelve clauses', () =>
    expect(rows.map(({ clause }) => clause)).toEqual(Array.from({ length: 12 }, (_, n) => n + 1)));

  it.each(rows)('clause $clause names events that exist', ({ events }) => {
    expect(events).not.toEqual([]);
    expect(events.filter((name) => READABLE_VERSIONS[name] === undefined)).toEqual([]);
  });

  it.each(rows)('clause $clause names tests that exist', ({ tests }) => {
    const missing = tests.filter((test) => {
      const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(test) ?? [];
      return title === '' || !existsSync(file) || !readFileSync(file, 'utf8').includes(title);
    });
    expect(tests).not.toEqual([]);
    expect(missing).toEqual([]);
  });
});
