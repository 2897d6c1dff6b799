import { accept, refuse } from '../../decider.ts';
import type { AccountDecision, AccountRefusal, CommandOf } from '../commands.ts';
import type { MemberEvent, MemberRole } from '../events.ts';

/** The persons who act for an account, with their roles. Accounts that the operator registered have none. */
export type Members = ReadonlyMap<string, MemberRole>;

export const MAX_MEMBERS = 200;

export const evolveMembers = (members: Members, event: MemberEvent): Members => {
  switch (event.type) {
    case 'MemberAdded':
    case 'MemberRoleChanged':
      return new Map(members).set(event.personId, event.role);
    case 'MemberRemoved':
      return new Map([...members].filter(([personId]) => personId !== event.personId));
  }
};

const no = (code: AccountRefusal['code']): AccountDecision => refuse({ code });

export const addMember = (
  { personId, role }: CommandOf<'AddMember'>,
  members: Members,
  holder: 'person' | 'entity' | undefined,
): AccountDecision => {
  const before = members.get(personId);
  if (before !== undefined) return before === role ? accept() : no('member_exists');
  if (holder === 'person' && (members.size > 0 || role !== 'owner')) return no('personal_account');
  if (members.size >= MAX_MEMBERS) return no('too_many_members');
  return accept({ type: 'MemberAdded', personId, role });
};

export const changeMemberRole = (
  { personId, role }: CommandOf<'ChangeMemberRole'>,
  members: Members,
): AccountDecision => {
  const before = members.get(personId);
  if (before === undefined) return no('member_not_found');
  if (before === role) return accept();
  return isLastOwner(members, personId) ? no('last_owner') : accept({ type: 'MemberRoleChanged', personId, role });
};

export const removeMember = ({ personId, reason }: CommandOf<'RemoveMember'>, members: Members): AccountDecision => {
  if (!members.has(personId)) return no('member_not_found');
  return isLastOwner(members, personId) ? no('last_owner') : accept({ type: 'MemberRemoved', personId, reason });
};

export const ownersOf = (members: Members): readonly string[] =>
  [...members].flatMap(([personId, role]) => (role === 'owner' ? [personId] : []));

/** An account with members always has an owner. */
const isLastOwner = (members: Members, personId: string): boolean =>
  members.get(personId) === 'owner' && [...members.values()].filter((role) => role === 'owner').length === 1;

/** The roles whose members may have management tokens. A token cannot do more than they can. */
export const mayHaveTokens = (role: MemberRole | undefined): boolean => role === 'owner' || role === 'developer';

export const createToken = (
  { tokenId, by, scopes, endsAt }: CommandOf<'CreateToken'>,
  members: Members,
): AccountDecision =>
  mayHaveTokens(members.get(by)) ? accept({ type: 'TokenCreated', tokenId, scopes, endsAt }) : no('member_not_found');
