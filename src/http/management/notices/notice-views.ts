import { z } from 'zod';
import type { AnnouncementRow } from '../../../projections/notice-queries.ts';
import type { NoticeRow } from '../../../projections/rows/notices.ts';
import { accountId, time } from '../router/fields.ts';

export const announcementId = z.string().meta({ description: 'Announcement', example: 'ann_51c0e7b2d94f4a08b26d1f93' });
export const outcome = z.enum(['accepted', 'pending', 'failed']).meta({
  description:
    'accepted: a mail server accepted the mail of at least one owner. failed: all mails failed. pending: neither yet',
});
const count = z.int().nonnegative();

export const announcementView = z.strictObject({
  announcement_id: announcementId,
  about: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('terms'), document: z.string(), version: z.string() }),
    z.strictObject({ kind: z.literal('price'), model: z.string(), price_version: count }),
    z.strictObject({ kind: z.literal('delisting'), model: z.string(), effective_from: time.nullable() }),
  ]),
  queued_at: time.meta({ description: 'When the first notice was queued' }),
  accounts: count.meta({ description: 'Number of accounts that have a notice' }),
  ...{ accepted: count, pending: count, failed: count },
});

export const announcementExample: z.output<typeof announcementView> = {
  announcement_id: 'ann_51c0e7b2d94f4a08b26d1f93',
  about: { kind: 'terms', document: 'terms', version: '2026-12-20' },
  queued_at: '2026-12-01T09:00:00.000Z',
  ...{ accounts: 1000, accepted: 990, pending: 7, failed: 3 },
};

export const noticeView = z.strictObject({
  account_id: accountId,
  notice_id: z.string().meta({ description: 'Notice, as in the history of the account' }),
  outcome,
  queued_at: time,
  answered_at: time.nullable(),
});

export const noticeExample: z.output<typeof noticeView> = {
  ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', notice_id: 'ntc_0b2d94f4a08b26d1f9351c0e' },
  ...{ outcome: 'failed', queued_at: '2026-12-01T09:00:00.000Z', answered_at: '2026-12-01T09:00:04.000Z' },
};

const aboutOf = (row: AnnouncementRow): z.output<typeof announcementView>['about'] => {
  switch (row.kind) {
    case 'terms':
      return { kind: row.kind, document: row.subject, version: row.version ?? '' };
    case 'price':
      return { kind: row.kind, model: row.subject, price_version: Number(row.version) };
    case 'delisting':
      return { kind: row.kind, model: row.subject, effective_from: row.effective_from?.toISOString() ?? null };
  }
};

export const viewAnnouncement = (row: AnnouncementRow): z.output<typeof announcementView> => ({
  announcement_id: row.announcement_id,
  about: aboutOf(row),
  queued_at: row.queued_at.toISOString(),
  ...{ accounts: Number(row.accounts), accepted: Number(row.accepted) },
  ...{ pending: Number(row.pending), failed: Number(row.failed) },
});

export const viewNotice = (row: NoticeRow): z.output<typeof noticeView> => ({
  ...{ account_id: row.account_id, notice_id: row.notice_id, outcome: row.outcome },
  ...{ queued_at: row.queued_at.toISOString(), answered_at: row.answered_at?.toISOString() ?? null },
});
