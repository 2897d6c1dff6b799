import type { AccountEvent } from '../../../src/domain/account/events.ts';
import type { Audited, Auditor, EventOf } from './auditor.ts';

/** The events that may follow the end of an account in the same append. */
const endings = new Set<AccountEvent['type']>([
  ...(['AccountClosed', 'KeyRevoked', 'LotExpired', 'CreditsForfeited', 'CreditsWaived'] as const),
]);

/** Terms that bind by use, notices, violations with what follows from them, and the rest of an account that ends. */
export const auditConduct = ({ books, check, expectNext }: Audited): Auditor => {
  let version: string | undefined;
  const notices = new Map<string, { readonly version: string | undefined; state: 'pending' | 'accepted' | 'failed' }>();
  const violations = new Set<string>();
  let mayResell = false;
  let isTerminated = false;
  /** The required end of the remaining paid lots, after the events of the end of the account. */
  let due: 'forfeited' | 'waived' | undefined;
  /** An acceptance by use stands for the hold of its append. Lots may end in between. */
  let binding = false;

  const checkRest = (next: AccountEvent | undefined): void => {
    if (due === undefined || (next && endings.has(next.type))) return;
    check(
      books.lots.every(({ isGrant, free, ended }) => isGrant || free === 0n || ended !== undefined),
      `the paid credits that are left are ${due} with the account`,
    );
    due = undefined;
  };

  const checkBinding = (next: AccountEvent | undefined): void => {
    if (!binding || next?.type === 'LotExpired') return;
    binding = false;
    check(next?.type === 'CreditsReserved', 'terms bind by use in the append of a hold');
  };

  const checkAccepted = (event: EventOf<'TermsAccepted'>): void => {
    if (event.how === 'use') {
      check(version !== undefined && version < event.version, 'use binds to newer terms only');
      const about = [...notices.values()].find((notice) => notice.version === event.version);
      check(event.notice === (about?.state ?? 'not_due'), 'an acceptance by use has the state of its notice');
      binding = true;
    } else check(event.notice === undefined, 'only an acceptance by use has a notice');
    version = event.version;
  };

  const checkViolation = (event: EventOf<'ViolationRecorded'>): void => {
    const { violationId, category, consequence } = event;
    check(!violations.has(violationId), 'a violation is recorded once');
    check(category !== 'resale' || !mayResell, 'what is authorised is no violation');
    violations.add(violationId);
    if (consequence === 'suspension') {
      expectNext('a violation suspends the account', (next) => suspendsFor(next, violationId));
    }
    if (consequence !== 'termination') return;
    expectNext(
      'a violation terminates the account',
      (next) => next?.type === 'AccountTerminated' && next.violationId === violationId,
    );
  };

  return {
    before: (event) => {
      checkRest(event);
      checkBinding(event);
      switch (event.type) {
        case 'TermsAccepted':
          checkAccepted(event);
          break;
        case 'NoticeQueued': {
          const { noticeId, about } = event;
          check(!books.closed && !notices.has(noticeId), 'a notice is queued once, to an open account');
          const isOfTerms = about.kind === 'terms' && about.document === 'terms';
          notices.set(noticeId, { version: isOfTerms ? about.version : undefined, state: 'pending' });
          break;
        }
        case 'NoticeAnswered': {
          const notice = notices.get(event.noticeId);
          check(
            notice !== undefined && notice.state !== 'accepted' && notice.state !== event.outcome,
            'an answer changes the state of a notice',
          );
          if (notice) notice.state = event.outcome;
          break;
        }
        case 'ResaleAuthorized':
        case 'ResaleAuthorizationEnded':
          check(mayResell === (event.type !== 'ResaleAuthorized'), 'an authorisation begins and ends by turns');
          mayResell = event.type === 'ResaleAuthorized';
          break;
        case 'ViolationRecorded':
          checkViolation(event);
          break;
        case 'AccountTerminated': {
          check(!isTerminated && violations.has(event.violationId), 'an account is terminated once, for a violation');
          isTerminated = true;
          if (event.forfeited) due = 'forfeited';
          const { closed } = books;
          expectNext('a termination closes', (next) => closed || next?.type === 'AccountClosed');
          break;
        }
        case 'AccountClosed':
          if (event.rest === 'waived') due = 'waived';
          break;
        case 'CreditsForfeited':
          check(isTerminated, 'only a termination allows forfeiture');
          break;
        default:
      }
    },
    end: () => {
      checkRest(undefined);
      checkBinding(undefined);
    },
  };
};

const suspendsFor = (next: AccountEvent | undefined, violationId: string): boolean =>
  next?.type === 'AccountSuspended' && next.cause.kind === 'violation' && next.cause.violationId === violationId;
