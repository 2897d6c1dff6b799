import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startBundledPostgres } from '../../src/gateway/start/bundled-postgres.ts';

it('adds DATABASE_URL as an alternative to the error of the bundled PostgreSQL', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'kissapi-bundled-'));
  const settings = { no_such_setting: '1' };
  await expect(startBundledPostgres({ dataDir, log: () => undefined, settings })).rejects.toMatchObject({
    code: 'embedded_postgres_failed',
    message: expect.stringMatching(/no_such_setting[^]*Or set DATABASE_URL/) as string,
  });
  await rm(dataDir, { recursive: true });
});
