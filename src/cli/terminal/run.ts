import { once } from 'node:events';
import { inspect } from 'node:util';
import { Command } from 'commander';
import { InvalidConfig, readCommandConfig } from '../../config/config.ts';
import { EmbeddedPostgresFault } from '../../gateway/start/bundled-postgres.ts';
import { ClockNotMoved } from '../../eventstore/postgres/log-clock.ts';
import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { NotReadableByAll } from '../../eventstore/event-versions.ts';
import { CliFault } from './fault.ts';
import { fileFault } from './file-faults.ts';
import { openDatabase, type OpenDatabase } from './open-database.ts';
import { redact, withoutSecrets } from './redact.ts';

/** 0: success. 1: completed, but the command found a problem. 2: failed. */
export type ExitCode = 0 | 1 | 2;

export const EXIT_CODES = `
Exit codes:
  0  done, and all is as it should be
  1  done, and something is not as it should be
  2  not done; stderr says why

The database is the one of DATABASE_URL; else that of the gateway which runs on KISSAPI_DATA (./.kissapi), or, where
none runs, the same one started for the moment.`;

export const createProgram = (name: string, description: string): Command =>
  new Command(name)
    .usage('[options] <arguments>')
    .description(description)
    .configureOutput(withoutSecrets)
    .showHelpAfterError('(--help shows examples)')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

/** Runs a command on the gateway's database, closes the database, reports errors and sets the exit code. */
export const runOnDatabase = async (
  name: string,
  command: (database: OpenDatabase) => Promise<ExitCode>,
): Promise<void> =>
  runAlone(name, async (log) => {
    const { databaseUrl, eventStoreUrl, dataDir } = readCommandConfig();
    const database = await openDatabase({ databaseUrl, eventStoreUrl, dataDir, log });
    try {
      return await command(database);
    } finally {
      await database.close();
    }
  });

/** Like `runOnDatabase` for a command without a database. `log` writes messages to the user. */
export const runAlone = async (
  name: string,
  command: (log: (line: string) => void) => Promise<ExitCode>,
): Promise<void> => {
  // The reader may close the pipe, for example `npm run replay … | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));
  const say = (text: string): void => console.error(redact(text, process.argv.slice(2)));
  const log = (line: string): void => say(`${name}: ${line}`);
  try {
    process.exitCode = await command(log);
  } catch (error) {
    process.exitCode = 2;
    const ofFile = fileFault(error);
    if (ofFile) log(ofFile.message);
    else if (isForPeople(error)) log(error.message);
    else say(inspect(error));
  }
};

const isForPeople = (error: unknown): error is Error =>
  error instanceof CliFault ||
  error instanceof InvalidConfig ||
  error instanceof EmbeddedPostgresFault ||
  error instanceof StoreUnavailable ||
  error instanceof ClockNotMoved ||
  error instanceof NotReadableByAll;

/** Waits for a slow reader, so that long output does not accumulate in memory. */
export const print = async (line: string): Promise<void> => {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
};
