import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migratePostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { startBundledPostgres } from '../../../src/gateway/start/bundled-postgres.ts';
import { migrateIdentity } from '../../../src/identity/database.ts';
import { migrateProjections } from '../../../src/projections/rows/live.ts';
import { migrateRuns } from '../../../src/reactions/runs/runs.ts';
import { query, serverUrl } from '../sql.ts';
import { migrateMail } from '../../../src/mail/due-mails.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A server on which every test may create databases of its own. */
    postgresUrl: string;
    /** The name of a database with all tables, to be copied. */
    templateDatabase: string;
  }
}

/**
 * Housekeeping of databases that are dropped after seconds only costs time. What makes commits durable stays on. A dozen
 * gateways run at once, each with up to 50 connections.
 */
const SETTINGS = { autovacuum: 'off', checkpoint_timeout: '30min', max_connections: '500' };

/** Creates the template. Returns what drops it. */
const createTemplate = async (postgresUrl: string): Promise<{ readonly name: string; drop(): Promise<void> }> => {
  const server = serverUrl(postgresUrl);
  const name = `test_template_${process.pid}`;
  await query(server, `drop database if exists ${name} with (force)`);
  await query(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  for (const migrate of [migratePostgresStore, migrateProjections, migrateRuns, migrateIdentity, migrateMail])
    await migrate(url.href);
  return { name, drop: async () => void (await query(server, `drop database ${name} with (force)`)) };
};

/** One real server for the whole run, as durable as the one that customers' money is kept in. */
const startServer = async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const existing = process.env['TEST_DATABASE_URL'];
  if (existing) {
    const template = await createTemplate(existing);
    provide('postgresUrl', existing);
    provide('templateDatabase', template.name);
    return () => template.drop();
  }

  const dataDir = await mkdtemp(join(tmpdir(), 'kissapi-test-'));
  const lines: string[] = [];
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  try {
    const postgres = await startBundledPostgres({ dataDir, log: (line) => lines.push(line), settings: SETTINGS });
    provide('postgresUrl', postgres.url);
    provide('templateDatabase', (await createTemplate(postgres.url)).name);
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
