import { accountStream } from '../../domain/account/account.ts';
import type { NoticeAbout } from '../../domain/account/conduct/events.ts';
import { derivedId, eventId } from '../../eventstore/ids.ts';
import { announcementIdOf } from '../../eventstore/journal/announcement-id.ts';
import type { Fact } from '../../eventstore/journal/codec.ts';
import type { Announcement } from './announcements.ts';
import type { NoticeOptions } from './notice-options.ts';

/** Only ids are in memory. */
const PAGE = 10_000;
/** More appends at a time would queue at the log and delay requests of customers. */
const AT_ONCE = 16;
const REPORT_EVERY = 5000;
/** An account that used a model in this time before the announcement has a notice of its price and of its end of sale. */
const USED_WITHIN_MS = 90 * 24 * 60 * 60_000;

/** The notice of an account about what a fact announces. */
export const noticeIdOf = (factId: string, accountId: string): string => derivedId('ntc', `${factId} ${accountId}`);

const commandIdOf = (noticeId: string): string => derivedId('notice', noticeId);
/** The id of the event NoticeQueued. */
export const queuedEventIdOf = (noticeId: string): string => eventId(commandIdOf(noticeId), 0);

/**
 * Queues a notice for each account that the announcement concerns. May be repeated: an account has one notice of it, and
 * those that have it are left out. A later process sends the mails.
 */
export const runNotices = async (
  options: NoticeOptions,
  fact: Fact,
  { about, audience }: Announcement,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const wanted = { announcementId: announcementIdOf(about), announcedAt: fact.time, limit: PAGE };
  const since = new Date(fact.time.getTime() - USED_WITHIN_MS);
  const pageAfter = (after: string): Promise<readonly string[]> =>
    audience.kind === 'everyone'
      ? options.accountsWithoutNotice({ ...wanted, after })
      : options.usersWithoutNotice({ ...wanted, after, model: audience.model, since, until: fact.time });
  let accounts = 0;
  for (let page = await pageAfter(''); page.length > 0; page = await pageAfter(page.at(-1) ?? '')) {
    await inTurns(page, async (accountId) => {
      signal?.throwIfAborted();
      if (!(await queueNotice(options, fact, accountId, about))) return;
      accounts++;
      if (accounts % REPORT_EVERY === 0) options.progressed({ about, accounts, isDone: false });
    });
  }
  options.progressed({ about, accounts, isDone: true });
};

/** Calls `work` for each item, several at a time. Rejects with the first failure once the calls in progress have ended. */
export const inTurns = async <T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> => {
  const left = all.values();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const one of left) {
      if (failed) return;
      await work(one).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  const failure = ended.find((one) => one.status === 'rejected');
  if (failure) throw failure.reason;
};

/** False if the account needs none. One that was registered after the announcement has accepted what it announced. */
const queueNotice = async (
  { store, accounts }: NoticeOptions,
  fact: Fact,
  accountId: string,
  about: NoticeAbout,
): Promise<boolean> => {
  const stream = accountStream(accountId);
  const [registered] = await store.readStream(stream, 0, 1);
  if (!registered || registered.position > fact.position) return false;
  const noticeId = noticeIdOf(fact.id, accountId);
  // The account decides: a repetition changes nothing, and a closed account refuses.
  const command = { type: 'QueueNotice', noticeId, about } as const;
  const metadata = { actor: 'system:notices', commandId: commandIdOf(noticeId) };
  const outcome = await accounts.execute(stream, command, metadata);
  if (outcome.kind === 'accepted') return outcome.events.length > 0;
  if (outcome.refusal.code === 'account_closed') return false;
  throw new Error(`${accountId} refused a notice: ${outcome.refusal.code}`);
};
