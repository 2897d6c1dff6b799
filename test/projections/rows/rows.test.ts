import type { ITask } from 'pg-promise';
import { beforeEach, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { noUsage } from '../../../src/domain/money.ts';
import type { Recorded } from '../../../src/eventstore/journal/codec.ts';
import { balances, type BalanceRow } from '../../../src/projections/rows/balances.ts';
import { dailyUsage } from '../../../src/projections/rows/daily-usage.ts';
import type { Database } from '../../../src/projections/database.ts';
import { LIVE, type Projection } from '../../../src/projections/projection.ts';
import { requests, type RequestRow } from '../../../src/projections/rows/requests.ts';
import { applyEvents, createTable, digest, lockCheckpoint } from '../../../src/projections/rows/rows.ts';
import { delivery, drawn, registered, released, reserved, settled, toppedUp } from '../../domain/account/examples.ts';
import { asProjection, createLog, useDatabases } from '../log.ts';

const databases = useDatabases(2);

/** Twenty accounts, in turn: each topped up, and charged for some requests. */
const someHistory = async (rounds = 30): Promise<readonly Recorded[]> => {
  const log = createLog();
  for (let n = 0; n < 20; n++) await log.append(accountStream(`acc_${n}`), registered, toppedUp(1_000_000n));
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < 20; n++) {
      const id = `req_${n}_${round}`;
      await log.append(accountStream(`acc_${n}`), reserved(100n, id));
      const end =
        round % 3 === 0
          ? released(100n, id)
          : settled(60, { held: 100n, charged: 60n, released: 40n, drawn: [drawn(60n)] }, id);
      await log.append(accountStream(`acc_${n}`), end);
    }
  }
  return log.recorded();
};

const inBatches = (events: readonly Recorded[], size: number): readonly (readonly Recorded[])[] =>
  Array.from({ length: Math.ceil(events.length / size) }, (_, n) => events.slice(n * size, (n + 1) * size));

const checkpoint = async (projection: Projection): Promise<number> =>
  (await databases.first.tx((tx) => lockCheckpoint(tx, projection, LIVE))).position;

const createAnew = async (projection: Projection): Promise<void> => {
  await databases.first.none(`drop table if exists ${LIVE}.${projection.name}`);
  await databases.first.none(`delete from ${LIVE}.checkpoints where name = $1`, [projection.name]);
  await createTable(databases.first, projection, LIVE);
};

for (const projection of [balances, requests, dailyUsage].map(asProjection)) {
  describe(`the rows of ${projection.name}`, () => {
    let events: readonly Recorded[];
    beforeEach(async () => {
      events = await someHistory();
      await createAnew(projection);
    });

    const apply = (batch: readonly Recorded[], node = 0): Promise<number> =>
      applyEvents(databases.all[node] ?? databases.first, projection, LIVE, batch);
    const rowsAndCheckpoint = async (): Promise<unknown> => [
      await digest(databases.first, projection, LIVE),
      await checkpoint(projection),
    ];

    it('are the same however the log was cut into batches', async () => {
      await apply(events);
      const atOnce = await rowsAndCheckpoint();
      await createAnew(projection);
      for (const batch of inBatches(events, 7)) await apply(batch);
      expect(await rowsAndCheckpoint()).toEqual(atOnce);
      expect(await checkpoint(projection)).toBe(events.at(-1)?.position);
    });

    it('count an event once, however often and in whatever overlap it comes', async () => {
      await apply(events);
      const once = await rowsAndCheckpoint();
      expect(await apply(events)).toBe(events.length);
      expect(await apply(events.slice(0, 10))).toBe(events.length);
      expect(await rowsAndCheckpoint()).toEqual(once);

      await createAnew(projection);
      for (let from = 0; from < events.length; from += 50) await apply(events.slice(Math.max(0, from - 20), from + 50));
      expect(await rowsAndCheckpoint()).toEqual(once);
    });

    it('count an event once, though two nodes apply it at once', async () => {
      await apply(events);
      const once = await rowsAndCheckpoint();
      await createAnew(projection);
      for (const batch of inBatches(events, 40)) {
        const reached = await Promise.all([apply(batch, 0), apply(batch, 1), apply(batch, 0), apply(batch, 1)]);
        expect(new Set(reached)).toEqual(new Set([batch.at(-1)?.position]));
      }
      expect(await rowsAndCheckpoint()).toEqual(once);
    });

    it('refuse a batch that leaves an event out', async () => {
      await apply(events.slice(0, 100));
      const before = await rowsAndCheckpoint();
      await expect(apply(events.slice(101))).rejects.toThrow(`was given 102 after 100`);
      expect(await rowsAndCheckpoint()).toEqual(before);
    });

    it('stay as they were where an event cannot be folded', async () => {
      await apply(events.slice(0, 100));
      const before = await rowsAndCheckpoint();
      const failing: Projection = {
        ...projection,
        keysOf: (recorded) => {
          if (recorded.position === 150) throw new Error('this one is too much');
          return projection.keysOf(recorded);
        },
      };
      await expect(applyEvents(databases.first, failing, LIVE, events.slice(100))).rejects.toThrow('too much');
      expect(await rowsAndCheckpoint()).toEqual(before);
    });

    it('are left alone by software of another version', async () => {
      const other = { ...projection, version: projection.version + 1 };
      await expect(applyEvents(databases.first, other, LIVE, events)).rejects.toThrow(
        `projection ${projection.name} is at version ${projection.version} in the database`,
      );
      expect(await checkpoint(projection)).toBe(0);
    });

    it('take nothing for nothing', async () => {
      expect(await apply([])).toBe(0);
    });
  });
}

