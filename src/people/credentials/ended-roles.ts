import { accountOfStream } from '../../domain/account/account.ts';
import { mayHaveTokens } from '../../domain/account/holder/members.ts';
import type { Fact } from '../../eventstore/journal/codec.ts';
import type { PeopleTokens } from './tokens.ts';

/** The events that may end a role that tokens rest on. */
export const TYPES_THAT_END_ROLES = [
  ...(['AccountClosed', 'MemberRoleChanged', 'MemberRemoved', 'StaffAppointed', 'StaffDismissed'] as const),
];

/** Revokes the tokens that rested on a role that an event has ended; undefined if it has ended none. */
export const revokeAfter = (
  { revokeOf, revokeAllOfAccount }: Pick<PeopleTokens, 'revokeOf' | 'revokeAllOfAccount'>,
  { event, stream, time }: Pick<Fact, 'event' | 'stream' | 'time'>,
): (() => Promise<unknown>) | undefined => {
  const accountId = accountOfStream(stream);
  if (accountId !== undefined) {
    if (event.type === 'AccountClosed') return () => revokeAllOfAccount(accountId, 'the account was closed');
    const isEnd = event.type === 'MemberRemoved' || (event.type === 'MemberRoleChanged' && !mayHaveTokens(event.role));
    return isEnd ? () => revokeOf(event.personId, accountId, time) : undefined;
  }
  const isEnd = event.type === 'StaffDismissed' || (event.type === 'StaffAppointed' && event.role !== 'owner');
  return isEnd ? () => revokeOf(event.personId, undefined, time) : undefined;
};
