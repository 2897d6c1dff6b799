import { beforeAll, describe, expect, it } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import { projections } from '../../src/projections/rows/live.ts';
import { LIVE } from '../../src/projections/projection.ts';
import { createQueries, type Queries, type WantedRequests } from '../../src/projections/queries.ts';
import { bringUpToDate } from '../../src/projections/rebuild/rebuild.ts';
import { applyEvents } from '../../src/projections/rows/rows.ts';
import {
  closed,
  delivery,
  drawn,
  paid,
  registered,
  released,
  reserved,
  settled,
  toppedUp,
} from '../domain/account/examples.ts';
import { ended, endingGrant, heldForRefund, reversed } from '../domain/account/refunds/examples.ts';
import { query } from '../support/sql.ts';
import { createLog, useDatabases } from './log.ts';

const databases = useDatabases();
const charge = { held: 20n, charged: 7n, released: 13n, drawn: [drawn(7n)] };
const of = (runId: string, requestId: string) => ({ ...reserved(20n, requestId), runId });

describe('queries', () => {
  let queries: Queries;
  beforeAll(async () => {
    const log = createLog();
    await bringUpToDate(databases.first, log.store, projections, () => undefined);
    await log.append(accountStream('acc_1'), registered, toppedUp(1000n));
    await log.append(accountStream('acc_2'), registered, toppedUp(1000n, 'lot_2'));
    await log.append(accountStream('acc_1'), of('run_1', 'gen-1'), settled(7, charge, 'gen-1'));
    await log.append(accountStream('acc_1'), of('run_1', 'gen-2'), of('run_2', 'gen-3'), released(20n, 'gen-2'));
    await log.append(accountStream('acc_2'), of('run_3', 'gen-4'), of('run_1', 'gen-5'));
    await log.append(accountStream('acc_3'), registered, toppedUp(1000n, 'lot_3'));
    for (const id of ['gen-6', 'gen-7']) {
      const events = [of('run_1', id), settled(7, charge, id)].map((event) => ({ ...event, keyId: 'key_3' }));
      await log.append(accountStream('acc_3'), ...events);
    }
    const [first, second, third] = ['gen-a-b', 'gen-a-b-2', 'gen-a-b-3'] as const;
    for (const id of [first, second]) await log.append(accountStream('acc_2'), of('run_1', id), released(20n, id));
    const last = [of('run_1', third), settled(7, charge, third)].map((event) => ({ ...event, keyId: 'key_4' }));
    await log.append(accountStream('acc_2'), ...last);
    for (const projection of projections) await applyEvents(databases.first, projection, LIVE, await log.recorded());
    queries = createQueries(databases.first);
  });

  it('find a request by either id, of its own account alone', async () => {
    expect(await queries.findRequest('gen-1')).toMatchObject({ request_id: 'gen-1', charged: 7n });
    expect(await queries.findRequest(delivery.upstreamId ?? '', 'acc_1')).toMatchObject({ request_id: 'gen-1' });
    expect(await queries.findRequest('gen-1', 'acc_1')).toMatchObject({ request_id: 'gen-1' });
    expect(await queries.findRequest('gen-1', 'acc_2')).toBeUndefined();
    expect(await queries.findRequest('gen-99')).toBeUndefined();
    expect(await queries.findRequest(`' or true --`)).toBeUndefined();
  });

  it('find the open requests of all runs but some, in the order of their ids', async () => {
    const openOf = async (...runs: readonly string[]) =>
      (await queries.openRequestsOfOtherRuns(runs)).map(({ request_id }) => request_id);
    expect(await openOf('run_1')).toEqual(['gen-3', 'gen-4']);
    expect(await openOf('run_1', 'run_2', 'run_3')).toEqual([]);
    expect(await openOf()).toEqual(['gen-3', 'gen-4', 'gen-5']);
    expect((await queries.openRequestsOfOtherRuns([], 'gen-3')).map(({ request_id }) => request_id)).toEqual([
      'gen-4',
      'gen-5',
    ]);
  });

  it('find open requests page by page, each of them once', async () => {
    const ids = Array.from({ length: 2500 }, (_, n) => `gen-${10_000 + n}`);
    await query(
      databases.url(),
      `insert into ${LIVE}.requests
       select (jsonb_populate_record(r, jsonb_build_object('request_id', id, 'run_id', 'run_9'))).*
       from ${LIVE}.requests r, unnest($1::text[]) id where r.request_id = 'gen-3'`,
      [ids],
    );
    const found: string[] = [];
    for (let after = 'gen-1'; ;) {
      const page = await queries.openRequestsOfOtherRuns(['run_1', 'run_2', 'run_3'], after);
      if (page.length === 0) break;
      found.push(...page.map(({ request_id }) => request_id));
      after = found.at(-1) ?? '';
    }
    expect(found).toEqual(ids);
    await query(databases.url(), `delete from ${LIVE}.requests where run_id = 'run_9'`);
  });

  it('list the requests of an account, newest first, by key, model, status and time, page by page', async () => {
    const idsOf = async (wanted: Partial<WantedRequests>): Promise<string[]> =>
      (await queries.requestsOf('acc_1', { limit: 100, ...wanted })).map(({ request_id }) => request_id);
    const all = await idsOf({});
    expect(all.length).toBeGreaterThan(1);
    expect(all).toEqual(all.toSorted().toReversed());
    expect(await idsOf({ before: all[0] })).toEqual(all.slice(1));
    expect(await idsOf({ limit: 1 })).toEqual(all.slice(0, 1));
    expect(await idsOf({ keyId: 'key_1' })).toEqual(all);
    for (const nothing of [{ keyId: 'key_9' }, { model: 'other' }, { until: new Date(0) }, { from: new Date(2e12) }]) {
      expect(await idsOf(nothing)).toEqual([]);
    }
    const open = await idsOf({ status: 'open' });
    expect(open).not.toEqual([]);
    expect(
      [...open, ...(await idsOf({ status: 'settled' })), ...(await idsOf({ status: 'released' }))].toSorted(),
    ).toEqual(all.toSorted());
    expect(await queries.requestsOf('acc_9', { limit: 100 })).toEqual([]);
  });

  it('know a balance, and none of an account that is not', async () => {
    expect(await queries.balanceOf('acc_1')).toMatchObject({ topped_up: 1000n, charged: 7n, held: 20n, open_holds: 1 });
    expect(await queries.balanceOf('acc_9')).toBeUndefined();
  });

  it('find keys of which a provider filtered ten completions on a day', async () => {
    const insert = (key: string, status: string, finish: string | null, detail: string | null, count: number) =>
      query(
        databases.url(),
        `insert into ${LIVE}.requests select (jsonb_populate_record(r, jsonb_build_object('request_id', $1::text || n::text,
           'account_id', 'acc_f', 'key_id', $1::text, 'status', $2::text, 'finish_reason', $3::text, 'detail', $4::text,
           'reserved_at', '2020-05-01T10:00:00Z'))).*
         from ${LIVE}.requests as r, generate_series(1, $5::int) as n where r.request_id = 'gen-1'`,
        [key, status, finish, detail, count],
      );
    await insert('key_nine', 'settled', 'content_filter', null, 9);
    await insert('key_stop', 'settled', 'stop', null, 20);
    await insert('key_code', 'released', null, 'upstream_refused: content_policy_violation', 10);
    const found = await queries.filteredOn('2020-05-01');
    expect(found).toEqual([
      { account_id: 'acc_f', key_id: 'key_code', count: 10, since: new Date('2020-05-01T10:00:00Z') },
    ]);
    expect(await queries.filteredOn('2020-05-01', 'acc_1')).toEqual([]);
    await query(databases.url(), `delete from ${LIVE}.requests where account_id = 'acc_f'`);
  });

  it('know what a key was charged, by day, week, month and ever', async () => {
    const spent = 7n;
    const today = new Date();
    expect(await queries.usageOfKey('key_1', today)).toEqual({ day: spent, week: spent, month: spent, total: spent });
    const nextYear = new Date(today.getTime() + 366 * 86_400_000);
    expect(await queries.usageOfKey('key_1', nextYear)).toEqual({ day: 0n, week: 0n, month: 0n, total: spent });
    expect(await queries.usageOfKey('key_9', today)).toEqual({ day: 0n, week: 0n, month: 0n, total: 0n });
  });

  it('find all attempts of a request by its id, the one that answered first, and each by its own id alone', async () => {
    const found = async (id: string) => (await queries.findRequests(id)).map(({ request_id }) => request_id);
    expect(await found('req_a-b')).toEqual(['gen-a-b-3', 'gen-a-b-2', 'gen-a-b']);
    expect(await found('gen-a-b')).toEqual(['gen-a-b']);
    expect(await found('gen-a-b-2')).toEqual(['gen-a-b-2']);
    expect(await queries.findRequests('req_a-b', 'acc_1')).toEqual([]);
  });

  it('find a request by its request id, and every one to which the provider gave one id, the newest first', async () => {
    const found = async (id: string) => (await queries.findRequests(id, 'acc_3')).map(({ request_id }) => request_id);
    expect(await found('req_6')).toEqual(['gen-6']);
    expect(await found(delivery.upstreamId ?? '')).toEqual(['gen-7', 'gen-6']);
  });
});

