import { accountStream } from '../../domain/account/account.ts';
import { openMatterOf } from '../../domain/account/closing.ts';
import type { PersonRefusal } from '../../domain/identity/person-commands.ts';
import { accountsOfPerson, personStream } from '../../domain/identity/person.ts';
import type { Metadata } from '../../eventstore/journal/codec.ts';
import type { Session } from '../../identity/sessions.ts';
import { needsConfirmation, readPerson, type NotConfirmed } from '../credentials/asked.ts';
import type { PeopleOptions } from '../people-options.ts';
import { forgetPerson, leaveAccounts, type Farewell } from './forget-person.ts';

export type ErasureAsked = Farewell & {
  /** The session of the person; undefined if support erases the person. */
  readonly session: Session | undefined;
  readonly metadata: Metadata;
  readonly mayRepeat: boolean;
};

export type ErasureOutcome =
  | { readonly kind: 'erased'; readonly changed: boolean }
  /** An account was suspended when it was closed, so support decides whether the person may register again. */
  | { readonly kind: 'needs_support' }
  | NotConfirmed
  | { readonly kind: 'refused'; readonly code: PersonRefusal['code'] };

/**
 * Erases a person whose accounts are closed. The process completes it if this node stops. After a termination the cause is
 * always the violation, so that the person cannot register again.
 */
export const erasePerson = async (
  options: PeopleOptions,
  personId: string,
  { session, metadata, mayRepeat, cause: asked, reason }: ErasureAsked,
): Promise<ErasureOutcome> => {
  const { ended, afterSuspension, isTerminated, isReady } = await accountsOf(options, personId);
  const notConfirmed = session && needsConfirmation(session, await readPerson(options, personId), options.now());
  if (notConfirmed) return notConfirmed;
  if (session && afterSuspension) return { kind: 'needs_support' };
  // First the memberships: of two owners of an account who are erased at once, one stays.
  if (isReady && !(await leaveAccounts(options, personId, metadata.commandId)))
    return { kind: 'refused', code: 'accounts_open' };
  const cause = isTerminated ? 'violation' : asked;
  const command = { type: 'ErasePerson', reason, cause, ended } as const;
  const outcome = await options.persons.execute(personStream(personId), command, metadata, { mayRepeat });
  if (outcome.kind === 'refused') return { kind: 'refused', code: outcome.refusal.code };
  await forgetPerson(options, personId, { cause, reason });
  return { kind: 'erased', changed: outcome.events.length > 0 };
};

/**
 * The accounts that do not prevent the erasure, and whether nothing prevents it. An account that the person alone owns prevents
 * it until it is closed without an open hold, refund, dispute or debt.
 */
const accountsOf = async ({ persons, accounts }: PeopleOptions, personId: string) => {
  const { state: person } = await persons.read(personStream(personId));
  const ended: string[] = [];
  let afterSuspension = false;
  let isTerminated = false;
  for (const accountId of accountsOfPerson(person)) {
    const { standing, members, wallet, conduct } = (await accounts.read(accountStream(accountId))).state;
    const owners = [...members].filter(([, role]) => role === 'owner').map(([id]) => id);
    const isOwner = owners.includes(personId);
    if (conduct.termination?.owners.includes(personId)) isTerminated = true;
    else if (isOwner && standing.suspensions.length > 0) afterSuspension = true;
    const isClosed = standing.status === 'closed' && openMatterOf(wallet) === undefined;
    const needsPerson = owners.length === 1 && isOwner;
    if (isClosed || (standing.status !== 'unregistered' && !needsPerson)) ended.push(accountId);
  }
  const isReady =
    person.status === 'verified' && person.staffRole === null && ended.length === accountsOfPerson(person).length;
  return { ended, afterSuspension, isTerminated, isReady };
};
