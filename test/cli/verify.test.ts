import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOG_STREAM } from '../../src/domain/log/rewinds.ts';
import { toJson } from '../../src/eventstore/integrity/checkpoint.ts';
import { encode } from '../../src/eventstore/journal/codec.ts';
import { EMPTY_STREAM } from '../../src/eventstore/event-store.ts';
import { aKey, createSignedLog, putLogBack, tamper } from '../eventstore/signed-logs.ts';
import { runCommand, type Ran } from '../support/command.ts';

let log: Awaited<ReturnType<typeof createSignedLog>>;
let folder: string;
let key: string;

/** The logs of these tests are in PostgreSQL, whose tables they change. */
const IN_POSTGRES = { EVENT_STORE_URL: '' };

const run = (script: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> =>
  runCommand(script, args, { cwd: folder, env: { ...IN_POSTGRES, ...env } });
const here = (name: string): string => join(folder, name);
const onDatabase = (script: string, ...args: string[]): Promise<Ran> => run(script, args, { DATABASE_URL: log.url });

beforeAll(async () => {
  log = await createSignedLog(3);
  folder = await mkdtemp(join(tmpdir(), 'kissapi-verify-'));
  key = here('key.pem');
  await writeFile(key, log.key.publicKey);
  await writeFile(here('other.pem'), aKey().publicKey);
  const newest = await log.checkpoints.newest();
  // As the management API answers it.
  if (newest)
    await writeFile(
      here('kept.jsonl'),
      `${JSON.stringify({ checkpoint: toJson(newest), public_key: log.key.publicKey })}\n`,
    );
});
afterAll(async () => {
  await log.close();
  await rm(folder, { recursive: true });
});

describe('verify', () => {
  it('exits with 0 where all is in order, and says what it did not check', async () => {
    const { code, stdout, stderr } = await onDatabase(
      'verify',
      '--public-key',
      key,
      '--checkpoint',
      here('kept.jsonl'),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^30 events \(1 to 30\) in 5 streams: .* in order\.\n3 checkpoints: every signature is good/,
    );
    expect(stdout).toContain('1 checkpoint kept elsewhere: every one is met.');
    const unkeyed = await onDatabase('verify', '--from', '11');
    expect(unkeyed.code).toBe(0);
    expect(unkeyed.stdout).toMatch(/^20 events \(11 to 30\)[^]*SIGNATURES ARE NOT CHECKED/);
  });

  it('takes the key that the gateway signs with', async () => {
    const pem = log.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const { stdout } = await run('verify', [], { DATABASE_URL: log.url, KISSAPI_SIGNING_KEY: pem });
    expect(stdout).toContain('3 checkpoints: every signature is good');
  });

  it('exits with 1 and names the first place where it is not', async () => {
    const other = await onDatabase('verify', '--public-key', here('other.pem'));
    expect(other.code).toBe(1);
    expect(other.stdout).toMatch(
      /^NOT IN ORDER at event 10: the checkpoint here is signed by a key that was not given\.\n {2}expected {2}\w{16}\n {2}found/,
    );
    await tamper(log.url, `update events set version = 2 where position = 17`);
    const { code, stdout } = await onDatabase('verify', '--public-key', key);
    await tamper(log.url, `update events set version = 1 where position = 17`);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^NOT IN ORDER at event 17: the hash is not that of the event and the one before it\.\n {2}expected {2}\w{64}\n {2}found {5}\w{64}\n$/,
    );
  });

  it.each<[readonly string[], RegExp]>([
    [['--public-key', 'none.pem'], /none\.pem cannot be read as a public key/],
    [['--checkpoint', 'key.pem'], /key\.pem, line 1: this is no checkpoint/],
    [['--checkpoint', 'kept.jsonl', '--public-key', 'other.pem'], /kept elsewhere of event 30 is none: .*not given/],
    [['--file', 'none.jsonl'], /no such file/],
    [['--file', 'key.pem'], /does not begin as an export/],
    [['--file', 'x', '--from', '2'], /--from is for a database/],
    [['--from', '32'], /no event 31 before that; the log ends at 30/],
    [['--from', '0'], /whole number, from 1/],
  ])('exits with 2 and says why: %j', async (args, words) => {
    const { code, stderr } = await onDatabase('verify', ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe('export', () => {
  it('writes a file that verify takes, without a database or a configuration', async () => {
    const { code, stdout, stderr } = await onDatabase('export', here('log.jsonl'), '--public-key', key);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(`export: 30 events (1 to 30) and 3 checkpoints written to ${here('log.jsonl')}.\n`);
    const good = await run('verify', ['--file', 'log.jsonl', '--public-key', key, '--checkpoint', 'kept.jsonl'], {});
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toMatch(/^30 events[^]*3 checkpoints: every signature is good[^]*every one is met/);
    const unkeyed = await run('verify', ['--file', 'log.jsonl'], { NODE_ENV: 'production' });
    expect(unkeyed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('SIGNATURES ARE NOT CHECKED') as unknown,
    });

    const text = await readFile(here('log.jsonl'), 'utf8');
    await writeFile(here('changed.jsonl'), text.replace('"position":12,', '"position":13,'));
    const changed = await run('verify', ['--file', 'changed.jsonl'], {});
    expect(changed).toMatchObject({ code: 1, stdout: expect.stringMatching(/^NOT IN ORDER at event 12: /) as unknown });
  });

  it('writes to standard output, a part of the log if asked', async () => {
    const { code, stdout } = await onDatabase('export', '--from', '11', '--to', '12');
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => Object.keys(JSON.parse(line) as object)[0]),
    ).toEqual(['export', 'position', 'position', 'end']);
  });

  it('replaces no file unless told to, and leaves nothing behind where it fails', async () => {
    await writeFile(here('there.jsonl'), 'mine');
    const refused = await onDatabase('export', here('there.jsonl'));
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('there already') as unknown });
    expect(await readFile(here('there.jsonl'), 'utf8')).toBe('mine');
    expect(await onDatabase('export', here('there.jsonl'), '--force')).toMatchObject({ code: 0 });
    expect(await readFile(here('there.jsonl'), 'utf8')).toContain('"end"');

    const beyond = await onDatabase('export', here('beyond.jsonl'), '--to', '31');
    expect(beyond).toMatchObject({ code: 2, stderr: expect.stringContaining('The log ends at event 30') as unknown });
    const nowhere = await onDatabase('export', here('no/such/folder.jsonl'));
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be written') as unknown });
    expect((await readdir(folder)).filter((name) => /beyond|partial/.test(name))).toEqual([]);
  });
});

