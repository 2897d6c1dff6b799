import { z } from 'zod';
import { staffRoles } from '../../../domain/identity/person-events.ts';
import { staffOnly } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { contactOf } from '../members/members.ts';
import { personId } from '../people/fields.ts';
import { changed, reason } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';

const staffView = z
  .strictObject({
    person_id: personId,
    role: z.enum(staffRoles),
    name: z.string().nullable(),
    email: z.string().nullable(),
    has_second_step: z.boolean().meta({ description: 'Without it the role can not be used' }),
  })
  .meta({ id: 'StaffMember' });

const PERSON = 'per_5b0d27c41e8f4a96b3c7d810';

export const listStaff = defineRoute({
  method: 'get',
  path: '/staff',
  principals: ['admin', ...staffOnly('support', 'finance', 'operator')],
  summary: 'List the staff',
  success: {
    status: 200,
    description: 'The staff',
    schema: z.strictObject({ data: z.array(staffView) }),
    example: {
      data: [
        {
          ...{ person_id: PERSON, role: 'owner' as const, name: 'Ada Lovelace', email: 'ada@example.com' },
          has_second_step: true,
        },
      ],
    },
  },
  problems: [],
  handle: async (_, deps) => {
    const data = await Promise.all(
      [...(await deps.readStaff())].map(async ([person_id, role]) => {
        const { passkeys, hasTotp } = await deps.readPerson(person_id);
        return {
          person_id,
          role,
          ...(await contactOf(deps, person_id)),
          has_second_step: hasTotp || passkeys.size > 0,
        };
      }),
    );
    return { answer: { data } };
  },
});

export const changeStaff = defineRoute({
  method: 'put',
  path: '/staff/{person_id}',
  principals: staffOnly('owner'),
  summary: 'Change the role of a staff member',
  description: 'The sessions and the service tokens of the person end.',
  body: {
    schema: z.strictObject({ role: z.enum(staffRoles), reason }),
    example: { role: 'finance', reason: 'New duties' },
  },
  success: {
    status: 200,
    description: 'The person has the role',
    schema: z.strictObject({ person_id: personId, role: z.enum(staffRoles), changed }),
    example: { person_id: PERSON, role: 'finance', changed: true },
  },
  problems: ['staff_not_found', 'last_staff_owner'],
  handle: async ({ params: { person_id }, body: { role, reason }, ...identity }, { people }) => {
    const outcome = await people.roles.staff.change(person_id, role, reason, identity);
    if (outcome.kind === 'refused') return problem(outcome.refusal.code);
    return { answer: { person_id, role, changed: outcome.events.length > 0 } };
  },
});

export const dismissStaff = defineRoute({
  method: 'delete',
  path: '/staff/{person_id}',
  principals: staffOnly('owner'),
  summary: 'Dismiss a staff member',
  description: 'The sessions and the service tokens of the person end. Accounts of the person stay.',
  query: z.strictObject({ reason }),
  success: {
    status: 200,
    description: 'The person is not staff any more',
    schema: z.strictObject({ person_id: personId, dismissed: z.literal(true) }),
    example: { person_id: PERSON, dismissed: true },
  },
  problems: ['staff_not_found', 'last_staff_owner'],
  handle: async ({ params: { person_id }, query: { reason }, ...identity }, { people, now }) => {
    const outcome = await people.roles.staff.dismiss(person_id, reason, identity);
    if (outcome.kind === 'refused') return problem(outcome.refusal.code);
    await people.roles.invitations.revokeOf(null, person_id, now());
    return { answer: { person_id, dismissed: true } };
  },
});
