import { facts, paragraph } from '../../mail-body.ts';
import { defineTemplate, ending, id, usd } from '../template.ts';

const about = { account_id: id, payment_id: id, amount_usd: usd };

/** To the owners and billing members. */
export const refundCompleted = defineTemplate({
  params: about,
  body: ({ params, operator, name }) => ({
    subject: `A payment to ${operator.name} was refunded`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph('Creem has refunded a payment, or a part of it, to the way in which you paid.'),
      facts(['Account', params.account_id], ['Payment', params.payment_id], ['Credits', `${params.amount_usd} USD`]),
      paragraph('The tax of this part is refunded with it. It can take some days until your bank shows the money.'),
      paragraph(ending(operator)),
    ],
  }),
});

/** The reason is the text of a member of the staff, and is only in the account. */
export const refundNotMade = defineTemplate({
  params: about,
  body: ({ params, operator, name }) => ({
    subject: `Your request for a refund from ${operator.name}`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph('the refund that you asked for is not made. Its credits are available again.'),
      facts(['Account', params.account_id], ['Payment', params.payment_id], ['Credits', `${params.amount_usd} USD`]),
      paragraph(`The reason is at GET /api/accounts/${params.account_id}/payments/${params.payment_id}.`),
      paragraph(ending(operator)),
    ],
  }),
});
