import { z } from 'zod';
import { memberRoles } from '../../../domain/account/events.ts';
import { staffRoles } from '../../../domain/identity/person-events.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { TERMS_IN_EXAMPLES } from '../documentation/terms-in-examples.ts';
import { personId, secret, tooManyAttempts } from '../people/fields.ts';
import { DECLARATIONS } from '../people/register.ts';
import { accountId, text } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';

const acceptance = z.strictObject({
  link_secret: secret.meta({ description: 'What follows the dot in the link of the mail' }),
  name: text(200).optional().meta({ description: 'Your name', example: 'Grace Hopper' }),
  declaration: z
    .literal(DECLARATIONS.person)
    .optional()
    .meta({ description: 'Your declaration, word for word', example: DECLARATIONS.person }),
  accept_terms: text(64).optional().meta({ description: 'The version of the terms in force' }),
});

type Body = z.output<typeof acceptance>;

export const acceptInvitation = defineRoute({
  method: 'post',
  path: '/invitations/{invitation_id}/accept',
  principals: ['public'],
  summary: 'Accept an invitation with the link of its mail',
  description:
    'The person of the address gets the role, and signs in afterwards. If the address belongs to no person yet, send name, ' +
    'declaration and accept_terms: the link also confirms the address. May be repeated.',
  body: {
    schema: acceptance,
    example: {
      ...{ link_secret: 'Zm9yIHRoZSBleGFtcGxl', name: 'Grace Hopper', declaration: DECLARATIONS.person },
      accept_terms: TERMS_IN_EXAMPLES,
    },
  },
  success: {
    status: 200,
    description: 'You have the role',
    schema: z.strictObject({
      person_id: personId,
      account_id: accountId.nullable().meta({ description: 'null for the staff' }),
      role: z.enum([...memberRoles, ...staffRoles.filter((role) => role !== 'owner')]),
    }),
    example: {
      person_id: 'per_5b0d27c41e8f4a96b3c7d810',
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      role: 'developer',
    },
  },
  problems: [
    ...(['code_wrong', 'invitation_ended', 'newcomer_details_required', 'role_exists', 'terms_not_in_force'] as const),
    'too_many_attempts',
  ],
  handle: async ({ params: { invitation_id }, body, client }, deps) => {
    const newcomer = newcomerOf(body, deps.termsInForce());
    if (newcomer && 'code' in newcomer) return newcomer;
    const acceptance = { linkSecret: body.link_secret, newcomer, client };
    const accepted = await deps.people.roles.invitations.accept(invitation_id, acceptance);
    switch (accepted.kind) {
      case 'accepted': {
        const { personId: person_id, to } = accepted;
        return { answer: { person_id, account_id: to.kind === 'member' ? to.accountId : null, role: to.role } };
      }
      case 'wait':
        return tooManyAttempts(accepted);
      case 'wrong':
        return problem('code_wrong');
      case 'ended':
        return problem('invitation_ended');
      case 'newcomer':
        return problem('newcomer_details_required', { param: body.name === undefined ? 'name' : 'declaration' });
      case 'has_role':
        return problem('role_exists');
    }
  },
});

const newcomerOf = ({ name, declaration, accept_terms: termsVersion }: Body, inForce: string) => {
  if (name === undefined || declaration === undefined || termsVersion === undefined) return undefined;
  if (termsVersion !== inForce) {
    const message = `Only the terms in force can be accepted: version ${inForce}. GET /terms returns their text.`;
    return problem('terms_not_in_force', { message, param: 'accept_terms' }) satisfies Problem;
  }
  return { name, termsVersion, declared: { adult: true as const, wording: declaration } };
};
