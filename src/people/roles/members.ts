import { accountStream } from '../../domain/account/account.ts';
import { personStream } from '../../domain/identity/person.ts';
import { derivedId } from '../../eventstore/ids.ts';
import type { PeopleOptions } from '../people-options.ts';

export type Members = {
  /**
   * After a person has joined or left an account: the person's list of accounts follows. `cause` is the id of the event. May be
   * repeated.
   */
  changed(accountId: string, personId: string, cause: string): Promise<void>;
};

export const createMembers = ({ accounts, persons }: PeopleOptions): Members => ({
  changed: async (accountId, personId, cause) => {
    // By the state of the account and not by the event, which may be followed by another one.
    const { state } = await accounts.read(accountStream(accountId));
    const isMember = state.members.has(personId);
    // An owner of a terminated account stays excluded, so the list keeps the account.
    if (!isMember && state.conduct.termination?.owners.includes(personId)) return;
    const command = { type: isMember ? 'JoinAccount' : 'LeaveAccount', accountId } as const;
    const metadata = { actor: 'system:members', commandId: derivedId(command.type, cause) };
    // Refused if the person was erased.
    await persons.execute(personStream(personId), command, metadata, { mayRepeat: true });
  },
});
