import { z } from 'zod';
import { memberRoles } from '../../../domain/account/events.ts';
import { accountsOfPerson } from '../../../domain/identity/person.ts';
import { staffRoles } from '../../../domain/identity/person-events.ts';
import type { PersonEvent } from '../../../domain/identity/person-events.ts';
import { personStream } from '../../../domain/identity/person.ts';
import { streamPages } from '../../../eventstore/event-store.ts';
import { decode } from '../../../eventstore/journal/codec.ts';
import { staff } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { openHolder } from '../accounts/holder.ts';
import { accountsOf } from '../people/me.ts';
import { personId } from '../people/fields.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId, time } from '../router/fields.ts';
import { defineRoute } from '../router/route.ts';

const changeKinds = ['name_changed', 'address_asked', 'address_changed', 'address_undone', 'mail_undelivered'] as const;

const change = z.strictObject({
  kind: z.enum(changeKinds),
  time,
  change_id: z.string().optional().meta({ description: 'Of a change of address' }),
  by: z.enum(['holder', 'support']).optional(),
  check: z.string().optional().meta({ description: 'How support has verified the person' }),
  reason: z.string().optional(),
  undo_until: time.optional(),
  actor: z.string(),
});

const personForStaff = z
  .strictObject({
    person_id: personId,
    name: z.string().nullable().meta({ description: 'null once it was erased' }),
    email: z.string().nullable().meta({ description: 'null once it was erased' }),
    standing: z.enum(['unverified', 'verified', 'lapsed', 'erased']),
    accounts: z.array(z.strictObject({ account_id: accountId, role: z.enum(memberRoles) })),
    staff_role: z.enum(staffRoles).nullable(),
    is_unreachable: z.boolean().meta({ description: 'Whether the newest mail to the address was not delivered' }),
    sessions: z.int(),
    passkeys: z.int(),
    has_totp: z.boolean(),
    changes: z.array(change).meta({ description: 'Of the name and the address, oldest first' }),
  })
  .meta({ id: 'PersonForStaff' });

type Change = z.output<typeof change>;

export const readPerson = defineRoute({
  method: 'get',
  path: '/persons/{person_id}',
  principals: ['admin', ...staff('support', 'finance', 'operator')],
  summary: 'Read a person',
  success: {
    status: 200,
    description: 'The person',
    schema: personForStaff,
    example: {
      person_id: 'per_5b0d27c41e8f4a96b3c7d810',
      name: 'Ada Lovelace',
      email: 'ada@example.org',
      standing: 'verified' as const,
      accounts: [{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', role: 'owner' as const }],
      staff_role: null,
      is_unreachable: false,
      sessions: 1,
      passkeys: 1,
      has_totp: false,
      changes: [
        {
          ...{ kind: 'address_changed' as const, time: '2026-01-31T10:00:00.000Z', by: 'holder' as const },
          ...{ change_id: 'chg_1d6b90e4a72c4f58b3e07c92', undo_until: '2026-02-07T10:00:00.000Z' },
          actor: 'person:per_5b0d27c41e8f4a96b3c7d810',
        },
      ],
    },
  },
  problems: ['person_not_found'],
  handle: async ({ params: { person_id } }, deps) => {
    const person = await deps.readPerson(person_id);
    if (person.status === 'unknown') return problem('person_not_found');
    const personal = person.personal === null ? undefined : await openHolder(deps, person_id, person.personal);
    return {
      answer: {
        ...{ person_id, name: personal?.name ?? null, email: personal?.email ?? null, standing: person.status },
        accounts: await accountsOf(deps, person_id, accountsOfPerson(person)),
        staff_role: person.staffRole,
        is_unreachable: person.isUnreachable,
        sessions: (await deps.sessions.list(person_id)).length,
        passkeys: person.passkeys.size,
        has_totp: person.hasTotp,
        changes: await changesOf(deps, person_id),
      },
    };
  },
});

const PAGE = 500;

const changesOf = async ({ store }: ManagementDeps, personId: string): Promise<Change[]> => {
  const changes: Change[] = [];
  for await (const page of streamPages(store, personStream(personId), 0, PAGE)) {
    for (const stored of page) {
      const { event, time, metadata } = decode(stored);
      changes.push(
        ...viewChange(event as PersonEvent).map((one) => ({ ...one, time: time.toISOString(), actor: metadata.actor })),
      );
    }
  }
  return changes;
};

const viewChange = (event: PersonEvent): readonly Omit<Change, 'time' | 'actor'>[] => {
  if (event.type === 'NameChanged') return [{ kind: 'name_changed' }];
  if (event.type === 'MailUndelivered') return [{ kind: 'mail_undelivered', reason: event.reason }];
  if (event.type === 'AddressChangeUndone') return [{ kind: 'address_undone', change_id: event.changeId }];
  if (event.type === 'AddressChangeAsked') {
    const { changeId: change_id, support } = event;
    return [{ kind: 'address_asked', change_id, by: support ? 'support' : 'holder', ...support }];
  }
  if (event.type !== 'AddressChanged') return [];
  const { changeId: change_id, by, undoUntil } = event;
  return [{ kind: 'address_changed', change_id, by, undo_until: new Date(undoUntil).toISOString() }];
};
