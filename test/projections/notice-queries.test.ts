import { beforeAll, describe, expect, it } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import type { NoticeAbout } from '../../src/domain/account/conduct/events.ts';
import { announcementIdOf } from '../../src/eventstore/journal/announcement-id.ts';
import { createNoticeQueries } from '../../src/projections/notice-queries.ts';
import { LIVE } from '../../src/projections/projection.ts';
import { bringUpToDate } from '../../src/projections/rebuild/rebuild.ts';
import { projections } from '../../src/projections/rows/live.ts';
import { applyEvents } from '../../src/projections/rows/rows.ts';
import { drawn, registered, reserved, settled, toppedUp } from '../domain/account/examples.ts';
import { createLog, useDatabases } from './log.ts';

const databases = useDatabases();
const terms: NoticeAbout = { kind: 'terms', document: 'terms', version: '2026-12-20' };
const delisting: NoticeAbout = { kind: 'delisting', model: 'test', effectiveFrom: Date.UTC(2026, 11, 30) };
const charge = { held: 20n, charged: 7n, released: 13n, drawn: [drawn(7n)] };
const EARLY = new Date(0);
const LATE = new Date('2999-01-01T00:00:00Z');

describe('notices', () => {
  let queries: ReturnType<typeof createNoticeQueries>;
  let model = '';
  beforeAll(async () => {
    const log = createLog();
    await bringUpToDate(databases.first, log.store, projections, () => undefined);
    for (const id of ['acc_1', 'acc_2', 'acc_3', 'acc_4']) await log.append(accountStream(id), registered);
    await log.append(accountStream('acc_2'), toppedUp(1000n), reserved(20n, 'gen-1'), settled(7, charge, 'gen-1'));
    const queued = (noticeId: string, about: NoticeAbout) => ({ type: 'NoticeQueued', noticeId, about }) as const;
    await log.append(accountStream('acc_1'), queued('ntc_1', terms), queued('ntc_0', delisting));
    await log.append(accountStream('acc_3'), queued('ntc_3', terms));
    await log.append(accountStream('acc_2'), queued('ntc_2', terms));
    await log.append(accountStream('acc_1'), { type: 'NoticeAnswered', noticeId: 'ntc_1', outcome: 'failed' });
    await log.append(accountStream('acc_1'), { type: 'NoticeAnswered', noticeId: 'ntc_1', outcome: 'accepted' });
    await log.append(accountStream('acc_2'), { type: 'NoticeAnswered', noticeId: 'ntc_2', outcome: 'failed' });
    for (const projection of projections) await applyEvents(databases.first, projection, LIVE, await log.recorded());
    queries = createNoticeQueries(databases.first);
    const event = settled(7, charge, 'gen-1');
    model = event.type === 'HoldSettled' ? event.price.model : '';
  });

  const ids = async (announcementId: string, wanted: Parameters<typeof queries.noticesOf>[1]) =>
    (await queries.noticesOf(announcementId, wanted)).map(({ account_id }) => account_id);
  const wanted = { announcementId: announcementIdOf(terms), announcedAt: EARLY, after: '', limit: 10 };

  it('are counted by announcement and outcome', async () => {
    const all = await queries.announcements();
    expect(all).toHaveLength(2);
    expect(await queries.announcements(announcementIdOf(terms))).toEqual([
      expect.objectContaining({
        ...{ kind: 'terms', subject: 'terms', version: '2026-12-20', effective_from: null },
        ...{ accounts: 3n, accepted: 1n, pending: 1n, failed: 1n },
      }),
    ]);
    expect(await queries.announcements(announcementIdOf(delisting))).toEqual([
      expect.objectContaining({
        kind: 'delisting',
        subject: 'test',
        effective_from: new Date('2026-12-30'),
        pending: 1n,
      }),
    ]);
    expect(await queries.announcements(`' or true --`)).toEqual([]);
  });

  it('are listed by account, page by page, or with one outcome', async () => {
    const { announcementId } = wanted;
    expect(await ids(announcementId, { limit: 2 })).toEqual(['acc_1', 'acc_2']);
    expect(await ids(announcementId, { limit: 2, after: 'acc_2' })).toEqual(['acc_3']);
    expect(await ids(announcementId, { limit: 2, outcome: 'failed' })).toEqual(['acc_2']);
    expect(await queries.noticesOf(announcementId, { limit: 1 })).toMatchObject([
      { notice_id: 'ntc_1', outcome: 'accepted', answered_at: expect.any(Date) as Date },
    ]);
  });

  it('are missing for the accounts without one, page by page', async () => {
    expect(await queries.accountsWithoutNotice(wanted)).toEqual(['acc_4']);
    const other = { ...wanted, announcementId: announcementIdOf(delisting) };
    expect(await queries.accountsWithoutNotice({ ...other, limit: 2 })).toEqual(['acc_2', 'acc_3']);
    expect(await queries.accountsWithoutNotice({ ...other, after: 'acc_3' })).toEqual(['acc_4']);
  });

  it('that are older than the announcement belong to an earlier announcement of the same change', async () =>
    expect(await queries.accountsWithoutNotice({ ...wanted, announcedAt: LATE })).toHaveLength(4));

  it('of a model are missing for the accounts that were charged for it on one of the days', async () => {
    const users = { ...wanted, announcementId: announcementIdOf(delisting), model, since: EARLY, until: LATE };
    expect(await queries.usersWithoutNotice(users)).toEqual(['acc_2']);
    expect(await queries.usersWithoutNotice({ ...users, model: 'other' })).toEqual([]);
    expect(await queries.usersWithoutNotice({ ...users, since: LATE })).toEqual([]);
    expect(await queries.usersWithoutNotice({ ...users, until: EARLY })).toEqual([]);
    expect(await queries.usersWithoutNotice({ ...users, announcementId: wanted.announcementId })).toEqual([]);
  });
});
