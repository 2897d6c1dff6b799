import { generationIdsOf } from '../domain/generation-ids.ts';
import type { ChainedLog } from '../eventstore/chained-log.ts';
import { eventsOfRequest } from '../eventstore/journal/completion-events.ts';
import type { Database } from '../projections/database.ts';
import { LIVE } from '../projections/projection.ts';
import { createQueries, MAX_CANDIDATES } from '../projections/queries.ts';
import type { RequestRow } from '../projections/rows/requests.ts';
import { agrees, arithmetic, check, verdict, type Charge } from './account-history/arithmetic.ts';
import { findInLog, listedLines, tellRequest, type InLog } from './account-history/charge.ts';
import { counted } from './terminal/counted.ts';
import { CliFault } from './terminal/fault.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './terminal/run.ts';
import { plain } from './account-history/plain-text.ts';
import { endedHow, sentence } from './account-history/sentences.ts';

const program = createProgram(
  'explain',
  'Recompute a charge from the log: tokens by class, the price version, the rounding, the lots; and compare the result\n' +
    'with what was charged.',
)
  .usage('[options] <generation>')
  .argument('<generation>', 'generation id (gen-…), request id (req_…), or the id of the response at the provider')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run explain -- gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d
  $ npm run explain -- chatcmpl-BxYz123
  $ npm run explain -- req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d
${EXIT_CODES}
If the recomputation does not agree with the log, the exit code is 1. A provider may give one id to several generations:
then all of them are explained, the newest first. A request has a generation for each provider that it was sent to, in that
order. A request that left nothing in the log was not charged.`,
  )
  .parse();

const [generation = ''] = program.args;

type Found = InLog & { readonly row: RequestRow | undefined };

const isRequestId = /^req_[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/;

/** Searches the projection of requests, then the events that it does not contain yet. A request has all of its attempts. */
const find = async (database: Database, store: ChainedLog): Promise<readonly Found[]> => {
  const rows = await createQueries(database).findRequests(generation);
  const inRows = rows.map((row) => ({ accountId: row.account_id, requestId: row.request_id, row }));
  const isRequest = isRequestId.test(generation);
  if (rows.length > 0 && !isRequest) return inRows;
  const checkpoint = await database.oneOrNone<{ position: bigint }>(
    `select position from ${LIVE}.checkpoints where name = 'requests'`,
  );
  const wanted = isRequest ? generationIdsOf(generation) : [generation];
  const newer = await findInLog(store, wanted, Number(checkpoint?.position ?? 0n));
  const known = new Set(rows.map(({ request_id }) => request_id));
  const others = newer.filter(({ requestId }) => !known.has(requestId)).map((one) => ({ ...one, row: undefined }));
  // A later attempt has the id of the first one and a number behind it.
  return [...inRows, ...others].sort((a, b) => (a.requestId < b.requestId ? -1 : 1));
};

/** Prints the effects of a request without a completion. */
const explainRequest = async (store: ChainedLog): Promise<ExitCode> => {
  const events = await eventsOfRequest(store, generation);
  for (const { time, stream, revision, type, actor } of events) {
    await print(`${time.toISOString()}  ${stream}  #${revision}  ${type}  [${plain(actor)}]`);
  }
  await print(
    events.length > 0
      ? '\nNothing was charged: the request asked for no completion.'
      : `Nothing was charged. The log has nothing of ${generation}: it was refused, or it only read. Check the id.`,
  );
  return 0;
};

const explain = async (database: Database, store: ChainedLog): Promise<ExitCode> => {
  const found = await find(database, store);
  if (found.length === 0 && isRequestId.test(generation)) return explainRequest(store);
  if (found.length === 0) throw new CliFault(`There is no generation ${generation}. Check the id.`);
  if (found.length > 1 && !isRequestId.test(generation)) {
    const most = found.length === MAX_CANDIDATES ? 'at least ' : '';
    console.error(
      `explain: the provider gave this id to ${most}${counted(found.length, 'generation')}, explained here the newest first: ` +
        `${found.map(({ requestId }) => requestId).join(', ')}.`,
    );
  }
  let worst: ExitCode = 0;
  for (const [n, one] of found.entries()) {
    if (n > 0) await print('\n');
    if ((await explainOne(store, one)) === 1) worst = 1;
  }
  return worst;
};

const explainOne = async (store: ChainedLog, found: Found): Promise<ExitCode> => {
  const { events, charge, released } = await tellRequest(store, found.accountId, found.requestId);
  await print(`${found.requestId} of account ${found.accountId}\n`);
  for (const { time, revision, event } of events) {
    await print(`${time.toISOString()}  #${revision}  ${sentence(event)}`);
  }
  if (!charge) {
    await print(released ? '\nNothing was charged.' : '\nIt is still under way: nothing is charged yet.');
    return 0;
  }
  const { price, delivery, keyId } = charge.event;
  await print(`\n${plain(price.model)}, price version ${price.version}, with ${keyId}`);
  await print(`${endedHow(delivery)} after ${delivery.totalMs} ms; tokens ${delivery.usageSource}`);
  for (const anomaly of delivery.anomalies) await print(`odd: ${plain(anomaly)}`);
  const { row } = found;
  const projected = row?.status === 'settled' || row?.status === 'late' ? row : undefined;
  const whole: Charge = { ...charge, listed: await listedLines(store, price), projected };
  const checks = check(whole);
  await print(`\n${arithmetic(whole)}\n\n${verdict(checks)}`);
  return checks.every(agrees) ? 0 : 1;
};

await runOnDatabase('explain', ({ store, rows }) => explain(rows, store));