describe('closed accounts with credits', () => {
  const closings = useDatabases();

  it('are listed by the time of their closing, with the parts of their balance', async () => {
    const log = createLog();
    const other = createQueries(closings.first);
    await bringUpToDate(closings.first, log.store, projections, () => undefined);
    const owed = async (wanted: Parameters<typeof other.owedAccounts>[0] = { limit: 9 }) => {
      for (const projection of projections) await applyEvents(closings.first, projection, LIVE, await log.recorded());
      return (await other.owedAccounts(wanted)).map(({ closedAt: _, ...amounts }) => amounts);
    };
    const left = { owed: 20n, heldForRefund: 0n, frozen: 0n, heldForRequests: 0n };
    await log.append(accountStream('acc_1'), registered, paid(20n), closed());
    await log.append(accountStream('acc_2'), registered, paid(20n), reserved(3n, 'gen-1'), heldForRefund(5n), closed());
    await log.append(accountStream('acc_3'), registered, paid(20n));
    await log.append(accountStream('acc_4'), registered, closed());
    const second = { accountId: 'acc_2', owed: 12n, heldForRefund: 5n, frozen: 0n, heldForRequests: 3n };
    expect(await owed()).toEqual([{ accountId: 'acc_1', ...left }, second]);
    expect(await owed({ limit: 1 })).toEqual([{ accountId: 'acc_1', ...left }]);
    expect(await owed({ limit: 1, after: 'acc_1' })).toEqual([second]);
    await log.append(accountStream('acc_1'), { type: 'CreditsWaived', lotId: 'lot_2', amount: 20n, reason: 'asked' });
    expect(await owed()).toEqual([second]);
  });
});

