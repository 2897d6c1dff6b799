import type { Conduct } from '../../domain/account/conduct/conduct.ts';
import type {
  ConductEvent,
  ContactNote,
  NoticeAbout,
  NoticeEvent,
  ViolationCategory,
  ViolationConsequence,
} from '../../domain/account/conduct/events.ts';
import { BY_USE } from '../../domain/account/conduct/acceptance.ts';
import type { AccountEvent, RestOfCredits } from '../../domain/account/events.ts';
import { plain } from './plain-text.ts';

const category: Readonly<Record<ViolationCategory, string>> = {
  illegal_content: 'illegal content',
  circumvention: 'circumvention of limits',
  resale: 'resale or sharing of access',
  provider_policy: 'a policy of a provider',
  damage: 'damage to the service',
};

const consequence: Readonly<Record<ViolationConsequence, string>> = {
  none: 'no consequence',
  warning: 'a warning',
  suspension: 'suspension',
  termination: 'termination',
};

const noticeState = {
  accepted: 'the mail server had accepted the notice',
  failed: 'the notice could not be delivered',
  pending: 'the notice was not delivered yet',
  not_due: 'no notice was due',
} as const;

const subject = (about: NoticeAbout): string => {
  switch (about.kind) {
    case 'terms':
      return `version ${plain(about.version)} of the document ${plain(about.document)}`;
    case 'price':
      return `price version ${about.version} of ${plain(about.model)}`;
    case 'delisting':
      return `the end of ${plain(about.model)} at ${new Date(about.effectiveFrom).toISOString()}`;
  }
};

/** Describes a notice, a violation or a contact. */
export const conductSentence = (event: NoticeEvent | ConductEvent | ContactNote): string => {
  switch (event.type) {
    case 'NoticeQueued':
      return `Queued mails to the owners about ${subject(event.about)} (${event.noticeId}).`;
    case 'NoticeAnswered':
      return event.outcome === 'accepted'
        ? `A mail server accepted the notice ${event.noticeId}.`
        : `The notice ${event.noticeId} could not be delivered.`;
    case 'ResaleAuthorized':
      return `Authorised the resale or sharing of access: ${plain(event.reason)}.`;
    case 'ResaleAuthorizationEnded':
      return `Ended the authorisation of resale: ${plain(event.reason)}.`;
    case 'ViolationRecorded': {
      const { violationId, evidence, reason } = event;
      const shown = evidence.length === 0 ? 'no evidence by reference' : `evidence: ${evidence.map(plain).join(', ')}`;
      return `Recorded the violation ${violationId} (${category[event.category]}), with ${consequence[event.consequence]}: ${plain(reason)}; ${shown}.`;
    }
    case 'AccountTerminated': {
      const rest = event.forfeited ? 'the remaining paid credits are forfeited' : 'paid credits stay owed';
      return `Terminated for the violation ${event.violationId}: ${plain(event.reason)}; ${rest}.`;
    }
    case 'ContactNoted':
      return `Noted the contact ${event.contactId} with support, topic ${plain(event.topic)}.`;
    case 'ContactAnswerNoted':
      return `Support answered ${event.contactId}.`;
  }
};

export const acceptanceSentence = ({
  version,
  how,
  notice,
}: Extract<AccountEvent, { type: 'TermsAccepted' }>): string => {
  const accepted = `Accepted the terms of ${plain(version)}`;
  if (how !== BY_USE) return `${accepted}: ${plain(how)}.`;
  return `${accepted} by using the service${notice === undefined ? '' : `; ${noticeState[notice]}`}.`;
};

export const restInWords = (rest: RestOfCredits | undefined): string => {
  switch (rest) {
    case undefined:
      return '';
    case 'refund':
      return ' The holder asks for a refund of the remaining paid credits.';
    case 'waived':
      return ' The holder gives up the remaining paid credits.';
  }
};

/** Lines of the summary of an account. */
export const violationsInWords = ({ violations, mayResell, termination }: Conduct): readonly string[] => [
  ...[...violations].map(
    ([violationId, violation]) =>
      `  violation  ${violationId}: ${category[violation.category]}, ${consequence[violation.consequence]}`,
  ),
  ...(mayResell ? ['  resale     authorised'] : []),
  ...(termination
    ? [`  terminated for ${termination.violationId}${termination.forfeited ? ', with forfeiture' : ''}`]
    : []),
];
