import { facts, paragraph } from '../../mail-body.ts';
import { defineTemplate, ending } from '../template.ts';
import { ofNotice } from './terms-changed.ts';

/** To the recipients of the notice about the announcement. */
export const announcementWithdrawn = defineTemplate({
  params: ofNotice,
  body: ({ params, operator, name, text }) => ({
    subject: `A change that ${operator.name} announced is withdrawn`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph('a change that we announced to you will not take effect. You need not do anything.'),
      facts(['Account', params.account_id], ['Withdrawn', text('what')], ['Reason', text('reason')]),
      paragraph(ending(operator)),
    ],
  }),
});
