import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moveLogClockForward } from '../../../src/eventstore/postgres/log-clock.ts';
import { runCommand } from '../../support/command.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';

const DAY = 24 * 60 * 60_000;
const FIRST = '# Terms of Service\n\nAll sales are final.\n\nThe end.\n';
const SECOND = '# Terms of Service\n\nAll sales are final. Ask support.\n\nThe end.\n';

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await createMigratedDatabase();
  folder = await mkdtemp(join(tmpdir(), 'kissapi-terms-'));
  await writeFile(join(folder, 'first.md'), FIRST);
  await writeFile(join(folder, 'second.md'), SECOND);
  await writeFile(join(folder, 'latin1.md'), Buffer.from([0x5a, 0xf6, 0xeb]));
  await writeFile(join(folder, 'escape.md'), 'a \u001b[2J b');
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: readonly string[]) =>
  runCommand('terms', args, { cwd: folder, env: { DATABASE_URL: database.url } });
const publish = (file: string, version: string, ...more: readonly string[]) =>
  run('publish', file, '--version', version, '--summary', 'Support is named.', ...more);

describe('npm run terms', () => {
  it('publishes the first version of a document, which takes effect at once', async () => {
    const { code, stdout, stderr } = await publish('first.md', '2026-11-30', '--yes');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('takes effect at once, as the first version');
    expect((await run('show')).stdout).toBe(FIRST);
  });

  it('shows what will happen, and changes nothing without a confirmation', async () => {
    const { code, stdout } = await publish('second.md', '2026-12-20', '--significant');
    expect(code).toBe(1);
    expect(stdout).toMatch(/Terms of Service, version 2026-12-20\n {2}text {7}SHA-256 [0-9a-f]{64}/);
    expect(stdout).toContain('the owners of every open account are notified by mail');
    expect(stdout).toContain('Nothing was changed.');
    expect((await run('list')).stdout).not.toContain('2026-12-20');
  });

  it('announces a significant version for 14 days and 5 minutes later', async () => {
    const before = Date.now();
    const { code, stdout } = await publish('second.md', '2026-12-20', '--significant', '--yes');
    expect(code).toBe(0);
    const [, effect = ''] = /takes effect at (\S+Z)/.exec(stdout) ?? [];
    const aheadMs = Date.parse(effect) - before - 14 * DAY - 5 * 60_000;
    expect(Math.abs(aheadMs)).toBeLessThan(60_000);
    const list = (await run('list', '--document', 'terms')).stdout;
    expect(list).toMatch(
      /^Terms of Service \(terms\)\n {2}2026-12-20 +takes effect at \S+, significant: Support is named\.\n/,
    );
    expect(list).toMatch(/\n {2}2026-11-30 +in force since \S+: Support is named\.\n$/);
  });

  it('changes nothing if the same is published again', async () => {
    const { code, stdout } = await publish('second.md', '2026-12-20', '--significant', '--yes');
    expect([code, stdout]).toEqual([0, expect.stringContaining('Nothing to do')]);
  });

  it.each([
    ['a text that changes under its version', 'first.md', '2026-12-20', [], 'Publish a new version'],
    ['an older version', 'first.md', '2026-12-01', [], 'this version or a newer one'],
    [
      'a short notice',
      'first.md',
      '2026-12-21',
      ['--significant', '--at', new Date(Date.now() + DAY).toISOString()],
      '14 days',
    ],
    ['an effect in the past', 'first.md', '2026-12-21', ['--at', '2020-01-01T00:00:00Z'], 'at least a minute'],
    ['a file that is not UTF-8', 'latin1.md', '2026-12-21', [], 'latin1.md is not UTF-8'],
    ['a file with control characters', 'escape.md', '2026-12-21', [], 'control characters other than'],
    ['a file that does not exist', 'none.md', '2026-12-21', [], 'no such file'],
  ])('refuses %s', async (_, file, version, more, why) => {
    const { code, stdout, stderr } = await publish(file, version, '--yes', ...more);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^terms: /);
    expect(stderr).toContain(why);
  });

  it.each([
    [['publish', 'first.md', '--version', 'next', '--summary', 'x'], 'It must be a date'],
    [['publish', 'first.md', '--version', '2026-12-21'], '--summary'],
    [['publish', 'first.md', '--version', '2026-12-21', '--summary', ' '], 'must not be empty'],
    [['show', '--document', 'imprint'], 'terms, acceptable-use or privacy'],
    [['withdraw', '2026-12-20'], '--reason'],
  ])('explains %j', async (args, why) => {
    const { code, stderr } = await run(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
  });

  it('shows the differences to the version before', async () => {
    const { code, stdout } = await run('diff');
    expect(code).toBe(0);
    expect(stdout).toContain('--- 2026-11-30\n+++ 2026-12-20\n');
    expect(stdout).toContain('-All sales are final.\n+All sales are final. Ask support.\n');
    expect((await run('diff', '2026-12-20', '--from', '2026-11-30')).stdout).toBe(stdout);
    expect((await run('diff', '2026-11-30')).stderr).toContain('is the first one');
  });

  it('withdraws an announced version after a confirmation, and none that is in force', async () => {
    const withdraw = (version: string, ...more: readonly string[]) =>
      run('withdraw', version, '--reason', 'A mistake', ...more);
    expect(await withdraw('2026-12-20')).toMatchObject({ code: 1 });
    expect(await withdraw('2026-12-20', '--yes')).toMatchObject({ code: 0 });
    expect((await withdraw('2026-12-20', '--yes')).stdout).toContain('Nothing to do');
    expect((await run('list')).stdout).toMatch(/2026-12-20 +withdrawn at \S+ \(A mistake\), significant/);
    expect((await withdraw('2026-11-30', '--yes')).stderr).toContain('is or was in force');
    expect((await withdraw('2026-12-01', '--yes')).stderr).toContain('There is no such version');
  });

  it('decides by the clock of the log', async () => {
    await moveLogClockForward(database.url, 30 * DAY);
    expect(await publish('second.md', '2026-12-31', '--yes')).toMatchObject({ code: 0 });
    const [, effect = ''] = /2026-12-31 +takes effect at (\S+Z)/.exec((await run('list')).stdout) ?? [];
    expect(Date.parse(effect) - Date.now()).toBeGreaterThan(29 * DAY);
    await moveLogClockForward(database.url, 3 * 60_000);
    expect((await run('show')).stdout).toBe(SECOND);
    expect((await run('list')).stdout).toMatch(/2026-11-30 +in force from \S+ to \S+Z/);
  });

  it('lists other documents, and accepts their names with a hyphen', async () => {
    expect((await publish('first.md', '2026-11-30', '--document', 'acceptable-use', '--yes')).code).toBe(0);
    const { stdout } = await run('list');
    expect(stdout).toContain('Acceptable Use Policy (acceptable_use)\n  2026-11-30');
    expect(stdout).toContain('Privacy (privacy)\n  no version yet');
  });
});
