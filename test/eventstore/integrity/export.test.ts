import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromJson } from '../../../src/eventstore/integrity/checkpoint.ts';
import { CannotExport, exportLog } from '../../../src/eventstore/integrity/export-log.ts';
import { NotAnExport, verifyFile } from '../../../src/eventstore/integrity/verify/verify-file.ts';
import { createSignedLog, tamper } from '../signed-logs.ts';

const BATCHES = 6;
const EVENTS = 10 * BATCHES;

let log: Awaited<ReturnType<typeof createSignedLog>>;
let folder: string;
let whole: string;
beforeAll(async () => {
  log = await createSignedLog(BATCHES);
  folder = await mkdtemp(join(tmpdir(), 'kissapi-export-'));
  whole = await exported();
});
afterAll(async () => {
  await log.close();
  await rm(folder, { recursive: true });
});

const exported = async (range: { from?: number; to?: number } = {}): Promise<string> => {
  const chunks: string[] = [];
  const write = (bytes: Buffer | string): Promise<void> => Promise.resolve(void chunks.push(bytes.toString()));
  await exportLog({ databaseUrl: log.url, publicKeys: [log.key.publicKey], write, ...range });
  return chunks.join('');
};

/** As `npm run verify -- --file` does, in parts of a few lines. */
const verify = async (
  text: string | Buffer,
  options: { kept?: readonly unknown[]; publicKeys?: readonly string[]; threads?: number } = {},
) => {
  const file = join(folder, 'export.jsonl');
  await writeFile(file, text);
  const { kept = [], publicKeys = [log.key.publicKey], threads = 1 } = options;
  return verifyFile(file, { publicKeys, kept: kept.map(fromJson), partSize: 1500, threads });
};

const lines = (text: string): string[] => text.split('\n').slice(0, -1);
const text = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
const checkpointsIn = (all: string): unknown[] =>
  lines(all).flatMap((line) =>
    line.startsWith('{"checkpoint"') ? [(JSON.parse(line) as { checkpoint: unknown }).checkpoint] : [],
  );

describe('an export', () => {
  it('contains every event as the store has it, and every checkpoint', async () => {
    const events = lines(whole)
      .filter((line) => line.startsWith('{"position"'))
      .map((line) => JSON.parse(line) as unknown);
    const stored = await log.store.readAll(0, 1000);
    expect(events).toEqual(stored.map(({ token: _, ...event }) => ({ ...event, time: event.time.toISOString() })));
    expect(checkpointsIn(whole)).toHaveLength(BATCHES);
  });

  it('is verified', async () => {
    const verdict = await verify(whole);
    expect(verdict).toMatchObject({
      flaw: undefined,
      first: 1,
      events: EVENTS,
      streams: 5,
      signatures: { good: BATCHES },
    });
    expect(await verify(whole, { threads: 2 })).toEqual(verdict);
    expect((await verify(whole, { kept: checkpointsIn(whole) })).flaw).toBeUndefined();
    expect((await verify(whole, { publicKeys: [] })).signatures).toEqual({ good: 0, unchecked: BATCHES });
  });

  it('may contain a part of the log', async () => {
    const part = await verify(await exported({ from: 15, to: 44 }), { kept: checkpointsIn(whole).slice(0, 4) });
    expect(part).toMatchObject({ flaw: undefined, first: 15, events: 30, keptBefore: 1, signatures: { good: 3 } });
    expect(await verify(await exported({ from: EVENTS + 1 }))).toMatchObject({ flaw: undefined, events: 0 });
    await expect(exported({ to: EVENTS + 1 })).rejects.toThrow(CannotExport);
    await expect(exported({ from: 5, to: 3 })).rejects.toThrow(CannotExport);
  });

  it('is refused for a log with a missing event', async () => {
    await tamper(log.url, 'create table hole as table events', 'delete from events where position = 33');
    await expect(exported()).rejects.toThrow(/Event 33 is missing/);
    await tamper(log.url, 'truncate events', 'insert into events select * from hole');
  });
});

