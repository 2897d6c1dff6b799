import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { memberRoles, type AccountEvent } from '../../../domain/account/events.ts';
import type { PersonEvent } from '../../../domain/identity/person-events.ts';
import { accountsOfPerson, personStream } from '../../../domain/identity/person.ts';
import { decode, type Recorded } from '../../../eventstore/journal/codec.ts';
import type { OwnData } from '../../../people/own-data.ts';
import { eventView, isForCustomers, viewEvent, type EventView } from '../accounts/views/event-view.ts';
import { openHolder } from '../accounts/holder.ts';
import { ownContactView, viewOwn } from '../contacting/fields.ts';
import { personId, sessionExample, sessionView, viewSession } from '../people/fields.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId, MAX_REVISION, time, wholeNumber } from '../router/fields.ts';
import { defineRoute, personOf } from '../router/route.ts';
import { personEventView, viewPersonEvent, type PersonEventView } from './person-event-view.ts';

const PAGE = 500;
const MAX_LIMIT = 1000;

const eventExample: PersonEventView = {
  ...{ revision: 4, position: 1042, time: '2026-01-31T10:00:00.000Z', type: 'SignedIn' },
  data: { session_id: 'ses_8d2b64f09c1e4a7fb35d6c81', means: 'code' },
  ...{ actor: 'person:per_5b0d27c41e8f4a96b3c7d810', request_id: null },
};

export const myEvents = defineRoute({
  method: 'get',
  path: '/me/events',
  principals: ['person'],
  summary: 'Read the events of your own person',
  description: 'Registration, sign-ins, changes. Oldest first. next_revision is the start of the next page, or null.',
  query: z.strictObject({
    from_revision: wholeNumber('The first revision to read', 0, MAX_REVISION).default(0),
    limit: wholeNumber('The largest number of events', 1, MAX_LIMIT).default(100),
  }),
  success: {
    status: 200,
    description: 'A page of events',
    schema: z.strictObject({ data: z.array(personEventView), next_revision: z.int().nullable() }),
    example: { data: [eventExample], next_revision: null },
  },
  problems: [],
  handle: async (asked, { store }) => {
    const { from_revision, limit } = asked.query;
    // One more than requested shows whether there is a next page.
    const page = await store.readStream(personStream(personOf(asked).personId), from_revision, limit + 1);
    const data = page.slice(0, limit).map((stored) => viewPersonEvent(decode(stored) as Recorded<PersonEvent>));
    return { answer: { data, next_revision: page.length > limit ? from_revision + limit : null } };
  },
});

const about = z.strictObject({
  person_id: personId,
  name: z.string().nullable(),
  email: z.string().nullable(),
  entity: z.strictObject({ country: z.string(), registration_number: z.string() }).nullable(),
});
const passkey = z.strictObject({ name: z.string(), created_at: time, used_at: time.nullable() });
const token = z.strictObject({
  ...{ token_id: z.string(), name: z.string(), account_id: accountId, scopes: z.array(z.string()) },
  ...{ created_at: time, ends_at: time, used_at: time.nullable() },
});

