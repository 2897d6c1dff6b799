import { facts, link, paragraph } from '../../mail-body.ts';
import { defineTemplate, ending, timeInMail } from '../template.ts';
import { ofNotice } from './terms-changed.ts';

const CLASSES = [
  ['Input', 'input'],
  ['Cached input', 'cached_input'],
  ['Cache write', 'cache_write'],
  ['Output', 'output'],
  ['Reasoning', 'reasoning'],
] as const;

/** To the owners of accounts that used the model. Prices are in USD per million tokens. */
export const priceChanged = defineTemplate({
  params: ofNotice,
  body: ({ params, operator, name, text }) => ({
    subject: `A price of ${operator.name} changes`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph('your account has used a model whose price changes. Some requests will cost more.'),
      facts(
        ['Account', params.account_id],
        ['Model', text('model')],
        ['New price from', timeInMail(text('effective_at'))],
      ),
      paragraph('USD per million tokens, before and after:'),
      facts(...CLASSES.map(([label, of]) => [label, `${text(`old_${of}`)} -> ${text(`new_${of}`)}`] as const)),
      paragraph('The price of a request is the one in force when the request begins.'),
      link('All prices', `${operator.publicUrl}/api/prices`),
      paragraph(ending(operator)),
    ],
  }),
});
