import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { announcementIdOf } from '../../src/eventstore/journal/announcement-id.ts';
import { createDatabase } from '../../src/projections/database.ts';
import { notices } from '../../src/projections/rows/notices.ts';
import { applyEvents, createTable } from '../../src/projections/rows/rows.ts';
import { LIVE } from '../../src/projections/projection.ts';
import type { Fact } from '../../src/eventstore/journal/codec.ts';
import { runCommand } from '../support/command.ts';
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
const about = { kind: 'terms', document: 'terms', version: '2026-12-20' } as const;
const id = announcementIdOf(about);

const fact = (position: number, account: string, event: Fact['event']): Fact => ({
  ...{ id: `e-${position}`, stream: `account-${account}`, revision: position, position, event },
  time: new Date('2026-12-01T10:00:00Z'),
});

beforeAll(async () => {
  database = await createMigratedDatabase();
  const rows = createDatabase(database.url);
  await createTable(rows, notices as never, LIVE);
  await applyEvents(rows, notices as never, LIVE, [
    fact(1, 'acc_1', { type: 'NoticeQueued', noticeId: 'ntc_1', about }),
    fact(2, 'acc_2', { type: 'NoticeQueued', noticeId: 'ntc_2', about }),
    fact(3, 'acc_2', { type: 'NoticeAnswered', noticeId: 'ntc_2', outcome: 'failed' }),
  ]);
  await rows.$pool.end();
});
afterAll(() => database.drop());

const notice = (...args: readonly string[]) => runCommand('notices', args, { env: { DATABASE_URL: database.url } });

describe('npm run notices', () => {
  it('lists announcements with their outcomes', async () => {
    const { code, stdout } = await notice('list');
    expect([code, stdout]).toEqual([
      0,
      `2026-12-01T10:00:00.000Z  ${id}  terms, version 2026-12-20: 2 accounts, 0 accepted, 1 pending, 1 failed\n`,
    ]);
  });

  it('shows the accounts of an announcement, or those with one outcome', async () => {
    const { stdout } = await notice('show', id, '--outcome', 'failed');
    expect(stdout.split('\n').slice(1)).toEqual(['  acc_2  ntc_2  failed since 2026-12-01T10:00:00.000Z', '']);
    expect((await notice('show', id)).stdout.split('\n')).toHaveLength(4);
  });

  it('names an unknown announcement', async () => {
    expect(await notice('show', 'ann_0')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ann_0') as string,
    });
    const wrong = await notice('show', id, '--outcome', 'other');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('accepted, pending, failed') as string });
  });
});
