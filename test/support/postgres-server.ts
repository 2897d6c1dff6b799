import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { TestProject } from 'vitest/node';

import { startBundledPostgres } from '../../src/gateway/bundled-postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server on which every test may create databases of its own. */
    postgresUrl: string;
  }
}

/** One real server for the whole run, as durable as the one that customers' money is kept in. */
const startServer = async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const existing = process.env['TEST_DATABASE_URL'];
  if (existing) {
    provide('postgresUrl', existing);
    return async () => {};
  }

  const dataDir = await mkdtemp(join(tmpdir(), 'kissapi-test-'));
  const lines: string[] = [];
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  try {
    const postgres = await startBundledPostgres({ dataDir, log: (line) => lines.push(line) });
    provide('postgresUrl', postgres.url);
    return async () => {
      await postgres.stop();
      await remove();
    };
  } catch (error) {
    console.error(lines.join('\n'));
    await remove();
    throw error;
  }
};

export default startServer;
