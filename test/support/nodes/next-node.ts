import { decodeFact } from '../../../src/eventstore/journal/codec.ts';
import { openLog } from '../stores/log.ts';
import { createDatabase } from '../../../src/projections/database.ts';
import { followLog } from '../../../src/projections/follow.ts';
import { liveProjections, projections } from '../../../src/projections/rows/live.ts';
import { bringUpToDate } from '../../../src/projections/rebuild/rebuild.ts';
import { nextBalances } from './next-balances.ts';

/**
 * A node of the next release, as far as rows go, in a process of its own: `node next-node.ts <database URL>`. It follows,
 * brings its projections up to date, and says what it does, a line each.
 */
const [, , databaseUrl = ''] = process.argv;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const store = openLog(databaseUrl);
const database = createDatabase(databaseUrl);
const next = projections.map((projection) => (projection.name === nextBalances.name ? nextBalances : projection));
const consumer = liveProjections(database, store, ({ version }) => say(`balances at version ${version}`), next);
const rows = followLog({
  store,
  decode: decodeFact,
  consumer,
  gatherMs: 20,
  failed: (_, error) => say(`failed: ${String(error)}`),
});
await bringUpToDate(database, store, next, (name, at, target) => say(`${name} at ${at} of ${target}`), {
  tookOver: (name, { same, before, version }) => say(`${name} took over: ${before} to ${version}, same ${same}`),
});
say('up to date');
process.once('SIGTERM', () => {
  void rows.close().then(async () => {
    await store.close();
    await database.$pool.end();
  });
});
