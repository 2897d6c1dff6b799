import type { PersonRefusal } from '../../../domain/identity/person-commands.ts';
import type { Asked, NotConfirmed, RefusedByRules } from '../../../people/credentials/asked.ts';
import type { PasskeyRefused } from '../../../people/credentials/passkeys.ts';
import type { Wait } from '../../../people/people-options.ts';
import { problem, type Problem, type ProblemCode } from '../../server/problems.ts';
import { tooManyAttempts } from '../people/fields.ts';
import { personOf, type Identity } from '../router/route.ts';

/** Problems of a change that a person who is signed in has to confirm. */
export const PROBLEMS_OF_CHANGES = ['second_step_required', 'recent_sign_in_required', 'upgrade_in_progress'] as const;

export const askedBy = (identity: Identity): Asked => {
  const { client, commandId, mayRepeat, requestId } = identity;
  return { session: personOf(identity), client, commandId, mayRepeat, requestId };
};

type Refused = NotConfirmed | RefusedByRules | PasskeyRefused | Wait | { readonly kind: 'code_wrong' };

const CODE_WRONG = 'The code is not correct, or was used before. Check it, or wait for the next one.';
const COUNTER_REGRESSED =
  'The counter of this passkey did not grow, so the authenticator may have been copied. Sign in by mail, remove the passkey, and add a new one.';

export const refusedProblem = (refused: Refused): Problem => {
  switch (refused.kind) {
    case 'wait':
      return tooManyAttempts(refused);
    case 'code_wrong':
      return problem('code_wrong', { message: CODE_WRONG });
    case 'passkey_refused':
      return problem('passkey_refused', refused.cause === 'counter_regressed' ? { message: COUNTER_REGRESSED } : {});
    case 'second_step_required':
    case 'recent_sign_in_required':
      return problem(refused.kind);
    case 'refused':
      return problem(ofPersons[refused.refusal.code] ?? 'not_signed_in');
  }
};

/** Others can only be caused by an erasure that ends the session. */
const ofPersons: Readonly<Partial<Record<PersonRefusal['code'], ProblemCode>>> = {
  passkey_not_found: 'passkey_not_found',
  too_many_passkeys: 'too_many_passkeys',
  second_step_not_set_up: 'second_step_not_set_up',
  last_second_step: 'last_second_step',
};
