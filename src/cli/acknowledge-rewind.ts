import { LOG_STREAM, logDecider } from '../domain/log/rewinds.ts';
import { createCommands } from '../eventstore/commands.ts';
import { journal } from '../eventstore/journal/codec.ts';
import { createCommitter } from '../eventstore/committer.ts';
import { createLogRewinds, type LogRewind, type LogRewinds } from '../eventstore/postgres/log-rewinds.ts';
import type { RememberedEvent } from '../eventstore/remembered-appends.ts';
import { readableByLiveRuns } from '../reactions/runs/runs.ts';
import { counted } from './terminal/counted.ts';
import { lostInWords } from './account-history/lost-events.ts';
import type { OpenDatabase } from './terminal/open-database.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './terminal/run.ts';

const program = createProgram(
  'acknowledge-rewind',
  'List the events that were lost when the log went back in time (a restore, or a failover to a standby that was behind),\n' +
    'as far as the running gateways remember them. With --yes: acknowledge the loss, so that completions are accepted again.',
)
  .usage('[options]')
  .option('--yes', 'acknowledge what is listed')
  .option('--note <text>', 'reason, stored in the log with the acknowledgement', '')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run acknowledge-rewind
  $ npm run acknowledge-rewind -- --yes --note "restored from the copy of 12:00"
${EXIT_CODES}
The exit code is 1 while a rewind is open. Do again first what must not stay undone: revoked keys work again, suspended
accounts may spend again, erased personal data is back if the restored copy has its keys. docs/operations.md has the steps.`,
  )
  .allowExcessArguments(false)
  .parse();

const { yes, note } = program.opts<{ yes?: true; note: string }>();

const list = async (rewind: LogRewind, lost: readonly RememberedEvent[]): Promise<void> => {
  const { seen, head, commonPosition, noticedAt } = rewind;
  await print(`The log went back in time; noticed at ${noticedAt.toISOString()}.`);
  await print(
    `  A gateway had seen position ${seen.position}. The log ended at ${head.position} when that was noticed.`,
  );
  await print(`  Both histories are the same up to position ${commonPosition} at least.`);
  await print(`  The gateways remember ${counted(lost.length, 'event')} that the log does not have.`);
  for (const line of lostInWords(lost)) await print(line);
  await print('');
};

/** First the event, then the row: after an interruption between the two the command can be run again. */
const acknowledge = async (
  { store, url }: OpenDatabase,
  rewinds: LogRewinds,
  { id, seen, commonPosition }: LogRewind,
  lostEvents: number,
): Promise<void> => {
  const readable = await readableByLiveRuns(url);
  const committer = createCommitter({ store });
  const commands = createCommands({ store, committer, codec: journal, decider: logDecider, readable: () => readable });
  await commands.execute(
    LOG_STREAM,
    {
      ...{ type: 'AcknowledgeRewind', rewindId: id, commonPosition, lostEvents, note },
      ...{ seenPosition: seen.position, seenHash: seen.hash },
    },
    { actor: 'cli:acknowledge-rewind', commandId: `acknowledge-rewind/${id}` },
    { mayRepeat: true },
  );
  await committer.close();
  await rewinds.acknowledge(id);
};

const run = async (database: OpenDatabase): Promise<ExitCode> => {
  const rewinds = createLogRewinds(database.url);
  try {
    const rewind = await rewinds.open();
    if (!rewind) {
      await print('No gateway has noticed that the log went back in time, or it was acknowledged: nothing to do.');
      return 0;
    }
    const lost = await rewinds.events(rewind.id);
    await list(rewind, lost);
    if (!yes) {
      await print('No gateway takes completions until this is acknowledged: run the command again with -- --yes.');
      return 1;
    }
    await acknowledge(database, rewinds, rewind, lost.length);
    await print('Acknowledged. The gateways take completions again within a second or two.');
    return 0;
  } finally {
    await rewinds.close();
  }
};

await runOnDatabase('acknowledge-rewind', run);
