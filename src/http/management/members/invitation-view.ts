import { z } from 'zod';
import { memberRoles } from '../../../domain/account/events.ts';
import type { Address } from '../../../domain/identity/address.ts';
import { staffRoles } from '../../../domain/identity/person-events.ts';
import type { InvitationView } from '../../../people/roles/find-invitation.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId, time } from '../router/fields.ts';

export const invitationId = z.string().meta({ description: 'Invitation', example: 'inv_4c19f0e27a8d4b63b5d2e091' });

export const invitationView = z
  .strictObject({
    invitation_id: invitationId,
    account_id: accountId.nullable().meta({ description: 'null for the staff' }),
    role: z.enum([...memberRoles, ...staffRoles.filter((role) => role !== 'owner')]),
    email: z.string().nullable().meta({ description: 'null if it was erased' }),
    invited_by: z.string().meta({ description: 'The actor', example: 'person:per_5b0d27c41e8f4a96b3c7d810' }),
    reason: z.string().nullable(),
    ends_at: time,
  })
  .meta({ id: 'Invitation' });

export const invitationExample: z.output<typeof invitationView> = {
  invitation_id: 'inv_4c19f0e27a8d4b63b5d2e091',
  account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
  role: 'developer',
  email: 'grace@example.com',
  invited_by: 'person:per_5b0d27c41e8f4a96b3c7d810',
  reason: null,
  ends_at: '2026-02-07T10:00:00.000Z',
};

export const viewInvitation = (invitation: InvitationView): z.output<typeof invitationView> => {
  const { invitationId: invitation_id, to, email, by, until, reason = null } = invitation;
  return {
    ...{ invitation_id, account_id: to.kind === 'member' ? to.accountId : null, role: to.role, email },
    ...{ invited_by: by, reason, ends_at: new Date(until).toISOString() },
  };
};

/** As for a registration: the person must be reachable for as long as the role lasts. */
export const disposableProblem = ({ people }: ManagementDeps, { exact }: Address): Problem | undefined =>
  people.isDisposableDomain(exact.slice(exact.lastIndexOf('@') + 1))
    ? problem('disposable_address', { param: 'email' })
    : undefined;

/** Those that are open, the oldest first. */
export const listInvitationsTo = async (deps: ManagementDeps, accountId: string | null) => {
  const { invitations } = deps.people.roles;
  const found = await Promise.all((await deps.openInvitations(accountId)).map((id) => invitations.find(id)));
  return found.flatMap((one) => (one?.status === 'open' ? [viewInvitation(one)] : []));
};
