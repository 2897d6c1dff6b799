import { accountOfStream } from '../../domain/account/account.ts';
import type { Fact } from '../../eventstore/journal/codec.ts';
import type { Process, Reaction } from '../../reactions/process.ts';
import { announcementsOf, TYPES_THAT_ANNOUNCE, type Announcement } from './announcements.ts';
import { answerNotice, isMailOfNotice, mailNotice, mailWithdrawal } from './notice-mails.ts';
import type { NoticeOptions } from './notice-options.ts';
import { runNotices } from './notice-run.ts';

/**
 * Notices of what may be worse for customers: announcements become a notice of each account that they concern, a notice
 * becomes a mail to each owner, and the ends of the mails become the outcome of the notice. Announcements that are older than
 * the first start of the process had no notice, and get none.
 */
export const createNoticeProcess = (options: NoticeOptions): Process => ({
  name: 'notices',
  types: new Set([...TYPES_THAT_ANNOUNCE, 'NoticeQueued', 'MailSent', 'MailFailed']),
  from: 'now',
  react: async (fact, signal) => {
    const { event, stream, revision } = fact;
    switch (event.type) {
      case 'NoticeQueued': {
        const { noticeId, about } = event;
        const accountId = accountOfStream(stream);
        if (accountId === undefined) return [];
        return [does(() => mailNotice(options, { accountId, noticeId, revision }, about))];
      }
      case 'MailSent':
      case 'MailFailed': {
        const { type } = event;
        return isMailOfNotice(stream) ? [does(() => answerNotice(options, stream, type))] : [];
      }
      default:
        return (await announcementsOf(options, fact)).map((one) => does(() => carryOut(options, fact, one, signal)));
    }
  },
});

const carryOut = (
  options: NoticeOptions,
  fact: Fact,
  announcement: Announcement,
  signal: AbortSignal | undefined,
): Promise<void> =>
  announcement.kind === 'announced'
    ? runNotices(options, fact, announcement, signal)
    : mailWithdrawal(options, announcement.about, signal);

/** The commands have ids of their own, which derive from the notice: there are as many as accounts. */
const does =
  (work: () => Promise<unknown>): Reaction =>
  async () => {
    await work();
    return { kind: 'accepted' };
  };
