import type { CommandOf, ReserveCredits } from '../../../src/domain/account/commands.ts';
import { begin, happens, refused, suspend, write, type Effect, type Verdict } from './decision.ts';
import { endAccount } from './closing.ts';
import { endPaidOf } from './endings.ts';
import type { Conduct, Ledger } from './ledger.ts';

export const openConduct = (): Conduct => ({
  notices: new Map(),
  mayResell: false,
  violations: new Set(),
  terminated: false,
  contacts: new Map(),
});

type Of = CommandOf<
  | 'QueueNotice'
  | 'AnswerNotice'
  | 'AuthorizeResale'
  | 'EndResaleAuthorization'
  | 'RecordViolation'
  | 'NoteContact'
  | 'NoteContactAnswer'
>;

export const changeConduct = (ledger: Ledger, command: Of): Verdict => {
  const { conduct, money } = ledger;
  switch (command.type) {
    case 'QueueNotice': {
      const { noticeId, about } = command;
      if (money.closed) return refused('account_closed');
      return conduct.notices.has(noticeId) ? happens() : happens({ type: 'NoticeQueued', noticeId, about });
    }
    case 'AnswerNotice': {
      const { noticeId, outcome } = command;
      const known = conduct.notices.get(noticeId)?.outcome;
      if (known === undefined) return refused('notice_not_found');
      // Failed mails do not undo one that was accepted.
      const isNews = known === 'pending' || (known === 'failed' && outcome === 'accepted');
      return isNews ? happens({ type: 'NoticeAnswered', noticeId, outcome }) : happens();
    }
    case 'AuthorizeResale':
      if (money.closed) return refused('account_closed');
      return conduct.mayResell ? happens() : happens({ type: 'ResaleAuthorized', reason: command.reason });
    case 'EndResaleAuthorization':
      if (money.closed) return refused('account_closed');
      if (!conduct.mayResell) return refused('resale_not_authorized');
      return happens({ type: 'ResaleAuthorizationEnded', reason: command.reason });
    case 'RecordViolation':
      return recordViolation(ledger, command);
    case 'NoteContact': {
      const { contactId, topic } = command;
      return conduct.contacts.has(contactId) ? happens() : happens({ type: 'ContactNoted', contactId, topic });
    }
    case 'NoteContactAnswer': {
      const { contactId } = command;
      return conduct.contacts.get(contactId) ? happens() : happens({ type: 'ContactAnswerNoted', contactId });
    }
  }
};

/** The violation comes first, and then what follows from it, all at once. */
const recordViolation = (ledger: Ledger, command: CommandOf<'RecordViolation'>): Verdict => {
  const { money, conduct, keys } = ledger;
  const { violationId, category, evidence, consequence, reason, forfeit } = command;
  if (conduct.violations.has(violationId)) return happens();
  if (category === 'resale' && conduct.mayResell) return refused('resale_authorized');
  if (money.closed && ['warning', 'suspension'].includes(consequence)) return refused('account_closed');
  if (consequence === 'termination' && conduct.terminated) return refused('account_closed');
  const decision = begin(money);
  write(decision, { type: 'ViolationRecorded', violationId, category, evidence, consequence, reason });
  if (consequence === 'suspension') suspend(decision, { kind: 'violation', violationId }, reason);
  if (consequence === 'termination') {
    write(decision, { type: 'AccountTerminated', violationId, reason, forfeited: forfeit });
    if (!money.closed) endAccount(decision, keys, { type: 'AccountClosed', reason });
    if (forfeit) endPaidOf(decision, 'forfeited');
  }
  return happens(...decision.effects);
};

/** The acceptance of newer terms that a hold includes, if any. An account that never accepted any is not bound by use. */
export const acceptanceByUse = (
  { terms, conduct }: Ledger,
  { terms: inForce }: ReserveCredits,
): Extract<Effect, { type: 'TermsAccepted' }> | undefined => {
  if (!inForce || terms === undefined || inForce.version <= terms) return undefined;
  const { version, noticed = version } = inForce;
  const mailed = noticed > terms ? noticed : version;
  const notice = [...conduct.notices.values()].find(
    ({ about }) => about.kind === 'terms' && about.document === 'terms' && about.version === mailed,
  );
  return { type: 'TermsAccepted', version, how: 'use', notice: notice?.outcome ?? 'not_due' };
};

/** Applies an event to the state of the conduct. */
export const noteConduct = (conduct: Conduct, effect: Effect): void => {
  switch (effect.type) {
    case 'NoticeQueued':
      conduct.notices.set(effect.noticeId, { about: effect.about, outcome: 'pending' });
      break;
    case 'NoticeAnswered': {
      const notice = conduct.notices.get(effect.noticeId);
      if (notice) notice.outcome = effect.outcome;
      break;
    }
    case 'ResaleAuthorized':
      conduct.mayResell = true;
      break;
    case 'ResaleAuthorizationEnded':
      conduct.mayResell = false;
      break;
    case 'ViolationRecorded':
      conduct.violations.add(effect.violationId);
      break;
    case 'AccountTerminated':
      conduct.terminated = true;
      break;
    case 'ContactNoted':
      conduct.contacts.set(effect.contactId, false);
      break;
    case 'ContactAnswerNoted':
      conduct.contacts.set(effect.contactId, true);
      break;
    default:
  }
};