describe('a changed export', () => {
  it('is detected for any flipped bit', async () => {
    const bytes = Buffer.from(whole);
    const header = bytes.indexOf('\n');
    // Every bit of the first and last line and of one event and checkpoint would take long: a sample of all.
    const step = 97;
    let refused = 0;
    for (let n = 0; n < bytes.length; n += step) {
      const flipped = Buffer.from(bytes);
      flipped[n] = (flipped[n] ?? 0) ^ (1 << (n % 8));
      const answer = await verify(flipped).catch((error: unknown) => error);
      if (answer instanceof NotAnExport) refused++;
      else
        expect([n, answer]).toEqual([
          n,
          expect.objectContaining({
            flaw: expect.objectContaining({ position: expect.any(Number) as unknown }) as unknown,
          }),
        ]);
      if (answer instanceof NotAnExport) expect(n).toBeLessThanOrEqual(header);
    }
    expect(refused).toBeGreaterThan(0);
  });

  it('is detected at the event with a flipped bit', async () => {
    const all = lines(whole);
    for (const position of [1, 24, EVENTS]) {
      const at = all.findIndex((line) => line.startsWith(`{"position":${position},`));
      const line = Buffer.from(all[at] ?? '');
      const data = line.indexOf('"data"') + 12;
      line[data] = (line[data] ?? 0) ^ 1;
      expect((await verify(text(all.with(at, line.toString())))).flaw?.position).toBe(position);
    }
  });

  it.each<[string, number, RegExp, (all: string[]) => string[]]>([
    ['a line gone', 24, /missing/, (all) => all.filter((line) => !line.startsWith('{"position":24,'))],
    [
      'a checkpoint gone',
      40,
      /does not follow/,
      (all) => all.filter((line) => !line.includes('{"checkpoint":{"position":30,')),
    ],
    [
      'the last checkpoint gone',
      EVENTS + 1,
      /not hold as much/,
      (all) => all.filter((line) => !line.includes(`{"checkpoint":{"position":${EVENTS},`)),
    ],
    ['the closing line gone', EVENTS + 1, /breaks off/, (all) => all.slice(0, -1)],
    [
      'the end gone',
      51,
      /breaks off/,
      (all) =>
        all.slice(
          0,
          all.findIndex((line) => line.startsWith('{"position":51,')),
        ),
    ],
    [
      'the end gone, but for the closing line',
      51,
      /not hold as much/,
      (all) => [
        ...all.slice(
          0,
          all.findIndex((line) => line.startsWith('{"position":51,')),
        ),
        all.at(-1) ?? '',
      ],
    ],
    [
      'a line twice',
      25,
      /another event/,
      (all) => all.flatMap((line) => (line.startsWith('{"position":24,') ? [line, line] : [line])),
    ],
    [
      'a field more',
      24,
      /cannot be read/,
      (all) => all.map((line) => line.replace('{"position":24,', '{"position":24,"more":1,')),
    ],
    [
      'another header',
      1,
      /first line/,
      (all) => all.map((line) => line.replace(/"public_keys":\[.*\]/, '"public_keys":[]')),
    ],
    ['no line at all', 1, /breaks off/, (all) => all.slice(0, 1)],
  ])('is found out by %s', async (_, position, what, change) => {
    const changed = text(change(lines(whole)));
    expect((await verify(changed)).flaw).toMatchObject({ position, what: expect.stringMatching(what) as unknown });
  });

  it('is detected by checkpoints kept elsewhere if it was cut and closed again', async () => {
    const part = await exported({ to: 35 });
    expect((await verify(part)).flaw).toBeUndefined();
    expect((await verify(part, { kept: checkpointsIn(whole) })).flaw).toMatchObject({ position: 36 });
  });

  it('matches a checkpoint that was signed later by its event alone', async () => {
    const kept = checkpointsIn(whole) as { hash: string; time: string }[];
    const before = lines(whole).filter((line) => !line.startsWith('{"checkpoint"'));
    const unsigned = text(before).replace(/"checkpoints":\d+/, '"checkpoints":0');
    expect(await verify(unsigned, { kept })).toMatchObject({ flaw: undefined, signatures: { good: 0 } });
    const other = kept.map((one) => ({ ...one, hash: 'f'.repeat(64) }));
    expect((await verify(unsigned, { kept: other })).flaw?.what).toMatch(
      /not the one that a checkpoint kept elsewhere/,
    );
    const another = kept.map((one) => ({ ...one, time: '2099-01-01T00:00:00.000Z' }));
    expect((await verify(whole, { kept: another })).flaw?.what).toMatch(/kept elsewhere is not in the log/);
  });

  it.each([
    ['nothing', ''],
    ['something else', '{"a":1}\n'],
    ['another version', '{"export":{"version":2}}\n'],
    ['no line', 'x'.repeat(70_000)],
  ])('is refused where it is %s', (_, content) => expect(verify(content)).rejects.toThrow(NotAnExport));
});

