import { accept } from '../../decider.ts';
import type { Account } from '../account.ts';
import { andThen } from '../after.ts';
import { closeAccount } from '../closing.ts';
import type { AccountDecision, CommandOf } from '../commands.ts';
import type { AccountEvent, SuspensionCause } from '../events.ts';
import { forfeitCredits } from '../refunds/endings.ts';
import { no } from '../reserve.ts';
import { isSuspendedFor } from '../standing.ts';

export const queueNotice = ({ noticeId, about }: CommandOf<'QueueNotice'>, { conduct }: Account): AccountDecision =>
  conduct.notices.has(noticeId) ? accept() : accept({ type: 'NoticeQueued', noticeId, about });

export const answerNotice = (
  { noticeId, outcome }: CommandOf<'AnswerNotice'>,
  { conduct }: Account,
): AccountDecision => {
  const notice = conduct.notices.get(noticeId);
  if (!notice) return no('notice_not_found');
  // One accepted mail is enough, even if another one fails later.
  const isKnown = notice.outcome === outcome || notice.outcome === 'accepted';
  return isKnown ? accept() : accept({ type: 'NoticeAnswered', noticeId, outcome });
};

export const authorizeResale = ({ reason }: CommandOf<'AuthorizeResale'>, { conduct }: Account): AccountDecision =>
  conduct.mayResell ? accept() : accept({ type: 'ResaleAuthorized', reason });

export const endResaleAuthorization = (
  { reason }: CommandOf<'EndResaleAuthorization'>,
  { conduct }: Account,
): AccountDecision =>
  conduct.mayResell ? accept({ type: 'ResaleAuthorizationEnded', reason }) : no('resale_not_authorized');

/** Records a violation and its consequence. A closed account can be terminated, but not warned or suspended. */
export const recordViolation = (command: CommandOf<'RecordViolation'>, account: Account): AccountDecision => {
  const { violationId, category, evidence, consequence, reason } = command;
  const { standing, conduct } = account;
  if (conduct.violations.has(violationId)) return accept();
  if (category === 'resale' && conduct.mayResell) return no('resale_authorized');
  const isClosed = standing.status === 'closed';
  if (isClosed && (consequence === 'warning' || consequence === 'suspension')) return no('account_closed');
  if (consequence === 'termination' && conduct.termination) return no('account_closed');
  const recorded = { type: 'ViolationRecorded', violationId, category, evidence, consequence, reason } as const;
  const follows = consequenceOf(command, account);
  return follows.kind === 'refused' ? follows : accept<AccountEvent>(recorded, ...follows.events);
};

const consequenceOf = (command: CommandOf<'RecordViolation'>, account: Account): AccountDecision => {
  const { violationId, consequence, reason } = command;
  switch (consequence) {
    case 'none':
    case 'warning':
      return accept();
    case 'suspension': {
      const cause: SuspensionCause = { kind: 'violation', violationId };
      return isSuspendedFor(account.standing, cause) ? accept() : accept({ type: 'AccountSuspended', reason, cause });
    }
    case 'termination':
      return terminate(command, account);
  }
};

const terminate = ({ violationId, reason, forfeit }: CommandOf<'RecordViolation'>, account: Account) => {
  const terminated = { type: 'AccountTerminated', violationId, reason, forfeited: forfeit } as const;
  const closed = closeAccount({ type: 'CloseAccount', reason }, account);
  if (closed.kind === 'refused') return closed;
  const ended = accept<AccountEvent>(terminated, ...closed.events);
  return forfeit
    ? andThen(account, ended, (after) => forfeitCredits({ type: 'ForfeitCredits', reason }, after))
    : ended;
};

export const noteContact = ({ contactId, topic }: CommandOf<'NoteContact'>, { conduct }: Account): AccountDecision =>
  conduct.contacts.has(contactId) ? accept() : accept({ type: 'ContactNoted', contactId, topic });

/** A contact may be answered several times; its history has the first answer. */
export const noteContactAnswer = (
  { contactId }: CommandOf<'NoteContactAnswer'>,
  { conduct }: Account,
): AccountDecision =>
  conduct.contacts.get(contactId) === true ? accept() : accept({ type: 'ContactAnswerNoted', contactId });
