import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { memberRoles } from '../../../domain/account/events.ts';
import { eventId } from '../../../eventstore/ids.ts';
import { members, readers } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { personId } from '../people/fields.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, changed, text } from '../router/fields.ts';
import { defineRoute, isProblem, type Identity } from '../router/route.ts';

const memberView = z
  .strictObject({
    person_id: personId,
    role: z.enum(memberRoles),
    name: z.string().nullable(),
    email: z.string().nullable(),
  })
  .meta({ id: 'Member' });

const ids = { account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', person_id: 'per_5b0d27c41e8f4a96b3c7d810' } as const;

/** The name and the address of a person; null after an erasure. */
export const contactOf = async ({ readPerson, vault }: ManagementDeps, person_id: string) => {
  const { personal } = await readPerson(person_id);
  const known = personal === null ? undefined : await vault.open(person_id, personal);
  return { name: known?.name ?? null, email: known?.email ?? null };
};

export const listMembers = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/members',
  principals: readers(),
  summary: 'List the members of an account',
  description: 'An account that the operator registered has none until one is invited.',
  success: {
    status: 200,
    description: 'The members',
    schema: z.strictObject({ data: z.array(memberView) }),
    example: {
      data: [{ person_id: ids.person_id, role: 'owner' as const, name: 'Ada Lovelace', email: 'ada@example.com' }],
    },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id } }, deps) => {
    const { state } = await deps.commands.read(accountStream(account_id));
    if (state.standing.status === 'unregistered') return problem('account_not_found');
    const data = await Promise.all(
      [...state.members].map(async ([person_id, role]) => ({ person_id, role, ...(await contactOf(deps, person_id)) })),
    );
    return { answer: { data } };
  },
});

export const changeMember = defineRoute({
  method: 'put',
  path: '/accounts/{account_id}/members/{person_id}',
  principals: members('owner'),
  summary: 'Change the role of a member',
  body: { schema: z.strictObject({ role: z.enum(memberRoles) }), example: { role: 'billing' } },
  success: {
    status: 200,
    description: 'The member has the role',
    schema: z.strictObject({ account_id: accountId, person_id: personId, role: z.enum(memberRoles), changed }),
    example: { ...ids, role: 'billing', changed: true },
  },
  problems: ['account_not_found', 'member_not_found', 'last_owner'],
  handle: async ({ params: { account_id, person_id }, body: { role }, ...identity }, deps) => {
    const command = { type: 'ChangeMemberRole', personId: person_id, role } as const;
    const done = await carryOut(deps, identity, account_id, command, () => true);
    if (isProblem(done)) return done;
    return { answer: { account_id, person_id, role, changed: done.recorded !== undefined } };
  },
});

export const removeMember = defineRoute({
  method: 'delete',
  path: '/accounts/{account_id}/members/{person_id}',
  principals: members('owner', 'billing', 'developer'),
  summary: 'Remove a member, or leave an account',
  description: 'Owners remove others; every member may leave. The management tokens that the person created end.',
  query: z.strictObject({
    reason: text(500)
      .optional()
      .meta({ description: 'Reason; stored permanently in the log. No personal data.', example: 'Left the company' }),
  }),
  success: {
    status: 200,
    description: 'The person is not a member any more',
    schema: z.strictObject({ account_id: accountId, person_id: personId, removed: z.literal(true) }),
    example: { ...ids, removed: true },
  },
  problems: ['account_not_found', 'member_not_found', 'last_owner'],
  handle: async ({ params: { account_id, person_id }, query: { reason }, ...identity }, deps) => {
    const self = callerOf(identity);
    if (person_id !== self) {
      const { state } = await deps.commands.read(accountStream(account_id));
      if (self === undefined || state.members.get(self) !== 'owner') return problem('not_allowed');
    }
    const why = reason ?? (person_id === self ? 'left' : 'removed by an owner');
    const command = { type: 'RemoveMember', personId: person_id, reason: why } as const;
    const done = await carryOut(deps, identity, account_id, command, () => true);
    if (isProblem(done)) return done;
    const { members, invitations } = deps.people.roles;
    await members.changed(account_id, person_id, eventId(identity.commandId, 0));
    await invitations.revokeOf(account_id, person_id, deps.now());
    return { answer: { account_id, person_id, removed: true } };
  },
});

const callerOf = ({ principal }: Identity): string | undefined =>
  principal?.kind === 'session' ? principal.session.personId : undefined;
