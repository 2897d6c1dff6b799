import { z } from 'zod';
import { members } from '../../auth/principals.ts';
import { problem } from '../../server/problems.ts';
import { tooManyAttempts } from '../people/fields.ts';
import { wholeNumber } from '../router/fields.ts';
import { defineRoute, personOf } from '../router/route.ts';
import {
  about,
  after,
  contactText,
  nextPage,
  ownContactView,
  ownExample,
  topic,
  viewOwn,
  writtenExample,
  writtenView,
} from './fields.ts';
import { strangersContact } from './strangers-contact.ts';

export const contactAsStranger = defineRoute({
  method: 'post',
  path: '/contact',
  principals: ['public'],
  summary: 'Write to support without an account',
  description:
    'The page at /contact does the same. The answer comes by mail. Name, address and text are erased after a year. If you are signed in, write with ' +
    'POST /api/accounts/{account_id}/contact, which shows the answer, too.',
  body: {
    schema: strangersContact,
    example: { email: 'ada@example.com', topic: 'question', text: 'Do you have a status page?' },
  },
  success: { status: 201, description: 'The message has arrived', schema: writtenView, example: writtenExample },
  problems: ['too_many_attempts'],
  handle: async ({ body, client, commandId, requestId }, { contacts }) => {
    const { name, email, topic: of, text: written, about: concerned } = body;
    const contact = { name, address: email, topic: of, text: written, about: concerned, client, commandId, requestId };
    const outcome = await contacts.writeAsStranger(contact);
    if (outcome.kind === 'wait') return tooManyAttempts(outcome);
    return { answer: { contact_id: outcome.contactId, reply_by: outcome.replyBy.toISOString() } };
  },
});

const writers = members('owner', 'billing', 'developer');

export const contactAsMember = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/contact',
  principals: writers,
  summary: 'Write to support about an account',
  description: 'The answer is sent to your address, and GET on the same path returns it.',
  body: {
    schema: z.strictObject({ topic, text: contactText, about: about.optional() }),
    example: { topic: 'billing', text: 'Why was this request charged?', about: ownExample.about },
  },
  success: { status: 201, description: 'The message has arrived', schema: writtenView, example: writtenExample },
  problems: ['account_not_found', 'too_many_attempts', 'personal_data_erased', 'idempotency_key_reused'],
  handle: async (asked, { contacts }) => {
    const { params, body, commandId, mayRepeat, requestId } = asked;
    const { topic: of, text: written, about: concerned } = body;
    const outcome = await contacts.writeAsMember({
      ...{ accountId: params.account_id, personId: personOf(asked).personId },
      ...{ topic: of, text: written, about: concerned, commandId, mayRepeat, requestId },
    });
    switch (outcome.kind) {
      case 'wait':
        return tooManyAttempts(outcome);
      case 'erased':
        return problem('personal_data_erased');
      case 'reused':
        return problem('idempotency_key_reused');
      case 'written': {
        const { contactId: contact_id, replyBy, repeated } = outcome;
        return { answer: { contact_id, reply_by: replyBy.toISOString() }, repeated };
      }
    }
  },
});

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 50;

export const listOwnContacts = defineRoute({
  method: 'get',
  path: '/accounts/{account_id}/contact',
  principals: writers,
  summary: 'Read what you have written to support about an account, and the answers',
  description: 'Oldest first. Other members of the account do not see them.',
  query: z.strictObject({
    after,
    limit: wholeNumber(`Contacts on a page; ${DEFAULT_LIMIT} by default`, 1, MAX_LIMIT).optional(),
  }),
  success: {
    status: 200,
    description: 'Your contacts',
    schema: z.strictObject({ data: z.array(ownContactView), next: nextPage }),
    example: { data: [ownExample], next: null },
  },
  problems: ['account_not_found'],
  handle: async (asked, { contacts, listContacts }) => {
    const { params, query } = asked;
    const { after: last, limit = DEFAULT_LIMIT } = query;
    const { personId } = personOf(asked);
    const list = await listContacts();
    // One more than requested shows whether there is a next page.
    const found = list.list({ accountId: params.account_id, personId, after: last, limit: limit + 1 });
    const opened = await Promise.all(found.slice(0, limit).map(({ contactId }) => contacts.find(contactId)));
    const data = opened.flatMap((one) => (one ? [viewOwn(one)] : []));
    return { answer: { data, next: found.length > limit ? (data.at(-1)?.contact_id ?? null) : null } };
  },
});