it.each(['verify', 'export'])('%s --help shows examples and needs no database', async (script) => {
  const { code, stdout } = await run(script, ['--help'], {});
  expect(code).toBe(0);
  expect(stdout).toContain(`$ npm run ${script}`);
  expect(stdout).toContain('Exit codes:');
});

describe('verify of a log that went back in time', () => {
  const NOT_CHECKED = '1 checkpoint kept elsewhere: NOT CHECKED, for the log went back in time';
  const withKept = (...args: string[]): string[] => ['--public-key', key, '--checkpoint', here('kept.jsonl'), ...args];

  it('accepts that a checkpoint kept elsewhere is not met once the loss has been acknowledged', async () => {
    const { position: seenPosition = 0, hash: seenHash = '' } = (await log.checkpoints.newest()) ?? {};
    await putLogBack(log.url, 20);
    log.store.forgetHistory();
    log.checkpoints.forget();
    await log.append();
    await log.checkpoints.sign({ events: 1, ms: 0 });
    expect(await onDatabase('verify', ...withKept())).toMatchObject({ code: 1 });

    const rewind = { rewindId: randomUUID(), commonPosition: 20, seenPosition, seenHash, lostEvents: 10, note: '' };
    const event = { type: 'LogRewound', ...rewind } as const;
    const acknowledged = encode(event, randomUUID(), { actor: 'test', commandId: 'test' });
    await log.store.append([{ stream: LOG_STREAM, expected: EMPTY_STREAM, events: [acknowledged] }]);
    const { code, stdout } = await onDatabase('verify', ...withKept());
    expect([code, stdout]).toEqual([0, expect.stringContaining(NOT_CHECKED)]);
    expect(stdout).toContain('(LogRewound, event 31)');
  });

  it('accepts it in an export of that log, too', async () => {
    expect(await onDatabase('export', 'rewound.jsonl', '--public-key', key)).toMatchObject({ code: 0 });
    const { code, stdout } = await run('verify', withKept('--file', 'rewound.jsonl'), {});
    expect([code, stdout]).toEqual([0, expect.stringContaining(NOT_CHECKED)]);
  });
});