export const myData = defineRoute({
  method: 'get',
  path: '/me/data',
  principals: ['person'],
  summary: 'Download your own data',
  description:
    'A JSON file: name, address, sessions, passkeys, tokens, what you have written to support with the answers, all events of your person, and those of the accounts in which you have a role, except what is only for staff. Prompts and outputs are not in it, because they are never stored. ' +
    'A file that ends before its last bracket is incomplete: download it again.',
  success: {
    status: 200,
    description: 'A file',
    schema: z.strictObject({
      created_at: time,
      person: about,
      sessions: z.array(sessionView),
      passkeys: z.array(passkey),
      tokens: z.array(token),
      contacts: z.array(ownContactView),
      events: z.array(personEventView),
      accounts: z.array(
        z.strictObject({
          ...{ account_id: accountId, role: z.enum(memberRoles), name: z.string().nullable() },
          events: z.array(eventView),
        }),
      ),
    }),
    example: {
      created_at: '2026-01-31T10:00:00.000Z',
      person: {
        ...{ person_id: 'per_5b0d27c41e8f4a96b3c7d810', name: 'Ada Lovelace', email: 'ada@example.com', entity: null },
      },
      ...{ sessions: [sessionExample], passkeys: [], tokens: [], contacts: [], events: [eventExample] },
      accounts: [{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', role: 'owner', name: 'Ada Lovelace', events: [] }],
    },
  },
  problems: [],
  handle: async (asked, deps) => {
    const { personId } = personOf(asked);
    const own = await deps.people.readOwnData(personId);
    return { kind: 'download', fileName: 'kissapi-data.json', parts: partsOf(deps, personId, own) };
  },
});

/** One event after another, so that a long history needs little memory. */
const partsOf = async function* (deps: ManagementDeps, personId: string, own: OwnData): AsyncGenerator<string> {
  const { name = null, email = null, entity } = own.personal ?? {};
  const of = entity ? { country: entity.country, registration_number: entity.number } : null;
  const head = {
    created_at: deps.now().toISOString(),
    person: { person_id: personId, name, email, entity: of },
    sessions: own.sessions.map(viewSession),
    passkeys: own.passkeys.map((one) => ({ name: one.name, ...timesOf(one) })),
    tokens: own.tokens.map((one) => ({
      ...{ token_id: one.id, name: one.name, account_id: one.accountId, scopes: one.scopes },
      ...{ ends_at: one.endsAt.toISOString(), ...timesOf(one) },
    })),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"contacts":[`;
  yield* joined(contactsOf(deps, personId));
  yield '],"events":[';
  yield* joined(viewsOf(deps, personStream(personId), (one) => viewPersonEvent(one as Recorded<PersonEvent>)));
  yield '],"accounts":[';
  let comma = '';
  for (const account_id of accountsOfPerson(own.person)) {
    const { state } = await deps.commands.read(accountStream(account_id));
    const role = state.members.get(personId);
    if (role === undefined) continue;
    const { registration } = state.standing;
    const holder = registration ? await openHolder(deps, account_id, registration.personal) : undefined;
    const account = JSON.stringify({ account_id, role, name: holder?.name ?? null });
    yield `${comma}${account.slice(0, -1)},"events":[`;
    comma = ',';
    yield* joined(
      viewsOf(deps, accountStream(account_id), (one) => viewOfAccount(deps, account_id, one), isForCustomers),
    );
    yield ']}';
  }
  yield ']}\n';
};

const contactsOf = async function* ({ contacts, listContacts }: ManagementDeps, personId: string) {
  for (const { contactId } of (await listContacts()).list({ personId, limit: Infinity })) {
    const contact = await contacts.find(contactId);
    if (contact) yield viewOwn(contact);
  }
};

const timesOf = ({ createdAt, usedAt }: { readonly createdAt: Date; readonly usedAt: Date | null }) => ({
  created_at: createdAt.toISOString(),
  used_at: usedAt?.toISOString() ?? null,
});

const viewOfAccount = async (deps: ManagementDeps, accountId: string, one: Recorded): Promise<EventView> => {
  const event = one.event as AccountEvent;
  const personal = 'personal' in event ? await openHolder(deps, accountId, event.personal) : undefined;
  return viewEvent(one as Recorded<AccountEvent>, personal);
};

const viewsOf = async function* <View>(
  { store }: Pick<ManagementDeps, 'store'>,
  stream: string,
  view: (recorded: Recorded) => View | Promise<View>,
  isShown: (recorded: Recorded) => boolean = () => true,
): AsyncGenerator<View> {
  for (let from = 0; ; from += PAGE) {
    const page = await store.readStream(stream, from, PAGE);
    for (const recorded of page.map((stored) => decode(stored))) if (isShown(recorded)) yield await view(recorded);
    if (page.length < PAGE) return;
  }
};

const joined = async function* (views: AsyncIterable<unknown>): AsyncGenerator<string> {
  let comma = '';
  for await (const view of views) {
    yield `${comma}${JSON.stringify(view)}`;
    comma = ',\n';
  }
};
