import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, type Ran } from '../../support/command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kissapi-files-'));
  await mkdir(join(folder, 'directory'));
  await writeFile(join(folder, 'empty'), '');
  await writeFile(join(folder, 'other.jsonl'), '{"something":"else"}\n');
  await writeFile(join(folder, 'cut'), '{"export":{"format":"kissapi-log-ex');
  await writeFile(join(folder, 'secret'), 'x');
  await chmod(join(folder, 'secret'), 0o000);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const verify = (...args: string[]): Promise<Ran> => runCommand('verify', args);
const isRoot = process.getuid?.() === 0;

describe('a command that takes a file', () => {
  it.each<[option: string, name: string, words: RegExp]>([
    ['--file', 'missing', /there is no such file/],
    ['--file', 'directory', /is a directory/],
    ['--file', 'empty', /is empty/],
    ['--file', 'cut', /no first line/],
    ['--file', 'other.jsonl', /does not begin as an export/],
    ['--file', 'other.jsonl/within', /a part of the path is no directory/],
    ['--public-key', 'missing', /there is no such file/],
    ['--public-key', 'directory', /it is a directory/],
    ['--public-key', 'empty', /it is empty/],
    ['--checkpoint', 'missing', /there is no such file/],
    ['--checkpoint', 'directory', /it is a directory/],
    ...(isRoot ? [] : [['--file', 'secret', /there is no permission/] as [string, string, RegExp]]),
  ])('%s %s: one plain line', async (option, name, words) => {
    const other = option === '--file' ? [] : ['--file', join(folder, 'other.jsonl')];
    const { code, stderr } = await verify(option, join(folder, name), ...other);
    expect(code).toBe(2);
    expect(stderr).toMatch(words);
    expect(stderr).toContain(join(folder, name));
    expect(stderr).not.toMatch(/ENOENT|EISDIR|EACCES|ENOTDIR|^\s+at /m);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
