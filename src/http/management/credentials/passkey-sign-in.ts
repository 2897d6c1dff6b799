import { z } from 'zod';
import { tooManyAttempts, viewSession } from '../people/fields.ts';
import { signedInExample, signedInView } from '../people/sign-in.ts';
import { defineRoute } from '../router/route.ts';
import { refusedProblem } from './problems.ts';
import {
  assertionExample,
  browserOptions,
  browserResponse,
  requestOptionsExample,
  viewOptions,
} from './passkey-fields.ts';

export const askPasskeySignIn = defineRoute({
  method: 'post',
  path: '/sign-in/passkey/options',
  principals: ['public'],
  summary: 'Ask for the options of a sign-in with a passkey',
  description: 'For `navigator.credentials.get`; valid for five minutes. They name no person.',
  success: { status: 200, description: 'The options', schema: browserOptions, example: requestOptionsExample },
  problems: ['too_many_attempts'],
  handle: async ({ client }, { people }) => {
    const outcome = await people.credentials.passkeys.signInOptions(client);
    return outcome.kind === 'options' ? { answer: viewOptions(outcome.options) } : tooManyAttempts(outcome);
  },
});

export const signInWithPasskey = defineRoute({
  method: 'post',
  path: '/sign-in/passkey',
  principals: ['public'],
  summary: 'Sign in with a passkey',
  description:
    'For staff, a passkey whose authenticator has verified the user (by a PIN or a finger) is the second step as well.',
  body: { schema: z.strictObject({ response: browserResponse }), example: { response: assertionExample } },
  success: { status: 201, description: 'A new session', schema: signedInView, example: signedInExample },
  problems: ['passkey_refused', 'too_many_attempts', 'upgrade_in_progress'],
  handle: async ({ body: { response }, client }, { people }) => {
    const outcome = await people.credentials.passkeys.signIn(response, client);
    if (outcome.kind !== 'signed_in') return refusedProblem(outcome);
    const { personId: person_id, session, token } = outcome;
    return { answer: { person_id, session: { ...viewSession(session), token } } };
  },
});