/** A checker as an auditor would write it, from docs/export-format.md and nothing else. */
const audit = (file: string, publicKeyPem: string): string => {
  const sha256 = (...parts: (string | Buffer)[]): Buffer =>
    parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
  const [first = '', ...rest] = file.split('\n').slice(0, -1);
  const header = (JSON.parse(first) as { export: Record<string, unknown> }).export;
  const end = (JSON.parse(rest.pop() ?? '') as { end: Record<string, unknown> }).end;
  const key = createPublicKey(publicKeyPem);
  const keyId = sha256(key.export({ type: 'spki', format: 'der' }))
    .toString('hex')
    .slice(0, 16);
  const revisions: Record<string, number> = {};
  let hash = Buffer.from(String(header['previous_hash']), 'hex');
  let position = Number(header['from']) - 1;
  let time = 0;
  let previous = '0'.repeat(64);
  let checkpoints = 0;
  for (const line of rest) {
    const { checkpoint, ...event } = JSON.parse(line) as Record<string, string> & {
      checkpoint?: Record<string, string>;
    };
    if (checkpoint) {
      const signed = ['position', 'time', 'hash', 'previous', 'key_id']
        .map((field) => `${checkpoint[field]}\n`)
        .join('');
      const message = `kissapi checkpoint v1\n${signed}`;
      if (Number(checkpoint['position']) !== position || checkpoint['hash'] !== hash.toString('hex'))
        return `checkpoint ${position}: another event`;
      if (checkpoint['previous'] !== previous) return `checkpoint ${position}: another before`;
      if (Date.parse(checkpoint['time'] ?? '') < time) return `checkpoint ${position}: too early`;
      const signature = Buffer.from(checkpoint['signature'] ?? '', 'base64');
      if (checkpoint['key_id'] !== keyId || !verifySignature(null, Buffer.from(message), key, signature))
        return `checkpoint ${position}: signature`;
      previous = sha256(message).toString('hex');
      checkpoints++;
      continue;
    }
    const { stream = '', revision, id, type, version, data = '', metadata } = event;
    const content = sha256(`${stream}\n${revision}\n${id}\n${type}\n${version}\n${data.length}\n${data}${metadata}`);
    const numbers = Buffer.alloc(16);
    numbers.writeBigInt64BE(BigInt(Number(event['position'])), 0);
    numbers.writeBigInt64BE(BigInt(Date.parse(event['time'] ?? '')), 8);
    hash = sha256(hash, content, numbers) as Buffer<ArrayBuffer>;
    if (Number(event['position']) !== ++position) return `event ${position}: position`;
    if (hash.toString('hex') !== event['hash']) return `event ${position}: hash`;
    if (Date.parse(event['time'] ?? '') < time) return `event ${position}: time`;
    if (Number(revision) !== (revisions[stream] ?? -1) + 1) return `event ${position}: revision`;
    revisions[stream] = Number(revision);
    time = Date.parse(event['time'] ?? '');
  }
  const events = position - Number(header['from']) + 1;
  const whole = end['events'] === events && end['checkpoints'] === checkpoints && end['hash'] === hash.toString('hex');
  if (!whole || position !== header['to'] || end['header_sha256'] !== sha256(first).toString('hex')) return 'not whole';
  return `${events} events and ${checkpoints} checkpoints are in order`;
};

describe("an auditor's own checker", () => {
  it('verifies a correct export', () =>
    expect(audit(whole, log.key.publicKey)).toBe(`${EVENTS} events and ${BATCHES} checkpoints are in order`));

  it.each<[string, string, (all: string) => string]>([
    ['a changed amount', 'event 24: hash', (all) => all.replace(/(\{"position":24,.*\\"n\\":)\d/, '$19')],
    [
      'a checkpoint of another time',
      'checkpoint 30: signature',
      (all) => all.replace(/(\{"checkpoint":\{"position":30,"time":")2/, '$13'),
    ],
    ['a cut', 'not whole', (all) => all.replace(/\{"position":51,[^]*(\{"end")/, '$1')],
  ])('finds %s', (_, found, change) => expect(audit(change(whole), log.key.publicKey)).toBe(found));

  it('is described by docs/export-format.md', async () => {
    const page = await readFile(new URL('../../../docs/export-format.md', import.meta.url), 'utf8');
    const [header = '', event = ''] = lines(whole);
    for (const field of [
      ...Object.keys((JSON.parse(header) as { export: object }).export),
      ...Object.keys(JSON.parse(event) as object),
    ]) {
      expect(page).toContain(field);
    }
  });
});
