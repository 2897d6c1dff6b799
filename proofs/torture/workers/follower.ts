import { join } from 'node:path';
import { decodeFact } from '../../../src/eventstore/journal/codec.ts';
import { createPostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { followLog } from '../../../src/projections/follow.ts';
import { openRecords } from '../records.ts';
import { untilToldToStop } from './until-told-to-stop.ts';

/** A process that follows the log as the gateway's look-ups do, and records the deliveries in order. */
export type FollowerSettings = { readonly name: string; readonly databaseUrl: string; readonly directory: string };

const { name, databaseUrl, directory } = JSON.parse(process.argv[2] ?? '') as FollowerSettings;
const stop = untilToldToStop();
const store = createPostgresStore(databaseUrl);
// After a failure it continues at the position in memory; only a new process reads the end of the file.
const delivered = openRecords(join(directory, `${name}.delivered`));

const follower = followLog({
  decode: decodeFact,
  store,
  consumer: {
    name,
    position: () => delivered.position,
    apply: (events) => {
      delivered.append(events);
      return delivered.position;
    },
  },
  gatherMs: 0,
  failed: () => undefined,
});

await new Promise((resolve) => stop.addEventListener('abort', resolve));
await follower.close();
await store.close();
