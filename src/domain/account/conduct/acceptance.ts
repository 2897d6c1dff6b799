import { accept } from '../../decider.ts';
import type { Account } from '../account.ts';
import type { AccountCommand, AccountDecision, ReserveCredits } from '../commands.ts';
import type { AccountEvent } from '../events.ts';
import { noticeOfTerms } from './conduct.ts';

/** On disk: how the holder accepted the terms. */
export const BY_USE = 'use';

/**
 * Whether a request would bind the account to another version of the terms. A node whose clock is a little
 * behind never binds an account to an older version: versions are compared as text.
 */
const wouldBind = ({ terms }: ReserveCredits, { standing }: Account): boolean =>
  terms !== undefined && standing.termsVersion !== null && standing.termsVersion < terms.version;

/** The state of the notice about the newest change that the request accepts. */
const noticeOf = (
  { version, noticed }: NonNullable<ReserveCredits['terms']>,
  { standing: { termsVersion }, conduct }: Account,
): ReturnType<typeof noticeOfTerms> => {
  const isNew = noticed !== undefined && termsVersion !== null && termsVersion < noticed;
  return noticeOfTerms(conduct, isNew ? noticed : version);
};

/** Whether the holder must accept explicitly, because the notice failed and the operator requires it then. */
export const mustAcceptFirst = (command: ReserveCredits, account: Account): boolean =>
  command.terms?.explicit === true && wouldBind(command, account) && noticeOf(command.terms, account) === 'failed';

/** Using the service after a change accepts it. The event is in the same append as the hold. */
export const acceptByUse = (decision: AccountDecision, command: AccountCommand, account: Account): AccountDecision => {
  if (command.type !== 'ReserveCredits' || !command.terms || !wouldBind(command, account)) return decision;
  if (decision.kind === 'refused' || decision.events.length === 0) return decision;
  const { version } = command.terms;
  const notice = noticeOf(command.terms, account);
  return accept<AccountEvent>({ type: 'TermsAccepted', version, how: BY_USE, notice }, ...decision.events);
};
