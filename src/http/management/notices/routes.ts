import { z } from 'zod';
import type { AnnouncementRow, WantedNotices } from '../../../projections/notice-queries.ts';
import type { NoticeRow } from '../../../projections/rows/notices.ts';
import { staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { accountId, anyId, wholeNumber } from '../router/fields.ts';
import { defineRoute, type Route } from '../router/route.ts';
import {
  announcementExample,
  announcementView,
  noticeExample,
  noticeView,
  outcome,
  viewAnnouncement,
  viewNotice,
} from './notice-views.ts';

/** Include everything acknowledged before the call. */
export type FindNotices = {
  /** The newest first; with an id, this one or none. */
  readonly announcements: (announcementId?: string) => Promise<readonly AnnouncementRow[]>;
  readonly ofAnnouncement: (announcementId: string, wanted: WantedNotices) => Promise<readonly NoticeRow[]>;
};

const principals = ['admin', ...staff('support', 'operator')] as const;

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

const listNotices = defineRoute({
  method: 'get',
  path: '/notices',
  principals,
  summary: 'List the announcements that customers were notified of',
  description:
    'New terms, higher prices, ends of sale and withdrawals of these, with the outcomes of the notices. The newest 200 announcements.',
  success: {
    status: 200,
    description: 'The newest first',
    schema: z.strictObject({ data: z.array(announcementView) }),
    example: { data: [announcementExample] },
  },
  problems: [],
  handle: async (_, { notices }) => ({ answer: { data: (await notices.announcements()).map(viewAnnouncement) } }),
});

const readNotices = defineRoute({
  method: 'get',
  path: '/notices/{announcement_id}',
  principals,
  summary: 'List the notices of an announcement',
  description: 'In the order of account ids. If an account has two notices of the same announcement, the newer one.',
  query: z.strictObject({
    outcome: outcome.optional(),
    after: anyId.optional().meta({ description: 'The next page: the account_id of the last account on this one' }),
    limit: wholeNumber(`Accounts on a page; ${DEFAULT_LIMIT} by default`, 1, MAX_LIMIT).optional(),
  }),
  success: {
    status: 200,
    description: 'The announcement and its notices',
    schema: z.strictObject({
      ...announcementView.shape,
      data: z.array(noticeView),
      next: accountId.nullable().meta({ description: 'after of the next page; null on the last one' }),
    }),
    example: { ...announcementExample, data: [noticeExample], next: null },
  },
  problems: ['announcement_not_found'],
  handle: async ({ params: { announcement_id }, query }, { notices }) => {
    const [announcement] = await notices.announcements(announcement_id);
    if (!announcement) return problem('announcement_not_found');
    const { limit = DEFAULT_LIMIT, ...wanted } = query;
    // One more than requested shows whether there is a next page.
    const found = await notices.ofAnnouncement(announcement_id, { ...wanted, limit: limit + 1 });
    const data = found.slice(0, limit).map(viewNotice);
    const next = found.length > limit ? (data.at(-1)?.account_id ?? null) : null;
    return { answer: { ...viewAnnouncement(announcement), data, next } };
  },
});

export const noticeRoutes: readonly Route[] = [listNotices, readNotices];
