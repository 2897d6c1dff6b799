import { facts, paragraph } from '../../mail-body.ts';
import { defineTemplate, ending, id, usd } from '../template.ts';

/** To the owners and billing members. `repaid_usd` is the part that settled a debt. */
export const paymentReceived = defineTemplate({
  params: { account_id: id, payment_id: id, credited_usd: usd, repaid_usd: usd },
  body: ({ params, operator, name }) => ({
    subject: `Your payment to ${operator.name} has arrived`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph('thank you. Your payment has arrived, and its credits are in your account.'),
      facts(
        ['Account', params.account_id],
        ['Payment', params.payment_id],
        ['Credits', `${params.credited_usd} USD`],
        ...(Number(params.repaid_usd) > 0 ? ([['Of these, for your debt', `${params.repaid_usd} USD`]] as const) : []),
      ),
      paragraph(
        `The receipt is at GET /api/accounts/${params.account_id}/payments/${params.payment_id}/receipt.pdf. ` +
          'The invoice with tax comes from Creem, the merchant of record.',
      ),
      paragraph(ending(operator)),
    ],
  }),
});