describe('ends of lots', () => {
  const endings = useDatabases();

  it('are due while credits are left and the end is not recorded', async () => {
    const log = createLog();
    const other = createQueries(endings.first);
    await bringUpToDate(endings.first, log.store, projections, () => undefined);
    const due = async (at: number) => {
      for (const projection of projections) await applyEvents(endings.first, projection, LIVE, await log.recorded());
      return (await other.accountsWithDueLots(new Date(at))).map(
        ({ accountId, endedAt }) => `${accountId} ${+endedAt}`,
      );
    };
    await log.append(accountStream('acc_1'), registered, endingGrant(20n, 'lot_1', 10), endingGrant(20n, 'lot_2', 5));
    await log.append(accountStream('acc_2'), registered, endingGrant(7n, 'lot_1', 3), reserved(20n, 'gen-1'));
    await log.append(accountStream('acc_3'), registered, toppedUp(20n));
    expect(await due(2)).toEqual([]);
    expect(await due(5)).toEqual(['acc_2 3', 'acc_1 5']);
    await log.append(accountStream('acc_1'), ended(20n, 'lot_2'));
    await log.append(accountStream('acc_2'), settled(7, charge, 'gen-1'));
    expect(await due(9)).toEqual([]);
    await log.append(accountStream('acc_2'), { ...reversed(2n, { returned: [drawn(2n)] }), requestId: 'gen-1' });
    expect(await due(10)).toEqual(['acc_2 3', 'acc_1 10']);
  });
});
