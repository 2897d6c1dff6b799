import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { decode, encode } from '../../src/eventstore/journal/codec.ts';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { openLog } from '../support/stores/log.ts';
import { storeEnv } from '../support/stores/store-env.ts';
import { LIVE } from '../../src/projections/projection.ts';
import { requests } from '../../src/projections/rows/requests.ts';
import { applyEvents, createTable, digest, readCheckpoint } from '../../src/projections/rows/rows.ts';
import { drawn, registered, reserved, settled, toppedUp } from '../domain/account/examples.ts';
import { asProjection, useDatabases } from './log.ts';

const databases = useDatabases();
const projection = asProjection(requests);
const ACCOUNTS = 20;

let store: ChainedLog;
let turn = 0;
const revisions = new Map<number, number>();
const append = async (account: number, events: readonly AccountEvent[]): Promise<void> => {
  const expectedRevision = revisions.get(account) ?? -1;
  revisions.set(account, expectedRevision + events.length);
  const encoded = events.map((event) => encode(event, randomUUID(), { actor: 'test', commandId: 'test' }));
  await store.append([
    { stream: accountStream(`acc_${account}`), expected: { revision: expectedRevision }, events: encoded },
  ]);
};
const charge = (account: number, count: number): Promise<void> => {
  const ids = Array.from({ length: count }, () => `req_${turn++}`);
  const money = { held: 10n, charged: 6n, released: 4n, drawn: [drawn(6n)] };
  return append(account, [...ids.map((id) => reserved(10n, id)), ...ids.map((id) => settled(6, money, id))]);
};
/** As a gateway does that goes on beside. */
const follow = async (): Promise<void> => {
  await store.head(); // A copy of the log has by then all that was appended.
  const at = await readCheckpoint(databases.first, projection, LIVE);
  const events = (await store.readAll(at?.position ?? 0, 100_000)).map(decode);
  await applyEvents(databases.first, projection, LIVE, events);
};

beforeAll(async () => {
  store = openLog(databases.url());
  await createTable(databases.first, projection, LIVE);
  for (let account = 0; account < ACCOUNTS; account++) {
    await append(account, [registered, toppedUp(1_000_000_000n)]);
    await charge(account, 800);
  }
  await follow();
});
afterAll(() => store.close());

/** How far a rebuild is that is under way or was killed; undefined where there is none. */
const built = async (): Promise<number | undefined> => {
  const schema = `rebuild_${projection.name}`;
  return (await readCheckpoint(databases.first, projection, schema).catch(() => undefined))?.position;
};

const startRebuild = () => {
  const child = spawn(process.execPath, ['src/cli/rebuild.ts', projection.name], {
    env: { ...storeEnv(), DATABASE_URL: databases.url() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (text) => (said += text));
  const ended = once(child, 'close');
  return { child, ended, said: () => said };
};

describe('a rebuild that is killed', () => {
  it('at any moment, goes on from where it was, to the same bytes', async () => {
    let halfWay = 0;
    for (let n = 0; n < 20 && halfWay < 5; n++) {
      const { child, ended } = startRebuild();
      const before = await built();
      const isOver = (): boolean => child.exitCode !== null;
      while (!isOver() && ((await built()) ?? 0) <= (before ?? 0)) await sleep(1);
      await sleep(Math.random() * 30 * n);
      child.kill('SIGKILL');
      await ended;
      const left = await built();
      if (left !== undefined && left > 0) halfWay++;
      // No half of anything is ever seen in the live rows.
      expect(await digest(databases.first, projection, LIVE)).toMatchObject({ rows: turn });
      await charge(n % ACCOUNTS, 10);
      await follow();
    }
    expect(halfWay).toBeGreaterThan(0);

    const right = await digest(databases.first, projection, LIVE);
    const left = (await built()) ?? 0;
    const { ended, said, child } = startRebuild();
    await ended;
    const head = await store.head();
    expect({ code: child.exitCode, said: said() }).toMatchObject({
      code: 0,
      said: expect.stringContaining(
        `${turn} rows up to event ${head}, md5 ${right.md5}; ${head - left} events`,
      ) as unknown,
    });
    expect(said()).toContain('the same as the live rows');
    expect(await digest(databases.first, projection, LIVE)).toEqual(right);
    expect(await built()).toBeUndefined();
  }, 120_000);
});
