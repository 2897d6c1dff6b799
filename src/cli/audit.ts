import { setTimeout as sleep } from 'node:timers/promises';
import { accountStream } from '../domain/account/account.ts';
import { auditLog, type LogAudit } from '../projections/audit/audit-log.ts';
import { OtherVersion, readPositions, type Difference, type Positions } from '../projections/audit/audit.ts';
import type { Database } from '../projections/database.ts';
import { counted } from './terminal/counted.ts';
import { CliFault } from './terminal/fault.ts';
import type { OpenDatabase } from './terminal/open-database.ts';
import { createBar } from './terminal/progress.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './terminal/run.ts';
import { plain } from './account-history/plain-text.ts';

const program = createProgram(
  'audit',
  'Compare every row of balances, requests and daily_usage with the log: each account is folded from its first event\n' +
    'on, and each request, and the sums over all. The gateway may keep running.',
)
  .usage('[options]')
  .option('--account <id>', 'audit only this account, such as acc_3f1c9a7be2d04c5d8a6b1e20')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run audit
  $ npm run audit -- --account acc_3f1c9a7be2d04c5d8a6b1e20
${EXIT_CODES}
Each difference is a line: account, field, value in the log, value in the row. Money is in nano-USD.
The log is what counts: npm run rebuild -- <projection> makes rows that differ anew. An event that was changed together
with its row agrees with it, and is not found here: npm run verify finds it.`,
  )
  .allowExcessArguments(false)
  .parse();

const { account: accountId } = program.opts<{ account?: string }>();

/** While a gateway runs, rows follow the log with a short delay. Without a gateway they do not move. */
const CATCH_UP_WITHIN_MS = 30_000;
const MOVE_WITHIN_MS = 2000;
/** The most differences that are printed. */
const MAX_LINES = 1000;

const behind = (positions: Positions, head: number): readonly string[] =>
  Object.entries(positions).flatMap(([name, at]) =>
    at < head ? [`${name} is ${counted(head - at, 'event')} behind`] : [],
  );

/** Waits until the rows contain all events that were in the log at the start, or stop moving. */
const catchUp = async (database: Database, head: number): Promise<void> => {
  const since = performance.now();
  let moved = { at: since, sum: -1 };
  for (let now = since; now - since < CATCH_UP_WITHIN_MS && now - moved.at < MOVE_WITHIN_MS; now = performance.now()) {
    const positions = await readPositions(database);
    if (behind(positions, head).length === 0) return;
    const sum = Object.values(positions).reduce((total, at) => total + at, 0);
    if (sum !== moved.sum) moved = { at: now, sum };
    await sleep(100);
  }
};

const line = ({ accountId, what, log, row }: Difference): string =>
  plain(`${accountId ?? 'all accounts'}  ${what}: the log says ${log}, the row ${row}`);

const audit = async ({ store, rows: database }: OpenDatabase): Promise<ExitCode> => {
  if (accountId !== undefined && (await store.readStream(accountStream(accountId), 0, 1)).length === 0) {
    throw new CliFault(`There is no account ${accountId}. Check the id.`);
  }
  const head = await store.head();
  await catchUp(database, head);
  const bar = createBar('audit');
  bar.start(0, 0);
  const found: Difference[] = [];
  let count = 0;
  const audited: LogAudit = await auditLog({
    database,
    store,
    accountId,
    found: (difference) => {
      if (count++ < MAX_LINES) found.push(difference);
    },
    progress: (position, target) => {
      bar.setTotal(target);
      bar.update(position);
    },
  }).finally(() => bar.stop());

  for (const difference of found) await print(line(difference));
  if (count > found.length) await print(`… and ${count - found.length} more`);
  const { positions, accounts, requests } = audited;
  const upTo = `up to event ${Math.min(...Object.values(positions))}`;
  const many = `${counted(accounts, 'account')}, ${counted(requests, 'request')}, ${upTo}`;
  await print(count === 0 ? `All as the log says: ${many}.` : `${counted(count, 'difference')}: ${many}.`);
  const late = behind(positions, head);
  if (late.length > 0) {
    console.error(`audit: ${late.join(', ')}: what came after is not audited. Start the gateway, which catches up.`);
  }
  return count > 0 ? 1 : late.length > 0 ? 2 : 0;
};

await runOnDatabase('audit', (opened) =>
  audit(opened).catch((error: unknown) => {
    if (!(error instanceof OtherVersion)) throw error;
    throw new CliFault(`${error.message}: start the gateway of this version once, or run the rebuild.`, {
      cause: error,
    });
  }),
);
