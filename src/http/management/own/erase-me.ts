import { z } from 'zod';
import { notErased, PROBLEMS_OF_ERASURE } from '../support/erase-person.ts';
import { defineRoute, personOf } from '../router/route.ts';

/** On disk. */
const REASON = 'asked for by the person';

export const eraseMe = defineRoute({
  method: 'post',
  path: '/me/erase',
  principals: ['person'],
  summary: 'Erase your personal data',
  description:
    'Final. Your accounts must be closed: ask support for that. All your sessions end. With a passkey or an authenticator app, sign in again or pass the second step first. You can register again with the same address, unless an account of yours was terminated for a violation of the terms: a keyed hash of the address is kept for that.',
  body: {
    schema: z.strictObject({
      confirm: z
        .literal('erase', { error: 'must be "erase"' })
        .meta({ description: 'So that it does not happen by mistake' }),
    }),
    example: { confirm: 'erase' },
  },
  success: {
    status: 200,
    description: 'You are erased',
    schema: z.strictObject({ erased: z.literal(true) }),
    example: { erased: true },
  },
  problems: [...PROBLEMS_OF_ERASURE, 'erasure_by_support', 'second_step_required', 'recent_sign_in_required'],
  handle: async (asked, { people }) => {
    const { actor, commandId, requestId, mayRepeat } = asked;
    const session = personOf(asked);
    const outcome = await people.erase(session.personId, {
      ...{ cause: 'own_wish', reason: REASON, session, mayRepeat },
      metadata: { actor, commandId, correlationId: requestId },
    });
    return outcome.kind === 'erased' ? { answer: { erased: true as const } } : notErased(outcome);
  },
});
