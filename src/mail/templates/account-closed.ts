import { facts, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, id, instant, timeInMail, usd } from './template.ts';

export const accountClosed = defineTemplate({
  params: { account_id: id, closed_at: instant, owed_usd: usd },
  body: ({ params, operator, name }) => ({
    subject: `Your account with ${operator.name} is closed`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph('your account was closed. Its API keys are revoked, and promotional credits have ended.'),
      facts(
        ['Account', params.account_id],
        ['Closed', timeInMail(params.closed_at)],
        ['Paid credits that we still owe you', `${params.owed_usd} USD`],
      ),
      paragraph(`If you did not ask for this, write to ${operator.supportEmail}.`),
      paragraph(ending(operator)),
    ],
  }),
});
