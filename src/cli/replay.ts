import { InvalidArgumentError } from 'commander';
import { accountOfStream } from '../domain/account/account.ts';
import { generationIdsOf } from '../domain/generation-ids.ts';
import { formatUsd } from '../domain/money.ts';
import { eventsOfRequest } from '../eventstore/journal/completion-events.ts';
import { readLogClock } from '../eventstore/postgres/log-clock.ts';
import { createQueries } from '../projections/queries.ts';
import { tellStory, type Chapter, type Until } from './account-history/history.ts';
import { createActorNames } from './account-history/actors.ts';
import { CliFault } from './terminal/fault.ts';
import { findHolder, type FoundHolder } from './account-history/holder.ts';
import { moment } from './terminal/arguments.ts';
import type { OpenDatabase } from './terminal/open-database.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './terminal/run.ts';
import { line, paymentBehind, sentence, summary, type Holder } from './account-history/sentences.ts';

const revision = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, from 0.');
  return Number(text);
};

const program = createProgram(
  'replay',
  "Tell an account's story from the log: each event as a sentence, and the balance after it.",
)
  .usage('[options] <account>')
  .argument(
    '<account>',
    'the account, such as acc_3f1c9a7be2d04c5d8a6b1e20, or a request (req_…) to see only its events',
  )
  .option('--at <time>', 'stop at a moment (ISO 8601 with a zone)', moment)
  .option('--revision <n>', 'stop at a revision', revision)
  .option('--json', 'one JSON object per line: the events, then the summary')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run replay -- acc_3f1c9a7be2d04c5d8a6b1e20
  $ npm run replay -- acc_3f1c9a7be2d04c5d8a6b1e20 --at 2026-01-31T10:00:00Z
  $ npm run --silent replay -- acc_3f1c9a7be2d04c5d8a6b1e20 --json | jq 'select(.type == "HoldSettled")'
${EXIT_CODES}
The holder's name and e-mail address are sealed: KISSAPI_DATA_KEY opens them, or the key in KISSAPI_DATA. Without it all
else is told. A seal that the account's own key does not open makes the exit code 1.`,
  )
  .parse();

type Options = Until & { readonly json?: true };
const { json, ...until } = program.opts<Options>();
if (until.at && until.revision !== undefined) program.error('error: give --at or --revision, not both');
const [asked = ''] = program.args;
let accountId = asked;

const asJson = (chapter: Chapter, holder: Holder): string => {
  const { revision, position, time, event, metadata } = chapter.recorded;
  const payment = paymentBehind(chapter);
  return JSON.stringify({
    ...{ revision, position, time, type: event.type, sentence: sentence(event, holder), actor: metadata.actor },
    ...(payment === undefined ? {} : { payment_id: payment }),
    balance_usd: formatUsd(chapter.balance),
    held_usd: formatUsd(chapter.held),
    locked_usd: formatUsd(chapter.locked),
    available_usd: formatUsd(chapter.available),
    debt_usd: formatUsd(chapter.debt),
  });
};

const summaryAsJson = ({ account: { standing, wallet }, recorded, ...chapter }: Chapter): string =>
  JSON.stringify({
    summary: {
      ...{ account_id: accountId, revision: recorded.revision, time: recorded.time, status: standing.status },
      balance_usd: formatUsd(chapter.balance),
      held_usd: formatUsd(chapter.held),
      locked_usd: formatUsd(chapter.locked),
      available_usd: formatUsd(chapter.available),
      debt_usd: formatUsd(chapter.debt),
      topped_up_usd: formatUsd(wallet.toppedUp),
      charged_usd: formatUsd(wallet.charged),
      reversed_usd: formatUsd(wallet.reversed),
      repaid_usd: formatUsd(wallet.repaid),
      refunded_usd: formatUsd(wallet.refunded),
      charged_back_usd: formatUsd(wallet.chargedBack),
      expired_usd: formatUsd(wallet.expired),
      forfeited_usd: formatUsd(wallet.forfeited),
      waived_usd: formatUsd(wallet.waived),
      open_holds: wallet.holds.size,
    },
  });

const belongsTo = ({ recorded: { event, metadata } }: Chapter, requestId: string): boolean =>
  metadata.correlationId === requestId ||
  ('requestId' in event && generationIdsOf(requestId).includes(event.requestId));

/** Prints the events of one HTTP request, on any account. */
const tellHttpRequest = async ({ url, store, rows }: OpenDatabase): Promise<ExitCode> => {
  const nameOf = createActorNames(url, store);
  const queries = createQueries(rows);
  const generations = await queries.findRequests(asked);
  const events = await eventsOfRequest(store, asked);
  const accounts = new Set([
    ...generations.map(({ account_id }) => account_id),
    ...events.flatMap(({ stream }) => accountOfStream(stream) ?? []),
  ]);
  for (accountId of accounts) {
    await print(`${accountId}:`);
    for await (const chapter of tellStory(store, accountId, until)) {
      if (!belongsTo(chapter, asked)) continue;
      await print(
        json ? asJson(chapter, 'sealed') : line(chapter, 'sealed', await nameOf(chapter.recorded.metadata.actor)),
      );
    }
  }
  if (accounts.size === 0)
    await print(`Nothing was charged. The log has nothing of ${asked}: it was refused, or it only read.`);
  return 0;
};

const replay = async (database: OpenDatabase): Promise<ExitCode> => {
  if (until.at && until.at > (await readLogClock(database.url)).now) {
    throw new CliFault(`${until.at.toISOString()} is yet to come: --at takes a time in the past.`);
  }
  if (asked.startsWith('req_')) return tellHttpRequest(database);
  const { store, url } = database;
  const nameOf = createActorNames(url, store);
  let last: Chapter | undefined;
  let found: FoundHolder = { holder: 'sealed' };
  for await (const chapter of tellStory(store, accountId, until)) {
    const { event, metadata } = chapter.recorded;
    if (event.type === 'AccountRegistered') found = await findHolder(url, accountId, event.personal);
    await print(json ? asJson(chapter, found.holder) : line(chapter, found.holder, await nameOf(metadata.actor)));
    last = chapter;
  }
  if (!last) {
    const [first] = await store.readStream(`account-${accountId}`, 0, 1);
    throw new CliFault(
      first
        ? `${accountId} did not exist at that time: it was registered at ${first.time.toISOString()}.`
        : `There is no account ${accountId}. Check the id.`,
    );
  }
  if (until.revision !== undefined && last.recorded.revision < until.revision) {
    throw new CliFault(`${accountId} has not come to revision ${until.revision}: this was all.`);
  }
  await print(json ? summaryAsJson(last) : `\n${summary(last.account, last, found.holder)}`);
  if (found.trouble !== undefined) console.error(`replay: ${found.trouble}`);
  return found.broken ? 1 : 0;
};

await runOnDatabase('replay', replay);
