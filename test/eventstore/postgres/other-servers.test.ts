import { afterAll, beforeAll, describe, it } from 'vitest';
import { createPostgresStore, migratePostgresStore } from '../../../src/eventstore/postgres/postgres.ts';
import { chainedLogContract } from '../chained-log.contract.ts';
import { putLogBack } from '../signed-logs.ts';
import { createDatabaseOn, NO_OTHER_SERVER, otherServers, type OtherServer } from './other-servers.ts';

/** An image may have to be downloaded first. */
const START_WITHIN_MS = 300_000;

const contractOn = ({ name, start }: OtherServer): void => {
  describe(name, () => {
    let server: Awaited<ReturnType<OtherServer['start']>>;
    let database: Awaited<ReturnType<typeof createDatabaseOn>>;
    beforeAll(async () => {
      server = await start();
      database = await createDatabaseOn(server.url);
      await migratePostgresStore(database.url);
    }, START_WITHIN_MS);
    afterAll(async () => {
      await database.drop();
      await server.stop();
    });

    chainedLogContract(`the log in ${name}`, {
      create: () => Promise.resolve(createPostgresStore(database.url)),
      goBackTo: (position) => putLogBack(database.url, position),
    });
  });
};

const servers = await otherServers(process.env['DOCKER_HOST']);
servers.forEach(contractOn);
if (servers.length === 0) {
  it.skip(NO_OTHER_SERVER, () => undefined);
  if (process.env['TEST_DATABASE_URL'] === undefined) process.stderr.write(`${NO_OTHER_SERVER}\n`);
}
