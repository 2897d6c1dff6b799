import { z } from 'zod';
import { facts, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, id, instant, timeInMail, usd } from './template.ts';

/** What becomes of paid credits. A termination has a mail of its own. */
const rests = ['owed', 'refund', 'waived'] as const;

const inWords: Readonly<Record<(typeof rests)[number], string>> = {
  owed: 'Unused paid credits still belong to you. To have them refunded, answer this mail or write to support.',
  refund:
    'We refund the unused paid credits, payment by payment. You receive a mail about each refund. A remainder below a cent cannot be refunded and ends.',
  waived: 'The remaining paid credits have ended, as requested with the closing.',
};

/** Mails that older releases queued have neither `rest` nor `ended_usd`. */
export const accountClosed = defineTemplate({
  params: {
    account_id: id,
    closed_at: instant,
    owed_usd: usd,
    rest: z.enum(rests).optional(),
    ended_usd: usd.optional(),
  },
  body: ({ params, operator, name }) => ({
    subject: `Your account with ${operator.name} is closed`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph('your account was closed. Its API keys are revoked, and promotional credits have ended.'),
      facts(
        ['Account', params.account_id],
        ['Closed', timeInMail(params.closed_at)],
        ['Paid credits that we still owe you', `${params.owed_usd} USD`],
        ...(params.ended_usd === undefined
          ? []
          : ([['Paid credits that have ended', `${params.ended_usd} USD`]] as const)),
      ),
      ...(params.rest === undefined ? [] : [paragraph(inWords[params.rest])]),
      paragraph(`If you did not ask for this, write to ${operator.supportEmail}.`),
      paragraph(ending(operator)),
    ],
  }),
});
