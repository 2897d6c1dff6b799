import { readLogClock } from '../eventstore/postgres/log-clock.ts';
import { knownSecretIds } from '../eventstore/secrets/secret-checks.ts';
import { decodeFact } from '../eventstore/journal/codec.ts';
import { createKeyOwners, type KeyOwners } from '../projections/views/key-owners.ts';
import { counted } from './terminal/counted.ts';
import { readLiveRuns, type LiveRun } from './terminal/live-runs.ts';
import type { OpenDatabase } from './terminal/open-database.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './terminal/run.ts';

const program = createProgram(
  'peppers',
  'Count the live API keys that depend on each pepper, and the running gateways that accept it. A key depends on the newest\n' +
    'pepper of its hashes; it is hashed with a new pepper when it is next used.',
)
  .usage('[options]')
  .option('--keys <pepper>', 'list the keys that depend on this pepper')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run peppers
  $ npm run peppers -- --keys 1
${EXIT_CODES}
The exit code is 1 if live keys depend on a pepper that a running gateway does not accept.`,
  )
  .allowExcessArguments(false)
  .parse();

const { keys: listed } = program.opts<{ keys?: string }>();

const PAGE = 1000;

const readOwners = async ({ store }: OpenDatabase): Promise<KeyOwners> => {
  const owners = createKeyOwners();
  const types = [...(owners.types ?? [])];
  for (let position = 0; ;) {
    const page = await store.readAll(position, PAGE, types);
    const last = page.at(-1);
    if (!last) return owners;
    position = last.position;
    await owners.apply(page.map(decodeFact), position, 0);
  }
};

const line = (pepper: string, keys: number, runs: readonly LiveRun[]): string => {
  const accepting = runs.filter(({ peppers }) => peppers.includes(pepper)).length;
  const by =
    runs.length === 0 ? 'no gateway is running' : `accepted by ${accepting} of ${counted(runs.length, 'gateway')}`;
  return `pepper ${pepper}: ${counted(keys, 'live key')}; ${by}`;
};

await runOnDatabase('peppers', async (database): Promise<ExitCode> => {
  const owners = await readOwners(database);
  const { now } = await readLogClock(database.url);
  const byPepper = owners.byPepper(await knownSecretIds(database.url, 'key_pepper'), now);
  if (listed !== undefined) {
    for (const { accountId, keyId } of byPepper.get(listed) ?? []) await print(`${accountId} ${keyId}`);
    return 0;
  }
  const runs = await readLiveRuns(database.rows);
  let missing = false;
  for (const [pepper, { length: keys }] of byPepper) {
    await print(line(pepper, keys, runs));
    missing ||= keys > 0 && runs.some(({ peppers }) => !peppers.includes(pepper));
  }
  const [newest = '', ...older] = byPepper.keys();
  const unused = older.filter((pepper) => byPepper.get(pepper)?.length === 0);
  if (unused.length > 0) {
    await print(
      `No live key depends on ${unused.join(', ')}: remove it from KISSAPI_KEY_PEPPERS_OLD. ${newest} stays.`,
    );
  }
  if (missing)
    console.error('peppers: a running gateway does not accept a pepper that live keys depend on: they get 401 there');
  return missing ? 1 : 0;
});
