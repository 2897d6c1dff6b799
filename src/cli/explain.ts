import type { EventStore } from '../eventstore/event-store.ts';
import type { Database } from '../projections/database.ts';
import { LIVE } from '../projections/projection.ts';
import { createQueries } from '../projections/queries.ts';
import type { RequestRow } from '../projections/requests.ts';
import { agrees, arithmetic, check, verdict, type Charge } from './arithmetic.ts';
import { findInLog, listedRates, tellRequest } from './charge.ts';
import { CliFault } from './fault.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './run.ts';
import { endedHow, plain, sentence } from './sentences.ts';

const program = createProgram(
  'explain',
  'Work a charge out again from the log: tokens by class, the price version, the rounding, the lots; and say whether\n' +
    'the result is what was charged.',
)
  .usage('[options] <generation>')
  .argument('<generation>', 'its id (gen-…), or the id that the provider gave the response')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run explain -- gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d
  $ npm run explain -- chatcmpl-BxYz123
${EXIT_CODES}
Where the recomputation does not agree with the log, the exit code is 1.`,
  )
  .parse();

const [generation = ''] = program.args;

type Found = { readonly accountId: string; readonly requestId: string; readonly row: RequestRow | undefined };

/** By the projection of requests; what it has not come to yet is looked for in the rest of the log. */
const find = async (database: Database, store: EventStore): Promise<Found> => {
  const row = await createQueries(database).findRequest(generation);
  if (row) return { accountId: row.account_id, requestId: row.request_id, row };
  const checkpoint = await database.oneOrNone<{ position: bigint }>(
    `select position from ${LIVE}.checkpoints where name = 'requests'`,
  );
  const accountId = await findInLog(store, generation, Number(checkpoint?.position ?? 0n));
  if (accountId === undefined) throw new CliFault(`There is no generation ${generation}. Check the id.`);
  return { accountId, requestId: generation, row: undefined };
};

const explain = async (database: Database, store: EventStore): Promise<ExitCode> => {
  const found = await find(database, store);
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
  const whole: Charge = { ...charge, listed: await listedRates(store, price), projected };
  const checks = check(whole);
  await print(`\n${arithmetic(whole)}\n\n${verdict(checks)}`);
  return checks.every(agrees) ? 0 : 1;
};

await runOnDatabase('explain', ({ store, rows }) => explain(rows, store));
