import { z } from 'zod';
import { memberRoles } from '../../../domain/account/events.ts';
import { accountStream } from '../../../domain/account/account.ts';
import { accountsOfPerson } from '../../../domain/identity/person.ts';
import { staffRoles } from '../../../domain/identity/person-events.ts';
import { problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId } from '../router/fields.ts';
import { defineRoute, personOf } from '../router/route.ts';
import { personId, sessionExample, sessionView, viewSession } from './fields.ts';

const personView = z
  .strictObject({
    person_id: personId,
    name: z.string().nullable(),
    email: z.string().nullable(),
    accounts: z.array(z.strictObject({ account_id: accountId, role: z.enum(memberRoles) })),
    staff_role: z.enum(staffRoles).nullable(),
    passkeys: z.int(),
    has_totp: z.boolean(),
    recovery_codes: z.int().meta({ description: 'How many are not used yet' }),
    is_unreachable: z.boolean().meta({ description: 'Whether the newest mail to the address was not delivered' }),
    session: sessionView,
  })
  .meta({ id: 'Person' });

export const readMe = defineRoute({
  method: 'get',
  path: '/me',
  principals: ['person'],
  summary: 'Read your own person and accounts',
  success: {
    status: 200,
    description: 'You',
    schema: personView,
    example: {
      person_id: 'per_5b0d27c41e8f4a96b3c7d810',
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      accounts: [{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', role: 'owner' as const }],
      staff_role: null,
      passkeys: 1,
      has_totp: false,
      recovery_codes: 0,
      is_unreachable: false,
      session: sessionExample,
    },
  },
  problems: [],
  handle: async (asked, deps) => {
    const session = personOf(asked);
    const { personId } = session;
    const person = await deps.readPerson(personId);
    const personal = person.personal === null ? undefined : await deps.vault.open(personId, person.personal);
    return {
      answer: {
        person_id: personId,
        name: personal?.name ?? null,
        email: personal?.email ?? null,
        accounts: await accountsOf(deps, personId, accountsOfPerson(person)),
        staff_role: person.staffRole,
        passkeys: person.passkeys.size,
        has_totp: person.hasTotp,
        recovery_codes: await deps.people.credentials.recoveryCodes.count(personId),
        is_unreachable: person.isUnreachable,
        session: viewSession(session),
      },
    };
  },
});

/** The accounts in which the person has a role now. */
export const accountsOf = async ({ commands }: ManagementDeps, personId: string, accountIds: readonly string[]) => {
  const found = await Promise.all(
    accountIds.map(async (account_id) => {
      const { state } = await commands.read(accountStream(account_id));
      const role = state.members.get(personId);
      return role === undefined ? [] : [{ account_id, role }];
    }),
  );
  return found.flat();
};

export const listSessions = defineRoute({
  method: 'get',
  path: '/me/sessions',
  principals: ['person'],
  summary: 'List your sessions',
  description: 'Those that have not ended; the one that was used last is first.',
  success: {
    status: 200,
    description: 'Your sessions',
    schema: z.strictObject({ data: z.array(sessionView) }),
    example: { data: [sessionExample] },
  },
  problems: [],
  handle: async (asked, { sessions }) => {
    const all = await sessions.list(personOf(asked).personId);
    return { answer: { data: all.map(viewSession) } };
  },
});

const ended = z.strictObject({ ended: z.int().meta({ description: 'How many sessions ended', example: 1 }) });

export const revokeSession = defineRoute({
  method: 'delete',
  path: '/me/sessions/{session_id}',
  principals: ['person'],
  summary: 'End one of your sessions',
  success: { status: 200, description: 'The session has ended', schema: ended, example: { ended: 1 } },
  problems: ['session_not_found'],
  handle: async (asked, { people }) => {
    const { session_id } = asked.params;
    const wasThere = await people.signIn.revoke(personOf(asked).personId, session_id);
    return wasThere ? { answer: { ended: 1 } } : problem('session_not_found');
  },
});

export const revokeOtherSessions = defineRoute({
  method: 'post',
  path: '/me/sessions/revoke-others',
  principals: ['person'],
  summary: 'End all your other sessions',
  success: { status: 200, description: 'They have ended', schema: ended, example: { ended: 2 } },
  problems: [],
  handle: async (asked, { people }) => {
    const { personId, id } = personOf(asked);
    return {
      answer: { ended: await people.signIn.revokeAll(personId, id, 'asked for by the person', asked.commandId) },
    };
  },
});

export const signOut = defineRoute({
  method: 'post',
  path: '/me/sign-out',
  principals: ['person'],
  summary: 'Sign out',
  success: { status: 200, description: 'This session has ended', schema: ended, example: { ended: 1 } },
  problems: [],
  handle: async (asked, { people }) => {
    const { personId, id } = personOf(asked);
    await people.signIn.revoke(personId, id);
    return { answer: { ended: 1 } };
  },
});
