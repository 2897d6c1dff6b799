import { access, open, rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { exportLog, type Exported } from '../eventstore/integrity/export-log.ts';
import { counted } from './terminal/counted.ts';
import { CliFault } from './terminal/fault.ts';
import { logFault } from './terminal/log-faults.ts';
import { publicKeys, reason, several } from './terminal/keys.ts';
import { position } from './terminal/positions.ts';
import { createBar } from './terminal/progress.ts';
import { createProgram, EXIT_CODES, runOnDatabase, type ExitCode } from './terminal/run.ts';

const program = createProgram(
  'export',
  'Write the log with its checkpoints to a file, or to standard output, as JSON lines that an auditor can check without\n' +
    'this software (docs/export-format.md). A gateway may keep running: the end is fixed at the start.',
)
  .usage('[options] [file]')
  .argument('[file]', 'path of the file; default: standard output')
  .option('--from <position>', 'the first event', position)
  .option('--to <position>', 'the last event', position)
  .option(
    '--public-key <file>',
    'public key to include (PEM), may be repeated; default: the key of the gateway',
    several,
  )
  .option('--force', 'replace an existing file')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run export -- log-2026-11.jsonl
  $ npm run --silent export -- --from 1000001 | gzip > log.jsonl.gz
  $ npm run verify -- --file log-2026-11.jsonl --public-key kissapi.pem
${EXIT_CODES}`,
  )
  .parse();

type Options = {
  readonly from?: number;
  readonly to?: number;
  readonly publicKey?: readonly string[];
  readonly force?: true;
};
const { from, to, publicKey = [], force = false } = program.opts<Options>();
const [file] = program.args;

type Target = {
  readonly write: (bytes: Buffer | string) => Promise<void>;
  finish(): Promise<void>;
  drop(): Promise<void>;
};

const standardOutput: Target = {
  write: async (bytes) => {
    if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
  },
  finish: () => Promise.resolve(),
  drop: () => Promise.resolve(),
};

const refuseToReplace = async (path: string): Promise<void> => {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there && !force) throw new CliFault(`${path} is there already. Name another file, or say --force.`);
};

/** Written under a temporary name and renamed, so that the file is complete or absent. */
const openTarget = async (path: string): Promise<Target> => {
  await refuseToReplace(path);
  const aside = `${path}.${process.pid}.partial`;
  const handle = await open(aside, 'wx').catch((cause: unknown) => {
    throw new CliFault(`${aside} cannot be written: ${reason(cause)}.`, { cause });
  });
  const leave = (): void => rmSync(aside, { force: true });
  process.once('exit', leave);
  return {
    write: async (bytes) => void (await handle.writeFile(bytes)),
    finish: async () => {
      await handle.sync();
      await handle.close();
      await refuseToReplace(path);
      await rename(aside, path);
      process.off('exit', leave);
    },
    drop: async () => {
      await handle.close();
      await rm(aside, { force: true });
    },
  };
};

/** Ctrl-C stops it between two parts and removes the temporary file. */
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());

const writeExport = async (databaseUrl: string): Promise<ExitCode> => {
  const keys = await publicKeys(publicKey);
  const target = file === undefined ? standardOutput : await openTarget(file);
  const bar = createBar('export');
  bar.start(0, 0);
  let exported: Exported;
  try {
    exported = await exportLog({
      ...{ databaseUrl, from, to, publicKeys: keys, write: target.write, signal: interrupted.signal },
      progress: (done, total) => {
        bar.setTotal(total);
        bar.update(done);
      },
    });
    await target.finish();
  } catch (error) {
    await target.drop();
    if (interrupted.signal.aborted) throw new CliFault('Stopped; nothing was kept.', { cause: error });
    throw logFault(error);
  } finally {
    bar.stop();
  }
  const { events, checkpoints } = exported;
  const many = `${counted(events, 'event')} (${exported.from} to ${exported.to}) and ${counted(checkpoints, 'checkpoint')}`;
  console.error(`export: ${many} written${file === undefined ? '' : ` to ${file}`}.`);
  return 0;
};

await runOnDatabase('export', ({ url }) => writeExport(url));
