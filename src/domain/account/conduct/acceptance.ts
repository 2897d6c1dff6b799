import { accept } from '../../decider.ts';
import type { Account } from '../account.ts';
import type { AccountCommand, AccountDecision, ReserveCredits } from '../commands.ts';
import type { AccountEvent } from '../events.ts';
import { noticeOfTerms } from './conduct.ts';

/** On disk: how the holder accepted the terms. */
export const BY_USE = 'use';

/**
 * Whether a request would bind the account to another version of the terms. Versions sort as text, so a node whose clock is
 * a little behind binds nothing to an older version again.
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

/** Whether the holder must accept explicitly: the operator requires it of those whose notice failed. */
export const mustAcceptFirst = (command: ReserveCredits, account: Account): boolean =>
  command.terms?.explicit === true && wouldBind(command, account) && noticeOf(command.terms, account) === 'failed';

/** Use of the service after a change is its acceptance: the event is in the same append as the hold. */
export const acceptByUse = (decision: AccountDecision, command: AccountCommand, account: Account): AccountDecision => {
  if (command.type !== 'ReserveCredits' || !command.terms || !wouldBind(command, account)) return decision;
  if (decision.kind === 'refused' || decision.events.length === 0) return decision;
  const { version } = command.terms;
  const notice = noticeOf(command.terms, account);
  return accept<AccountEvent>({ type: 'TermsAccepted', version, how: BY_USE, notice }, ...decision.events);
};
