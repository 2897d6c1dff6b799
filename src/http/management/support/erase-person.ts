import { z } from 'zod';
import { erasureCauses } from '../../../domain/identity/person-events.ts';
import type { ErasureOutcome } from '../../../people/leaving/erasure.ts';
import { staff } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { personId } from '../people/fields.ts';
import { changed, reason } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';

/** The problems of an erasure. */
export const PROBLEMS_OF_ERASURE = ['person_not_found', 'accounts_open', 'person_is_staff'] as const;

export const notErased = (outcome: Exclude<ErasureOutcome, { kind: 'erased' }>): Problem => {
  if (outcome.kind === 'needs_support') return problem('erasure_by_support');
  if (outcome.kind !== 'refused') return problem(outcome.kind);
  const { code } = outcome;
  return problem(code === 'accounts_open' || code === 'person_is_staff' ? code : 'person_not_found');
};

export const erasePerson = defineRoute({
  method: 'post',
  path: '/persons/{person_id}/erase',
  principals: ['admin', ...staff('support')],
  summary: 'Erase the personal data of a person',
  description:
    'Final. Close the accounts of the person first; those that no other person owns are erased as well. Sessions, passkeys and tokens end, and the key of the name and the address is destroyed. ' +
    'With the cause `own_wish` the address can register again. With `violation` it cannot: a keyed hash of it is kept. The cause is always `violation` if an account of the person was terminated.',
  body: {
    schema: z.strictObject({
      reason,
      cause: z.enum(erasureCauses).default('own_wish').meta({ description: 'Whether the person may register again' }),
    }),
    example: { reason: 'Asked for by mail', cause: 'own_wish' },
  },
  success: {
    status: 200,
    description: 'The person is erased',
    schema: z.strictObject({ person_id: personId, erased: z.literal(true), changed }),
    example: { person_id: 'per_5b0d27c41e8f4a96b3c7d810', erased: true, changed: true },
  },
  problems: PROBLEMS_OF_ERASURE,
  handle: async ({ params: { person_id }, body, ...identity }, { people }) => {
    const { actor, commandId, requestId, mayRepeat } = identity;
    const metadata = { actor, commandId, correlationId: requestId };
    const outcome = await people.erase(person_id, { ...body, session: undefined, metadata, mayRepeat });
    if (outcome.kind !== 'erased') return notErased(outcome);
    return { answer: { person_id, erased: true as const, changed: outcome.changed } };
  },
});
