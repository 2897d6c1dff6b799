import { facts, link, paragraph } from '../../mail-body.ts';
import { defineTemplate, ending, timeInMail } from '../template.ts';
import { ofNotice } from './terms-changed.ts';

/** To the owners of accounts that used the model. */
export const modelDelisted = defineTemplate({
  params: ofNotice,
  body: ({ params, operator, name, text }) => ({
    subject: `${operator.name} takes a model off sale`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph(
        'your account has used a model that will be taken off sale. From that time on, requests for it are refused.',
      ),
      facts(
        ['Account', params.account_id],
        ['Model', text('model')],
        ['Sold until', timeInMail(text('effective_at'))],
        ['Reason', text('reason')],
      ),
      link('Models on sale', `${operator.publicUrl}/api/prices`),
      paragraph(ending(operator)),
    ],
  }),
});
