import { facts, link, paragraph } from '../../mail-body.ts';
import { defineTemplate, ending, id, timeInMail } from '../template.ts';

/** All mails of notices have these params. What was announced is read from the log when the mail is sent. */
export const ofNotice = { account_id: id, notice_id: id };

/** To the owners, before a significant change takes effect. `url` is that of the text. */
export const termsChanged = defineTemplate({
  params: ofNotice,
  body: ({ params, operator, name, text }) => ({
    subject: `${operator.name} changes its ${text('document')}`,
    blocks: [
      paragraph(name === undefined ? 'Hello,' : `Hello ${name},`),
      paragraph(`a new version of the ${text('document')} of ${operator.name} takes effect soon.`),
      facts(
        ['Account', params.account_id],
        ['Document', text('document')],
        ['Version', text('version')],
        ['Takes effect', timeInMail(text('effective_at'))],
      ),
      paragraph(`What changes: ${text('summary')}`),
      link('The new text', text('url')),
      link('The differences from the version before it', text('changes_url')),
      paragraph('If you use the service after that time, you accept this version.'),
      paragraph(
        `If you do not accept it, write to ${operator.supportEmail} before that time: support closes your account, ` +
          'and you can ask for a refund of your unused credits.',
      ),
      paragraph(ending(operator)),
    ],
  }),
});
