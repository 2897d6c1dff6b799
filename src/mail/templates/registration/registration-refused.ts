import { paragraph } from '../../mail-body.ts';
import { defineTemplate, ending } from '../template.ts';

/** The page shows the same for every address, so this mail is the only answer. */
export const registrationRefused = defineTemplate({
  params: {},
  body: ({ operator }) => ({
    subject: `No account with ${operator.name} for this address`,
    blocks: [
      paragraph(
        `Somebody, probably you, registered with ${operator.name} with this e-mail address. An account of its owner was ended for a violation of the terms, so no other account is opened for it.`,
      ),
      paragraph(`If you object, write to ${operator.supportEmail}. If it was not you, there is nothing to do.`),
      paragraph(ending(operator)),
    ],
  }),
});
