import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { StoreUnavailable } from '../../src/eventstore/event-store.ts';
import { createIdentityDatabase } from '../../src/identity/database.ts';
import { createSessions } from '../../src/identity/sessions.ts';
import { createMigratedDatabase } from '../support/database.ts';
import { query, takeAway } from '../support/sql.ts';

it('a database that cannot be reached is a fault of the store, and its message has no secret', async () => {
  const own = await createMigratedDatabase();
  const database = createIdentityDatabase(own.url);
  const sessions = createSessions({ database, now: () => new Date(), randomBytes });
  const { token } = await sessions.create({ personId: 'per_1', kind: 'customer' });
  const bringBack = await takeAway(own.url);
  const failed: unknown = await sessions.find(token).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(StoreUnavailable);
  expect(String(failed)).not.toContain(token);
  await bringBack();
  expect(await sessions.find(token)).toBeDefined();
  await database.close();
  await own.drop();
});

it('a transaction that fails leaves nothing, and its connection is used again', async () => {
  const own = await createMigratedDatabase();
  const database = createIdentityDatabase(own.url);
  const insert = `insert into attempt_limits (key, full_at) values ('a', now())`;
  for (let n = 0; n < 10; n++) {
    const failed = database.transaction(async (inTransaction) => {
      await inTransaction(insert);
      throw new Error('not this time');
    });
    await expect(failed).rejects.toThrow('not this time');
  }
  expect(await query(own.url, 'select from attempt_limits')).toEqual([]);
  await database.transaction((inTransaction) => inTransaction(insert));
  expect(await query(own.url, 'select from attempt_limits')).toHaveLength(1);
  await database.close();
  await own.drop();
});
