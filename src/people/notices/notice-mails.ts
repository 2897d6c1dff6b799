import { accountStream } from '../../domain/account/account.ts';
import type { NoticeAbout } from '../../domain/account/conduct/events.ts';
import { mailStream, type MailReference } from '../../domain/mail/mail.ts';
import { derivedId } from '../../eventstore/ids.ts';
import { announcementIdOf } from '../../eventstore/journal/announcement-id.ts';
import { queueMail } from '../../mail/templates/templates.ts';
import type { NoticeOptions } from './notice-options.ts';
import { inTurns, queuedEventIdOf } from './notice-run.ts';

/** On disk, in the ids of mails: mail/due-mails.ts sends other mails first. */
const PREFIX = 'notice-';
const WITHDRAWN_PREFIX = 'notice-withdrawn-';

/** A notice in the history of its account. */
export type Notice = { readonly accountId: string; readonly noticeId: string; readonly revision: number };

const templateOf = { terms: 'terms_changed', price: 'price_changed', delisting: 'model_delisted' } as const;

const mailIdOf = (prefix: string, noticeId: string, to: MailReference): string =>
  `${prefix}${derivedId('mail', `${noticeId} ${to.kind} ${to.id}`)}`;

/**
 * The owners when the notice was queued, so that every repetition has the same mails. Without owners, as after a registration
 * by the operator, it is the contact of the account.
 */
const recipientsOf = async (
  { foldAccount }: Pick<NoticeOptions, 'foldAccount'>,
  { accountId, revision }: Notice,
): Promise<readonly MailReference[]> => {
  const { state } = await foldAccount(accountStream(accountId), { revision });
  const owners = [...state.members].flatMap(([id, role]) => (role === 'owner' ? [{ kind: 'person', id }] : []));
  return owners.length > 0 ? owners : [{ kind: 'account', id: accountId }];
};

type Command = ReturnType<typeof queueMail>;

const queue = async ({ mails }: NoticeOptions, mailId: string, command: Command): Promise<void> => {
  const metadata = { actor: 'system:notices', commandId: derivedId('mail', mailId) };
  await mails.execute(mailStream(mailId), command, metadata, { mayRepeat: true });
};

/** One mail for each recipient. May be repeated. */
export const mailNotice = async (options: NoticeOptions, notice: Notice, about: NoticeAbout): Promise<void> => {
  const { accountId, noticeId } = notice;
  const params = { account_id: accountId, notice_id: noticeId };
  for (const to of await recipientsOf(options, notice)) {
    await queue(options, mailIdOf(PREFIX, noticeId, to), queueMail(templateOf[about.kind], to, params));
  }
};

const PAGE = 10_000;

/** A mail to the recipients of each notice of an announcement. May be repeated. */
export const mailWithdrawal = async (
  options: NoticeOptions,
  about: NoticeAbout,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const announcementId = announcementIdOf(about);
  const pageAfter = (after: string) => options.toldOf(announcementId, after, PAGE);
  for (let page = await pageAfter(''); page.length > 0; page = await pageAfter(page.at(-1)?.accountId ?? '')) {
    await inTurns(page, async ({ accountId, noticeId }) => {
      signal?.throwIfAborted();
      const notice = await findNotice(options, accountId, noticeId);
      const params = { account_id: accountId, notice_id: noticeId };
      for (const to of notice ? await recipientsOf(options, notice) : []) {
        await queue(options, mailIdOf(WITHDRAWN_PREFIX, noticeId, to), queueMail('announcement_withdrawn', to, params));
      }
    });
  }
};

const findNotice = async (
  { store }: NoticeOptions,
  accountId: string,
  noticeId: string,
): Promise<Notice | undefined> => {
  const stored = await store.findEvent(accountStream(accountId), queuedEventIdOf(noticeId));
  return stored && { accountId, noticeId, revision: stored.revision };
};

/** Whether a stream is that of a mail of a notice. */
export const isMailOfNotice = (stream: string): boolean =>
  stream.startsWith(mailStream(PREFIX)) && !stream.startsWith(mailStream(WITHDRAWN_PREFIX));

/** The outcome of a notice after one of its mails has ended: accepted if that one was, failed once all have failed. */
export const answerNotice = async (
  options: NoticeOptions,
  stream: string,
  ended: 'MailSent' | 'MailFailed',
): Promise<void> => {
  const { accounts, mails } = options;
  const { state: mail } = await mails.read(stream);
  if (mail.status === 'unknown') return; // The log went back in time.
  const { account_id: accountId = '', notice_id: noticeId = '' } = mail.params;
  if (ended === 'MailFailed' && !(await haveAllFailed(options, accountId, noticeId))) return;
  const outcome = ended === 'MailSent' ? 'accepted' : 'failed';
  const commandId = derivedId('answer', `${noticeId} ${outcome}`);
  const command = { type: 'AnswerNotice', noticeId, outcome } as const;
  const metadata = { actor: 'system:notices', commandId };
  await accounts.execute(accountStream(accountId), command, metadata, { mayRepeat: true });
};

const haveAllFailed = async (options: NoticeOptions, accountId: string, noticeId: string): Promise<boolean> => {
  const notice = await findNotice(options, accountId, noticeId);
  if (!notice) return false;
  const all = await Promise.all(
    (await recipientsOf(options, notice)).map((to) => options.mails.read(mailStream(mailIdOf(PREFIX, noticeId, to)))),
  );
  return all.every(({ state }) => state.status === 'failed');
};
