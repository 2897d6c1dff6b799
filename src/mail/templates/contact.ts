import { z } from 'zod';
import { facts, link, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, id, instant, timeInMail } from './template.ts';

const topic = z.string().regex(/^[a-z_]{1,30}$/);
/** To support. */
export const contactReceived = defineTemplate({
  params: { contact_id: id, topic, account_id: id.optional(), reply_by: instant },
  body: ({ params, operator }) => ({
    subject: `New contact: ${params.topic}`,
    blocks: [
      paragraph('A message to support has arrived. Its text is not in this mail.'),
      facts(
        ['Contact', params.contact_id],
        ['Topic', params.topic],
        ['Account', params.account_id ?? 'none'],
        ['Answer until', timeInMail(params.reply_by)],
      ),
      link('Read it with the API', `${operator.publicUrl}/api/contacts/${params.contact_id}`),
      paragraph(ending(operator)),
    ],
  }),
});

/** To a writer who is signed in. */
export const contactConfirmation = defineTemplate({
  params: { contact_id: id, reply_by: instant },
  body: ({ params, operator, name }) => ({
    subject: `Your message to ${operator.name}`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph(`your message has arrived. We answer within three business days.`),
      facts(['Contact', params.contact_id], ['Answer until', timeInMail(params.reply_by)]),
      paragraph(ending(operator)),
    ],
  }),
});

/** To the writer of a contact. The text of the answer is in no event but the sealed one. */
export const contactAnswer = defineTemplate({
  params: { contact_id: id, revision: z.string().regex(/^\d+$/) },
  body: ({ params, operator, name, lines }) => ({
    subject: `Answer to your message to ${operator.name}`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      ...lines('answer').map(paragraph),
      facts(['Contact', params.contact_id]),
      paragraph(ending(operator)),
    ],
  }),
});
