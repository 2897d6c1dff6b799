import { z } from 'zod';
import type { Address } from '../../../domain/identity/address.ts';
import type { NotAsked } from '../../../people/address/address-changes.ts';
import type { NotConfirmed } from '../../../people/credentials/asked.ts';
import { problem, type Problem } from '../../server/problems.ts';
import {
  address,
  notRedeemed,
  proof,
  proofExample,
  PROBLEMS_OF_CODES,
  secret,
  tooManyAttempts,
} from '../people/fields.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { text, time } from '../router/fields.ts';
import { defineRoute, isProblem, personOf } from '../router/route.ts';

const changeId = z.string().meta({ description: 'Change of address', example: 'chg_1d6b90e4a72c4f58b3e07c92' });
const hint = z.string().nullable().meta({ description: 'If the address may have a typo' });

/** Addresses that are refused, and a hint at a typo. */
const judge = ({ people }: Pick<ManagementDeps, 'people'>, { exact }: Address): { hint: string | null } | Problem => {
  const domain = exact.slice(exact.lastIndexOf('@') + 1);
  if (people.isDisposableDomain(domain)) return problem('disposable_address', { param: 'email' });
  const meant = people.typoHint(domain);
  return { hint: meant === undefined ? null : `Did you mean ${meant}?` };
};

const notAsked = (refused: NotAsked | NotConfirmed): Problem => {
  switch (refused.kind) {
    case 'second_step_required':
    case 'recent_sign_in_required':
      return problem(refused.kind);
    case 'wait':
      return tooManyAttempts(refused);
    case 'person_not_found':
      return problem('person_not_found');
    case 'address_unchanged':
      return problem('invalid_request', { message: 'email: is the present address already.', param: 'email' });
    case 'other_request':
      return problem('idempotency_key_reused');
  }
};

export const askAddressChange = defineRoute({
  method: 'post',
  path: '/me/address-changes',
  principals: ['person'],
  summary: 'Ask for a change of your e-mail address',
  description:
    'Needs a sign-in or a second step of the last 15 minutes, from staff the second step. Sends a code and a link to the new address. The change takes effect once one of them is confirmed, within ten minutes. The answer is the same ' +
    'if the address belongs to another account: its owner is then told so by mail. The present address can undo the change for seven days.',
  body: { schema: z.strictObject({ email: address }), example: { email: 'ada@example.org' } },
  success: {
    status: 202,
    description: 'A mail is sent',
    schema: z.strictObject({
      change_id: changeId,
      browser_secret: z.string().meta({ description: 'Send it with the code. Only who has it can use the code' }),
      expires_at: time,
      hint,
    }),
    example: {
      change_id: 'chg_1d6b90e4a72c4f58b3e07c92',
      browser_secret: 'Zm9yIHRoZSBleGFtcGxl',
      expires_at: '2026-01-31T10:10:00.000Z',
      hint: null,
    },
  },
  problems: [
    ...(['disposable_address', 'too_many_attempts', 'person_not_found'] as const),
    ...(['second_step_required', 'recent_sign_in_required'] as const),
  ],
  handle: async (asked, { people }) => {
    const { body, client, actor, commandId, mayRepeat, requestId } = asked;
    const judged = judge({ people }, body.email);
    if (isProblem(judged)) return judged;
    const session = personOf(asked);
    const { personId } = session;
    const change = { personId, session, address: body.email, client, actor, commandId, mayRepeat, requestId };
    const outcome = await people.addressChanges.ask(change);
    if (outcome.kind !== 'asked') return notAsked(outcome);
    const { changeId: change_id, browserSecret: browser_secret, expiresAt } = outcome;
    return { answer: { change_id, browser_secret, expires_at: expiresAt.toISOString(), hint: judged.hint } };
  },
});

