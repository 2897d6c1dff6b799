import { facts, link, paragraph } from '../../mail-body.ts';
import { defineTemplate, ending, id, usd } from '../template.ts';

/** To support. */
export const paymentDisputed = defineTemplate({
  params: { account_id: id, payment_id: id, dispute_id: id, amount_usd: usd },
  body: ({ params, operator }) => ({
    subject: `Payment ${params.payment_id} of ${params.account_id} is disputed`,
    blocks: [
      paragraph('A customer disputes a payment. What is left of its credits is frozen, and the account cannot spend.'),
      facts(
        ['Account', params.account_id],
        ['Payment', params.payment_id],
        ['Dispute', params.dispute_id],
        ['Credits', `${params.amount_usd} USD`],
      ),
      paragraph('Creem sends no event when a dispute ends. Close it as won or lost when Creem shows the outcome.'),
      link('Management API', `${operator.publicUrl}/api/docs`),
      paragraph(ending(operator)),
    ],
  }),
});

/** To support: money has arrived that is not credited. */
export const paymentQuarantined = defineTemplate({
  params: { account_id: id, payment_id: id, reason: id },
  body: ({ params, operator }) => ({
    subject: `Payment ${params.payment_id} of ${params.account_id} waits for a decision`,
    blocks: [
      paragraph('A payment has arrived that is not what was asked. It is not credited until staff decide.'),
      facts(['Account', params.account_id], ['Payment', params.payment_id], ['Reason', params.reason]),
      link('Management API', `${operator.publicUrl}/api/docs`),
      paragraph(ending(operator)),
    ],
  }),
});
