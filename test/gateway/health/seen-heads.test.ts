import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSeenHeadWriter, readSeenHead } from '../../../src/gateway/health/seen-heads.ts';

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'kissapi-seen-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

const place = (position: number) => ({ position, hash: String(position % 10).repeat(64) });

describe('the newest head that was seen', () => {
  it('is kept for each log by itself', async () => {
    expect(await readSeenHead(dataDir, 'a')).toBeUndefined();
    const [a, b] = [createSeenHeadWriter(dataDir, 'a'), createSeenHeadWriter(dataDir, 'b')];
    await a(place(7));
    await b(place(3));
    await a(place(8));
    expect(await readSeenHead(dataDir, 'a')).toEqual(place(8));
    expect(await readSeenHead(dataDir, 'b')).toEqual(place(3));
  });

  it('is unknown if the file is damaged, and is written again', async () => {
    for (const text of ['', '{', '{"a":{"position":1,"hash":"x"}}', '{"a":{"position":1.5}}']) {
      await writeFile(join(dataDir, 'seen-heads.json'), text);
      expect(await readSeenHead(dataDir, 'a')).toBeUndefined();
    }
    await createSeenHeadWriter(dataDir, 'a')(place(9));
    expect(await readSeenHead(dataDir, 'a')).toEqual(place(9));
  });

  it('rejects if nothing can be written', async () => {
    await writeFile(join(dataDir, 'file'), '');
    await expect(createSeenHeadWriter(join(dataDir, 'file'), 'a')(place(1))).rejects.toThrow();
  });
});
