import { z } from 'zod';
import { problem } from '../../server/problems.ts';
import { TERMS_IN_EXAMPLES } from '../documentation/terms-in-examples.ts';
import { tooManyAttempts } from '../people/fields.ts';
import { acceptance, DECLARATIONS, entityField, notAccepted } from '../people/register.ts';
import { accountId, text } from '../router/fields.ts';
import { defineRoute, personOf } from '../router/route.ts';

const ofEntity = entityField.extend({
  name: text(200).meta({ description: 'Name of the entity', example: 'Example GmbH' }),
});

export const openAccount = defineRoute({
  method: 'post',
  path: '/me/accounts',
  principals: ['person'],
  summary: 'Open another account',
  description:
    'An account of an entity that has none. Without `entity`, a second personal account, which support must have approved beforehand. You are its owner. It is refused if an account of yours was terminated for a violation of the terms.',
  body: {
    schema: z.strictObject({ entity: ofEntity.optional(), ...acceptance }),
    example: {
      entity: { country: 'DE', registration_number: 'HRB 12345', name: 'Example GmbH' },
      ...{ declaration: DECLARATIONS.entity, accept_terms: TERMS_IN_EXAMPLES },
    },
  },
  success: {
    status: 201,
    description: 'The account is open',
    schema: z.strictObject({ account_id: accountId, holder: z.enum(['person', 'entity']) }),
    example: { account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', holder: 'entity' },
  },
  problems: [
    ...(['terms_not_in_force', 'person_not_found', 'second_account_not_approved', 'entity_taken'] as const),
    'holder_excluded',
  ],
  handle: async (asked, { people, termsInForce }) => {
    const { body, client, commandId, requestId } = asked;
    const refused = notAccepted(body, termsInForce());
    if (refused) return refused;
    const { entity, declaration: wording, accept_terms: termsVersion } = body;
    const outcome = await people.furtherAccounts.open(personOf(asked).personId, {
      entity: entity && { country: entity.country, number: entity.registration_number, name: entity.name },
      accepted: { termsVersion, declared: { adult: true, wording } },
      ...{ client, commandId, requestId },
    });
    if (outcome.kind === 'wait') return tooManyAttempts(outcome);
    if (outcome.kind === 'refused') return problem(outcome.code);
    return { answer: { account_id: outcome.accountId, holder: entity ? 'entity' : 'person' } as const };
  },
});
