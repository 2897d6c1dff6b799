import { z } from 'zod';
import { problem } from '../../server/problems.ts';
import { defineRoute, personOf } from '../router/route.ts';
import { askedBy, PROBLEMS_OF_CHANGES, refusedProblem } from './problems.ts';
import {
  browserOptions,
  browserResponse,
  creationOptionsExample,
  passkeyExample,
  passkeyId,
  passkeyName,
  passkeyView,
  registrationExample,
  viewOptions,
  viewPasskey,
} from './passkey-fields.ts';

export const askPasskeyOptions = defineRoute({
  method: 'post',
  path: '/me/passkeys/options',
  principals: ['person'],
  summary: 'Ask for the options of a new passkey',
  description:
    'For `navigator.credentials.create`; valid for five minutes. If you have a passkey or an authenticator app, you must have ' +
    'signed in within 15 minutes or passed the second step; staff must have passed the second step.',
  success: { status: 200, description: 'The options', schema: browserOptions, example: creationOptionsExample },
  problems: PROBLEMS_OF_CHANGES,
  handle: async (asked, { people }) => {
    const outcome = await people.credentials.passkeys.options(askedBy(asked));
    return outcome.kind === 'options' ? { answer: viewOptions(outcome.options) } : refusedProblem(outcome);
  },
});

export const addPasskey = defineRoute({
  method: 'post',
  path: '/me/passkeys',
  principals: ['person'],
  summary: 'Add a passkey',
  body: {
    schema: z.strictObject({ name: passkeyName, response: browserResponse }),
    example: { name: 'Laptop', response: registrationExample },
  },
  success: { status: 201, description: 'The passkey', schema: passkeyView, example: passkeyExample },
  problems: ['passkey_refused', 'passkey_not_found', 'too_many_passkeys', ...PROBLEMS_OF_CHANGES],
  handle: async ({ body: { name, response }, ...identity }, { people }) => {
    const outcome = await people.credentials.passkeys.add(askedBy(identity), response, name);
    if (outcome.kind !== 'added') return refusedProblem(outcome);
    const { passkey, repeated } = outcome;
    if (repeated && passkey.name !== name) return problem('idempotency_key_reused');
    return { answer: viewPasskey(passkey), repeated };
  },
});

export const listPasskeys = defineRoute({
  method: 'get',
  path: '/me/passkeys',
  principals: ['person'],
  summary: 'List your passkeys',
  description: 'The oldest first.',
  success: {
    status: 200,
    description: 'Your passkeys',
    schema: z.strictObject({ data: z.array(passkeyView) }),
    example: { data: [passkeyExample] },
  },
  problems: [],
  handle: async (asked, { people }) => {
    const all = await people.credentials.passkeys.list(personOf(asked).personId);
    return { answer: { data: all.map(viewPasskey) } };
  },
});

export const renamePasskey = defineRoute({
  method: 'put',
  path: '/me/passkeys/{passkey_id}',
  principals: ['person'],
  summary: 'Rename a passkey',
  body: { schema: z.strictObject({ name: passkeyName }), example: { name: 'Laptop' } },
  success: { status: 200, description: 'The passkey', schema: passkeyView, example: passkeyExample },
  problems: ['passkey_not_found'],
  handle: async ({ params, body: { name }, ...identity }, { people }) => {
    const passkey = await people.credentials.passkeys.rename(personOf(identity).personId, params.passkey_id, name);
    return passkey ? { answer: viewPasskey(passkey) } : problem('passkey_not_found');
  },
});

export const removePasskey = defineRoute({
  method: 'delete',
  path: '/me/passkeys/{passkey_id}',
  principals: ['person'],
  summary: 'Remove a passkey',
  description:
    'You must have signed in within 15 minutes or passed the second step. Staff must have passed the second step, and keep at ' +
    'least one passkey or authenticator app.',
  success: {
    status: 200,
    description: 'The passkey cannot be used any more',
    schema: z.strictObject({ passkey_id: passkeyId, removed: z.literal(true) }),
    example: { passkey_id: 'pky_4c1b7e92d05f4a38b6e1c947', removed: true },
  },
  problems: ['passkey_not_found', 'last_second_step', ...PROBLEMS_OF_CHANGES],
  handle: async ({ params: { passkey_id }, ...identity }, { people }) => {
    const outcome = await people.credentials.passkeys.remove(askedBy(identity), passkey_id);
    return outcome.kind === 'removed' ? { answer: { passkey_id, removed: true } } : refusedProblem(outcome);
  },
});
