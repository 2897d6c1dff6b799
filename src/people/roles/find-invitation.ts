import { invitationStream, type Invitation } from '../../domain/identity/invitations.ts';
import type { PeopleOptions } from '../people-options.ts';
import type { Members } from './members.ts';
import type { StaffRoles } from './staff.ts';

export type KnownInvitation = Exclude<Invitation, { status: 'unknown' }>;

/** `email` is null if it was erased. */
export type InvitationView = KnownInvitation & { readonly invitationId: string; readonly email: string | null };

export type InvitationOptions = PeopleOptions & { readonly members: Members; readonly staffRoles: StaffRoles };

export const findInvitation = async (
  { invitations, vault }: InvitationOptions,
  invitationId: string,
): Promise<InvitationView | undefined> => {
  const { state } = await invitations.read(invitationStream(invitationId));
  if (state.status === 'unknown') return undefined;
  const personal = await vault.open(invitationId, state.personal);
  return { ...state, invitationId, email: personal?.email ?? null };
};
