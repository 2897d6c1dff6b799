import { isProduction } from '../config/config.ts';
import {
  moveLogClockForward,
  movedInWords,
  readLogClock,
  type ClockReading,
} from '../eventstore/postgres/log-clock.ts';
import { duration } from './terminal/duration.ts';
import { CliFault } from './terminal/fault.ts';
import type { OpenDatabase } from './terminal/open-database.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './terminal/run.ts';

const program = createProgram(
  'clock',
  'Show the clock of the log, or move it forward. Appends use it at once, running gateways within a second. For development:\n' +
    'notice periods, expiries and closed months pass without waiting. The clock never moves back, and not in production.',
)
  .usage('[options]')
  .option('--forward <duration>', 'move it forward: 14d, 36h, 90m or 30s', duration)
  .addHelpText(
    'after',
    `
Examples:
  $ npm start -- --clock 2026-08-01     (an empty log begins at this time)
  $ npm run clock
  $ npm run clock -- --forward 14d
${EXIT_CODES}`,
  )
  .allowExcessArguments(false)
  .parse();

const { forward } = program.opts<{ forward?: number }>();

const inWords = ({ now, movedMs }: ClockReading): string => `${now.toISOString()} (${movedInWords(movedMs)})`;

const clock = async ({ url }: OpenDatabase): Promise<ExitCode> => {
  if (forward === undefined) {
    await print(inWords(await readLogClock(url)));
    return 0;
  }
  // Of the shell; the database refuses as well if a production gateway was started on it.
  if (isProduction()) {
    throw new CliFault('NODE_ENV is production, and production runs in real time: the clock was not moved.');
  }
  await print(inWords(await moveLogClockForward(url, forward)));
  return 0;
};

await runOnDatabase('clock', clock);
