import { link, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, instant, timeInMail } from './template.ts';

/** To the old address. The new one is not shown: the mailbox may no longer be that of the holder. */
export const addressChanged = defineTemplate({
  params: { changed_at: instant, undo_until: instant },
  body: ({ params, operator, secret }) => ({
    subject: `Your e-mail address for ${operator.name} was changed`,
    blocks: [
      paragraph(
        `The e-mail address of your account with ${operator.name} was changed on ${timeInMail(params.changed_at)}. Mail ` +
          'now goes to the new address.',
      ),
      link('If it was not you, undo the change here', secret('link')),
      paragraph(`The change can be undone for seven days, until ${timeInMail(params.undo_until)}.`),
      paragraph(ending(operator)),
    ],
  }),
});