export const confirmAddressChange = defineRoute({
  method: 'post',
  path: '/address-changes/{change_id}/confirm',
  principals: ['public'],
  summary: 'Confirm a new e-mail address',
  description:
    'With the code of the mail and the browser secret, or with the link of the mail in any browser. Sessions and API keys stay.',
  body: { schema: proof, example: proofExample },
  success: {
    status: 200,
    description: 'The new address is in force, and the old one has received a notice',
    schema: z.strictObject({ change_id: changeId, changed: z.literal(true) }),
    example: { change_id: 'chg_1d6b90e4a72c4f58b3e07c92', changed: true as const },
  },
  problems: [...PROBLEMS_OF_CODES, 'address_taken'],
  handle: async ({ params: { change_id }, body, client }, { people }) => {
    const outcome = await people.addressChanges.confirm(change_id, body, client);
    if (outcome.kind === 'address_taken') return problem('address_taken');
    if (outcome.kind !== 'changed') return notRedeemed(outcome);
    return { answer: { change_id, changed: true as const } };
  },
});

export const undoAddressChange = defineRoute({
  method: 'post',
  path: '/address-changes/{change_id}/undo',
  principals: ['public'],
  summary: 'Undo a change of address, from the old address',
  description:
    'With the link of the notice to the old address, for seven days. The old address is in force again, later changes are undone with this one, and ' +
    'all sessions of the person end. Passkeys and an authenticator app that were added since the change was asked for are removed, and all recovery ' +
    'codes. API keys stay: check them. The request may be repeated.',
  body: { schema: z.strictObject({ link_secret: secret }), example: { link_secret: 'Zm9yIHRoZSBleGFtcGxl' } },
  success: {
    status: 200,
    description: 'The old address is in force',
    schema: z.strictObject({ change_id: changeId, undone: z.literal(true) }),
    example: { change_id: 'chg_1d6b90e4a72c4f58b3e07c92', undone: true as const },
  },
  problems: [...PROBLEMS_OF_CODES],
  handle: async ({ params: { change_id }, body, client }, { people }) => {
    const outcome = await people.addressChanges.undo(change_id, body.link_secret, client);
    return outcome.kind === 'undone' ? { answer: { change_id, undone: true as const } } : notRedeemed(outcome);
  },
});

const replacement = z.strictObject({
  email: address,
  check: text(500).meta({
    description:
      'How you have verified that the person asks for this. Stored permanently in the log. No personal data.',
    example: 'Called back under the number of the contract',
  }),
  reason: text(500).meta({
    description: 'Stored permanently in the log. No personal data.',
    example: 'The mailbox is lost',
  }),
});

export const replaceAddress = defineRoute({
  method: 'post',
  path: '/persons/{person_id}/address',
  principals: ['admin', 'staff:support', 'staff:owner'],
  summary: 'Replace the address of a lost mailbox',
  description:
    'Sends a link to the new address. The change takes effect once it is confirmed, within a day; the old address can undo it for seven days.',
  body: {
    schema: replacement,
    example: {
      email: 'ada@example.org',
      check: 'Called back under the number of the contract',
      reason: 'The mailbox is lost',
    },
  },
  success: {
    status: 202,
    description: 'A mail is sent',
    schema: z.strictObject({ change_id: changeId, expires_at: time, hint }),
    example: { change_id: 'chg_1d6b90e4a72c4f58b3e07c92', expires_at: '2026-02-01T10:00:00.000Z', hint: null },
  },
  problems: ['disposable_address', 'address_taken', 'person_not_found'],
  handle: async (
    { params, body, client, actor, principal, commandId, mayRepeat, requestId },
    { people, readStaff },
  ) => {
    const { email, check, reason } = body;
    // Otherwise support could take over the mailbox, and with it the role, of an owner.
    const isOwner = principal?.kind === 'admin' || (principal?.kind === 'session' && principal.staffRole === 'owner');
    if (!isOwner && (await readStaff()).has(params.person_id)) {
      return problem('not_allowed', { message: 'Only an owner replaces the address of a member of the staff.' });
    }
    const judged = judge({ people }, email);
    if (isProblem(judged)) return judged;
    const outcome = await people.addressChanges.askForPerson({
      ...{ personId: params.person_id, address: email, client, actor, commandId, mayRepeat, requestId },
      support: { check, reason },
    });
    if (outcome.kind === 'address_taken') {
      return problem('address_taken', { message: 'The address belongs to another person. Ask for another address.' });
    }
    if (outcome.kind !== 'asked') return notAsked(outcome);
    const { changeId: change_id, expiresAt } = outcome;
    return { answer: { change_id, expires_at: expiresAt.toISOString(), hint: judged.hint } };
  },
});
