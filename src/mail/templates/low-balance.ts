import { facts, link, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, id, usd } from './template.ts';

/** Optional: the holder sets the threshold, and can remove it. `link` is the page with a button that does so. */
export const lowBalance = defineTemplate({
  params: { account_id: id, balance_usd: usd, threshold_usd: usd },
  optional: true,
  body: ({ params, operator, name, secret }) => ({
    subject: `Your balance with ${operator.name} is low`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph('the balance of your account is below the threshold that you have set:'),
      facts(['Balance', `${params.balance_usd} USD`], ['Threshold', `${params.threshold_usd} USD`]),
      paragraph('When the balance is used up, requests are refused until you add credits.'),
      paragraph(`You can change the threshold with PUT /api/accounts/${params.account_id}/low-balance.`),
      link('End these mails for the account', secret('link')),
      paragraph(ending(operator)),
    ],
  }),
});
