import { link, paragraph } from '../../mail-body.ts';
import { defineTemplate, ending } from '../template.ts';

/** The page shows the same for every address, so this mail is the only hint that the address has an account. */
export const alreadyRegistered = defineTemplate({
  params: {},
  body: ({ operator }) => ({
    subject: `You already have an account with ${operator.name}`,
    blocks: [
      paragraph(
        `Somebody tried to use your e-mail address for another account with ${operator.name}. You already have an ` +
          'account, so it was not used for a second one, and nothing has changed.',
      ),
      link('If it was you, sign in here', operator.publicUrl),
      paragraph('If it was not you, there is nothing to do.'),
      paragraph(ending(operator)),
    ],
  }),
});