describe('a row', () => {
  beforeEach(async () => {
    for (const projection of [balances, requests].map(asProjection)) await createAnew(projection);
  });

  const rowsOf = async <Row>(projection: Projection, ...events: readonly AccountEvent[]): Promise<readonly Row[]> => {
    const log = createLog();
    await log.append(accountStream('acc_1'), ...events);
    await applyEvents(databases.first, projection, LIVE, await log.recorded());
    return databases.first.any<Row>(`select * from ${LIVE}.${projection.name}`);
  };
  const charge = { held: 5n, charged: 1n, released: 4n, drawn: [drawn(1n)] };

  it('keeps amounts exactly, where floats could not', async () => {
    const much = 9_007_199_254_740_993n; // 2^53 + 1
    expect(await rowsOf<BalanceRow>(asProjection(balances), registered, toppedUp(much))).toEqual([
      {
        account_id: 'acc_1',
        topped_up: much,
        charged: 0n,
        expired: 0n,
        ...{ reversed: 0n, repaid: 0n, refunded: 0n, charged_back: 0n, forfeited: 0n, waived: 0n },
        ...{ held_for_refund: 0n, frozen: 0n, debt: 0n, locks: null, next_end: null, endings: null },
        closed_at: null,
        written_off: 0n,
        held: 0n,
        open_holds: 0,
        revision: 1,
      },
    ]);
  });

  // One answer of one provider must not stop the books of all.
  it('takes whatever text a provider sends', async () => {
    const hostile = { ...delivery, upstreamId: 'id\u0000with\ud800', finishReason: `'"\\\u0000\udfff` };
    const end = { ...settled(1, charge), delivery: hostile };
    const [row] = await rowsOf<RequestRow>(asProjection(requests), registered, toppedUp(10n), reserved(5n), end);
    expect(row).toMatchObject({ upstream_id: 'id\ufffdwith\ufffd', finish_reason: `'"\\\ufffd\ufffd` });
  });

  it('takes texts of a provider that are longer than an index takes', async () => {
    const long = Array.from({ length: 20_000 }, (_, n) =>
      String.fromCodePoint(0x4e00 + ((n * n * 7919) % 20_000)),
    ).join('');
    const end = { ...settled(1, charge), delivery: { ...delivery, upstreamId: long, finishReason: long } };
    const [row] = await rowsOf<RequestRow>(asProjection(requests), registered, toppedUp(10n), reserved(5n), end);
    expect(row).toMatchObject({ status: 'settled', upstream_id: long.slice(0, 500), finish_reason: long });
  });

  it('takes as many tokens as the log does', async () => {
    const usage = { ...noUsage, output: Number.MAX_SAFE_INTEGER };
    const end = { ...settled(1, charge), usage };
    const [row] = await rowsOf<RequestRow>(asProjection(requests), registered, toppedUp(10n), reserved(5n), end);
    expect(row?.output_tokens).toBe(BigInt(Number.MAX_SAFE_INTEGER));
  });
});

describe('a node that is stopped while it has the checkpoint', () => {
  const projection = asProjection(balances);
  beforeEach(() => createAnew(projection));

  it('does not keep the rows from the others, and finds when it wakes up that they went on', async () => {
    const events = await someHistory();
    let [locked, resume] = [(): void => undefined, (): void => undefined];
    const isLocked = new Promise<void>((resolve) => (locked = resolve));
    const resumed = new Promise<void>((resolve) => (resume = resolve));
    const stopping = (tx: ITask<object>): ITask<object> =>
      Object.assign(Object.create(tx) as ITask<object>, {
        oneOrNone: async (...query: Parameters<typeof tx.oneOrNone>): Promise<unknown> => {
          const row: unknown = await tx.oneOrNone(...query);
          locked();
          await resumed;
          return row;
        },
      });
    const database = {
      tx: <T>(work: (tx: ITask<object>) => Promise<T>) => databases.first.tx((tx) => work(stopping(tx))),
    } as Database;

    const stopped = applyEvents(database, projection, LIVE, events.slice(0, 100)).catch((error: unknown) => error);
    await isLocked;
    expect(await applyEvents(databases.all[1] ?? databases.first, projection, LIVE, events)).toBe(events.length);
    resume();
    expect(await stopped).toBeInstanceOf(Error);
    expect(await applyEvents(databases.first, projection, LIVE, events.slice(0, 100))).toBe(events.length);
  });
});
