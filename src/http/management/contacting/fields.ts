import { z } from 'zod';
import { accountOfContact, contactStatuses } from '../../../domain/contacts/contact.ts';
import { answerWays, closingReasons, contactTopics } from '../../../domain/contacts/events.ts';
import type { ListedContact } from '../../../domain/contacts/listed.ts';
import type { OpenedContact } from '../../../people/contacting/opened-contact.ts';
import { personId } from '../people/fields.ts';
import { accountId, anyId, lines, time } from '../router/fields.ts';

export const contactId = z.string().meta({ description: 'Contact', example: 'ctc_7a51c0d94e2f4b86a3d1e590' });

export const topic = z.enum(contactTopics).meta({ description: 'What it is about', example: 'billing' });
export const MAX_TEXT = 5000;
export const contactText = lines(MAX_TEXT).meta({
  description: `At most ${MAX_TEXT} characters. Send the id of the request or generation, not prompts or outputs`,
  example: 'Why was this request charged?',
  override: { type: 'string', maxLength: MAX_TEXT },
});
export const about = z
  .string()
  .regex(/^[\w-]{1,64}$/, 'must be an id of an account, a request, a generation or a payment')
  .meta({
    description: 'The id of the account, request, generation or payment that it concerns',
    example: 'req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d',
  });
export const answerText = lines(8000).meta({
  description: 'At most 8000 characters. The writer can read it',
  example: 'The provider had delivered the answer before your client disconnected.',
  override: { type: 'string', maxLength: 8000 },
});

export const after = anyId
  .optional()
  .meta({ description: 'The next page: the contact_id of the last contact on this one' });
export const accountOfQuery = anyId.optional().meta({ description: 'Only contacts of this account' });
export const nextPage = contactId.nullable().meta({ description: 'after of the next page; null on the last one' });

export const writtenView = z.strictObject({
  contact_id: contactId,
  reply_by: time.meta({
    description: 'Support answers until this time: within three business days, Monday to Friday in UTC',
  }),
});
export const writtenExample: z.output<typeof writtenView> = {
  contact_id: 'ctc_7a51c0d94e2f4b86a3d1e590',
  reply_by: '2026-02-04T10:00:00.000Z',
};

const answerView = z.strictObject({
  how: z
    .enum(answerWays)
    .meta({ description: 'mail: sent to the writer. elsewhere: answered in another way, and noted by staff' }),
  text: z.string().nullable().meta({ description: 'null if it was erased' }),
  answered_at: time,
});
const common = {
  contact_id: contactId,
  topic: z.enum(contactTopics),
  status: z.enum(contactStatuses),
  opened_at: time,
  reply_by: time,
};
const texts = {
  about: z.string().nullable(),
  text: z.string().nullable().meta({ description: 'null if it was erased' }),
};

/** As its writer reads it. */
export const ownContactView = z
  .strictObject({ ...common, ...texts, answers: z.array(answerView) })
  .meta({ id: 'OwnContact' });

/** In the queue of the staff. */
export const listedContactView = z
  .strictObject({
    ...common,
    account_id: accountId.nullable().meta({ description: 'The account that it belongs to; null if there is none' }),
    is_linked: z.boolean().meta({ description: 'Whether a stranger wrote it and staff linked it to the account' }),
    person_id: personId.nullable().meta({ description: 'The member who wrote it; null for a stranger' }),
    age_hours: z.int().nonnegative(),
    overdue: z.boolean().meta({ description: 'Whether it is open and reply_by has passed' }),
    closed_for: z.enum(closingReasons).nullable().meta({ description: 'expired: its texts were erased' }),
  })
  .meta({ id: 'ListedContact' });

/** As staff reads it. */
export const contactView = listedContactView
  .extend({
    ...texts,
    name: z.string().nullable(),
    email: z.string().nullable(),
    answers: z.array(answerView.extend({ answered_by: z.string().meta({ description: 'The actor' }) })),
  })
  .meta({ id: 'Contact' });

const HOUR_MS = 60 * 60 * 1000;

export const viewListed = (
  contact: Omit<ListedContact, 'answers' | 'belongsTo'>,
  now: Date,
): z.output<typeof listedContactView> => ({
  contact_id: contact.contactId,
  topic: contact.topic,
  status: contact.status,
  opened_at: contact.openedAt.toISOString(),
  reply_by: new Date(contact.replyBy).toISOString(),
  account_id: accountOfContact(contact),
  is_linked: contact.linkedTo !== null,
  person_id: contact.personId,
  age_hours: Math.max(0, Math.floor((now.getTime() - contact.openedAt.getTime()) / HOUR_MS)),
  overdue: contact.status === 'open' && contact.replyBy <= now.getTime(),
  closed_for: contact.closedFor,
});

export const viewContact = (contact: OpenedContact, now: Date): z.output<typeof contactView> => ({
  ...viewListed(contact, now),
  ...{ about: contact.about, text: contact.text, name: contact.name, email: contact.email },
  answers: contact.answers.map((one) => ({ ...viewAnswer(one), answered_by: one.by })),
});

const viewAnswer = ({ how, text, at }: OpenedContact['answers'][number]): z.output<typeof answerView> => ({
  ...{ how, text, answered_at: at.toISOString() },
});

export const viewOwn = (contact: OpenedContact): z.output<typeof ownContactView> => ({
  contact_id: contact.contactId,
  topic: contact.topic,
  status: contact.status,
  opened_at: contact.openedAt.toISOString(),
  reply_by: new Date(contact.replyBy).toISOString(),
  ...{ about: contact.about, text: contact.text },
  answers: contact.answers.map(viewAnswer),
});

const openedExample = {
  contact_id: 'ctc_7a51c0d94e2f4b86a3d1e590',
  topic: 'billing',
  status: 'open',
  opened_at: '2026-01-30T10:00:00.000Z',
  reply_by: '2026-02-04T10:00:00.000Z',
} as const;
const textsExample = { about: 'gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d', text: 'Why was this request charged?' };

export const ownExample: z.output<typeof ownContactView> = {
  ...openedExample,
  ...textsExample,
  status: 'answered',
  answers: [{ how: 'mail', text: 'The provider had delivered the answer.', answered_at: '2026-01-30T12:00:00.000Z' }],
};

export const listedExample: z.output<typeof listedContactView> = {
  ...openedExample,
  ...{ account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', is_linked: false, person_id: 'per_5b0d27c41e8f4a96b3c7d810' },
  ...{ age_hours: 24, overdue: false, closed_for: null },
};

export const contactExample: z.output<typeof contactView> = {
  ...listedExample,
  ...textsExample,
  ...{ name: 'Ada Lovelace', email: 'ada@example.com', answers: [] },
};
