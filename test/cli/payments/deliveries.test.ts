import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDataKeys } from '../../../src/eventstore/secrets/data-keys.ts';
import { secretKey } from '../../../src/eventstore/secrets/sealed-bytes.ts';
import { createKeptDeliveries, DELIVERIES_KEY, migratePayments } from '../../../src/payments/kept-deliveries.ts';
import { runCommand } from '../../support/command.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { query } from '../../support/sql.ts';

const KEY = randomBytes(32);
const BODY = '{"eventType":"checkout.completed","object":{"customer":{"email":"ada@example.com"}}}';
let database: TestDatabase;

beforeAll(async () => {
  database = await createMigratedDatabase();
  await migratePayments(database.url);
  const masterKeys = [{ id: '1', key: secretKey(KEY) }] as const;
  const dataKeys = createDataKeys(database.url, masterKeys);
  const kept = createKeptDeliveries(
    database.url,
    () => dataKeys.obtain(DELIVERIES_KEY),
    () => new Date(),
  );
  const delivery = { eventId: 'evt_1', eventType: 'checkout.completed', reason: 'no payment of ours' };
  for (let n = 0; n < 2; n++) await kept.keep({ ...delivery, rawBody: Buffer.from(BODY) });
  await kept.close();
  await dataKeys.close();
});
afterAll(() => database.drop());

const deliveries = (...args: readonly string[]) =>
  runCommand('payments', ['deliveries', ...args], {
    env: { DATABASE_URL: database.url, KISSAPI_DATA_KEY: KEY.toString('base64') },
  });

it('lists kept deliveries without personal data, and shows the body of one', async () => {
  const { code, stdout } = await deliveries();
  expect(code).toBe(0);
  expect(stdout).toMatch(/ del_\w+ {2}checkout\.completed evt_1: no payment of ours, received 2 times\n$/);
  const [, id = ''] = /(del_\w+)/.exec(stdout) ?? [];
  expect(await deliveries(id)).toMatchObject({ code: 0, stdout: `${BODY}\n` });
  const [row] = await query<{ row: string }>(database.url, `select encode(body, 'escape') as row from kept_deliveries`);
  expect(row?.row).not.toContain('ada@example.com');
});

it('names a delivery that is not kept', async () =>
  expect((await deliveries('del_0')).stderr).toContain('There is no kept delivery del_0'));
