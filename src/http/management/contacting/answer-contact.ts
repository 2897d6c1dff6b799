import { z } from 'zod';
import { contactStatuses } from '../../../domain/contacts/contact.ts';
import { answerWays, closingReasons } from '../../../domain/contacts/events.ts';
import type { ContactWork } from '../../../people/contacting/contacts.ts';
import { staff, type PrincipalRule } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { anyId, wholeNumber } from '../router/fields.ts';
import { defineRoute, type Identity, type Problem, type Reply } from '../router/route.ts';
import {
  accountOfQuery,
  after,
  answerText,
  contactExample,
  contactView,
  listedContactView,
  listedExample,
  nextPage,
  viewContact,
  viewListed,
} from './fields.ts';

const workers: readonly PrincipalRule[] = ['admin', ...staff('support', 'operator')];

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

export const listContacts = defineRoute({
  method: 'get',
  path: '/contacts',
  principals: workers,
  summary: 'List contacts with support',
  description: 'By default the contacts that wait for an answer. Oldest first, without their texts.',
  query: z.strictObject({
    state: z
      .enum([...contactStatuses, 'all'])
      .optional()
      .meta({ description: 'open by default' }),
    account_id: accountOfQuery,
    after,
    limit: wholeNumber(`Contacts on a page; ${DEFAULT_LIMIT} by default`, 1, MAX_LIMIT).optional(),
  }),
  success: {
    status: 200,
    description: 'The contacts',
    schema: z.strictObject({ data: z.array(listedContactView), next: nextPage }),
    example: { data: [listedExample], next: null },
  },
  problems: [],
  handle: async ({ query }, deps) => {
    const { state = 'open', account_id: accountId, after: last, limit = DEFAULT_LIMIT } = query;
    const status = state === 'all' ? undefined : state;
    // One more than requested shows whether there is a next page.
    const found = (await deps.listContacts()).list({ status, accountId, after: last, limit: limit + 1 });
    const data = found.slice(0, limit).map((one) => viewListed(one, deps.now()));
    return { answer: { data, next: found.length > limit ? (data.at(-1)?.contact_id ?? null) : null } };
  },
});

const success = { status: 200, description: 'The contact', schema: contactView, example: contactExample } as const;

export const readContact = defineRoute({
  method: 'get',
  path: '/contacts/{contact_id}',
  principals: workers,
  summary: 'Read a contact with its texts',
  success,
  problems: ['contact_not_found'],
  handle: async ({ params: { contact_id } }, { contacts, now }) => {
    const contact = await contacts.find(contact_id);
    return contact ? { answer: viewContact(contact, now()) } : problem('contact_not_found');
  },
});

const workOf = ({ actor, commandId, requestId, mayRepeat }: Identity): ContactWork => ({
  ...{ actor, commandId, requestId, mayRepeat },
});

type Outcome = Exclude<
  Awaited<ReturnType<ManagementDeps['contacts']['answer' | 'link' | 'close']>>,
  { readonly kind: 'no_account' | 'account_erased' }
>;

/** The present state of the contact. */
const answerOf = async (
  { contacts, now }: ManagementDeps,
  contactId: string,
  outcome: Outcome,
): Promise<Reply<z.output<typeof contactView>> | Problem> => {
  switch (outcome.kind) {
    case 'refused':
      return problem(outcome.refusal.code);
    case 'erased':
      return problem('contact_erased');
    case 'reused':
      return problem('idempotency_key_reused');
    case 'done': {
      const contact = await contacts.find(contactId);
      if (!contact) return problem('contact_not_found');
      return { answer: viewContact(contact, now()), repeated: outcome.repeated };
    }
  }
};

export const answerContact = defineRoute({
  method: 'post',
  path: '/contacts/{contact_id}/answer',
  principals: workers,
  summary: 'Answer a contact, or note what was answered elsewhere',
  description:
    'If how is "mail", the text is sent to the writer. If it is "elsewhere", the text is only stored, for example after a telephone call. A member reads both with ' +
    'GET /api/accounts/{account_id}/contact. A contact can be answered again until it is closed.',
  body: {
    schema: z.strictObject({ how: z.enum(answerWays), text: answerText }),
    example: { how: 'mail', text: 'The provider had delivered the answer before your client disconnected.' },
  },
  success,
  problems: ['contact_not_found', 'contact_closed', 'contact_erased', 'idempotency_key_reused'],
  handle: async ({ params: { contact_id }, body: { how, text }, ...identity }, deps) =>
    answerOf(deps, contact_id, await deps.contacts.answer(contact_id, how, text, workOf(identity))),
});

export const linkContact = defineRoute({
  method: 'post',
  path: '/contacts/{contact_id}/link',
  principals: workers,
  summary: 'Link the contact of a stranger to an account',
  description:
    'Link it once you are sure that the writer belongs to the account. The contact appears in the history of the account, and is erased with it. A link is final.',
  body: {
    schema: z.strictObject({ account_id: anyId }),
    example: { account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20' },
  },
  success,
  problems: [
    ...(['contact_not_found', 'contact_closed', 'contact_of_account', 'account_not_found'] as const),
    ...(['personal_data_erased', 'idempotency_key_reused'] as const),
  ],
  handle: async ({ params: { contact_id }, body: { account_id }, ...identity }, deps) => {
    const outcome = await deps.contacts.link(contact_id, account_id, workOf(identity));
    if (outcome.kind === 'no_account') return problem('account_not_found');
    if (outcome.kind === 'account_erased') return problem('personal_data_erased');
    return answerOf(deps, contact_id, outcome);
  },
});

export const closeContact = defineRoute({
  method: 'post',
  path: '/contacts/{contact_id}/close',
  principals: workers,
  summary: 'Close a contact',
  description: 'With or without an answer. A closed contact cannot be answered.',
  body: {
    schema: z.strictObject({ reason: z.enum(closingReasons).exclude(['expired']) }),
    example: { reason: 'spam' },
  },
  success: { ...success, example: { ...contactExample, status: 'closed', closed_for: 'spam' } },
  problems: ['contact_not_found', 'contact_closed', 'idempotency_key_reused'],
  handle: async ({ params: { contact_id }, body: { reason }, ...identity }, deps) =>
    answerOf(deps, contact_id, await deps.contacts.close(contact_id, reason, workOf(identity))),
});
