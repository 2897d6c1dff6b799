import { readFile } from 'node:fs/promises';
import type { EventStore } from '../eventstore/event-store.ts';
import { checkKept } from '../eventstore/integrity/verify/kept-checkpoints.ts';
import { lostHistoriesIn, lostHistoriesOf, splitKept, type LostHistory } from '../eventstore/journal/lost-history.ts';
import { fromJson, type Checkpoint } from '../eventstore/integrity/checkpoint.ts';
import type { Verdict } from '../eventstore/integrity/verify/merge.ts';
import { verifyDatabase } from '../eventstore/integrity/verify/verify-database.ts';
import { verifyFile } from '../eventstore/integrity/verify/verify-file.ts';
import { counted } from './terminal/counted.ts';
import { CliFault } from './terminal/fault.ts';
import { logFault } from './terminal/log-faults.ts';
import { publicKeys, reason, several } from './terminal/keys.ts';
import { position } from './terminal/positions.ts';
import { createBar } from './terminal/progress.ts';
import { createProgram, EXIT_CODES, print, runAlone, runOnDatabase, type ExitCode } from './terminal/run.ts';

const program = createProgram(
  'verify',
  'Recompute the whole log: every hash, that positions and the revisions of every stream are dense, that time never goes\n' +
    'back, the head, the checkpoints and their signatures. Names the first flaw.\n' +
    'A gateway may keep running. Uniqueness of event ids is guaranteed by the database.',
)
  .usage('[options]')
  .option(
    '--public-key <file>',
    'public key of checkpoints (PEM), may be repeated; default: the key of the gateway',
    several,
  )
  .option(
    '--checkpoint <file>',
    'checkpoints that were stored elsewhere (JSON lines), may be repeated; the log must contain each',
    several,
  )
  .option('--file <export>', 'verify an export instead; needs no database and no configuration')
  .option('--from <position>', 'begin at an event and trust the one before it', position)
  .addHelpText(
    'after',
    `
Examples:
  $ npm run verify
  $ npm run verify -- --public-key kissapi.pem --checkpoint kept-by-finance.jsonl
  $ npm run verify -- --file log-2026-11.jsonl --public-key kissapi.pem
${EXIT_CODES}
A log whose end was cut off, with its checkpoints, is whole as far as it goes: only a checkpoint kept elsewhere shows it.`,
  )
  .parse();

type Options = {
  readonly publicKey?: readonly string[];
  readonly checkpoint?: readonly string[];
  readonly file?: string;
  readonly from?: number;
};
const options = program.opts<Options>();
const { publicKey = [], checkpoint = [], file, from } = options;
if (file !== undefined && from !== undefined)
  program.error('error: --from is for a database; an export begins where it begins');

const readKept = async (path: string): Promise<readonly Checkpoint[]> => {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CliFault(`${path} cannot be read: ${reason(cause)}.`, { cause });
  });
  return text.split('\n').flatMap((line, n) => {
    if (line.trim() === '') return [];
    try {
      // A line of the gateway's log or of an export contains the checkpoint; a line of the management API is one.
      const json = JSON.parse(line) as { readonly checkpoint?: unknown };
      return [fromJson(json.checkpoint ?? json)];
    } catch (cause) {
      throw new CliFault(`${path}, line ${n + 1}: this is no checkpoint.`, { cause });
    }
  });
};

/** The key of the gateway, if there is one; an export can be verified without it. */
const keysFor = (where: 'database' | 'file'): Promise<readonly string[]> =>
  where === 'file' && publicKey.length === 0 ? publicKeys([]).catch(() => []) : publicKeys(publicKey);

type Where = { readonly databaseUrl: string; readonly store: EventStore } | { readonly file: string };

/** Read only if a checkpoint may be affected. */
const lostHistories = async (where: Where, kept: readonly Checkpoint[]): Promise<readonly LostHistory[]> => {
  if (kept.length === 0) return [];
  return 'file' in where ? lostHistoriesIn(where.file) : lostHistoriesOf(where.store);
};

const verify = async (where: Where): Promise<ExitCode> => {
  const kept = (await Promise.all(checkpoint.map(readKept))).flat();
  const keys = await keysFor('file' in where ? 'file' : 'database');
  const forged = checkKept(kept, keys);
  if (forged) throw new CliFault(`The checkpoint kept elsewhere of event ${forged.position} is none: ${forged.what}.`);
  const unit = 'file' in where ? 'bytes' : 'events';
  const bar = createBar('verify', unit);
  bar.start(0, 0);
  const progress = (done: number, total: number): void => {
    bar.setTotal(total);
    bar.update(done);
  };
  const histories = await lostHistories(where, kept);
  const { binding, lost } = splitKept(kept, histories);
  const asked = { publicKeys: keys, kept: binding, progress };
  try {
    const verdict =
      'file' in where
        ? await verifyFile(where.file, asked)
        : await verifyDatabase(where.databaseUrl, { ...asked, ...(from === undefined ? {} : { from }) });
    bar.stop();
    const code = await tell(verdict, keys.length, binding, 'file' in where);
    if (code === 0 && lost.length > 0) await tellLost(lost, histories);
    return code;
  } catch (error) {
    throw logFault(error);
  } finally {
    bar.stop();
  }
};

const tell = async (
  { first, last, events, streams, signatures, flaw }: Verdict,
  keys: number,
  kept: readonly Checkpoint[],
  isFile: boolean,
): Promise<ExitCode> => {
  if (flaw) {
    await print(`NOT IN ORDER at event ${flaw.position}: ${flaw.what}.`);
    await print(`  expected  ${flaw.expected}\n  found     ${flaw.found}`);
    return 1;
  }
  const range = last ? ` (${first} to ${last.position})` : '';
  await print(
    `${counted(events, 'event')}${range} in ${counted(streams, 'stream')}: every hash, position, time and revision is in order.`,
  );
  const { good, unchecked } = signatures;
  await print(
    keys > 0
      ? `${counted(good, 'checkpoint')}: every signature is good, and every event is the one that was signed.`
      : `${counted(unchecked, 'checkpoint')}: their SIGNATURES ARE NOT CHECKED, for there is no public key. Give one with --public-key.`,
  );
  const start = first ?? 1;
  const met = kept.filter((one) => one.position >= start).length;
  if (met > 0) await print(`${counted(met, 'checkpoint')} kept elsewhere: every one is met.`);
  const before = kept.length - met;
  if (before > 0)
    await print(`${counted(before, 'checkpoint')} kept elsewhere, of events before the first: NOT CHECKED.`);
  if (last)
    await print(
      `Event ${last.position} has the hash ${last.hash}${isFile ? '.' : ', and so has the head of the log.'}`,
    );
  return 0;
};

const tellLost = async (lost: readonly Checkpoint[], histories: readonly LostHistory[]): Promise<void> => {
  const events = histories.map(({ position }) => position).join(', ');
  await print(
    `${counted(lost.length, 'checkpoint')} kept elsewhere: NOT CHECKED, for the log went back in time, and an operator has ` +
      `acknowledged that the events there were lost (LogRewound, event ${events}).`,
  );
};

if (file === undefined) await runOnDatabase('verify', ({ url, store }) => verify({ databaseUrl: url, store }));
else await runAlone('verify', () => verify({ file }));
