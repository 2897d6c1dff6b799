import { paragraph } from '../../mail-body.ts';
import { defineTemplate, ending } from '../template.ts';

/** The API returns the same response for every address, so only this mail states the refusal. */
export const registrationRefused = defineTemplate({
  params: {},
  body: ({ operator }) => ({
    subject: `No account with ${operator.name} for this address`,
    blocks: [
      paragraph(
        `Someone, probably you, registered with ${operator.name} with this e-mail address. An account of its owner was terminated for a violation of the terms, so we do not open another one.`,
      ),
      paragraph(`If you object, write to ${operator.supportEmail}. If it was not you, ignore this mail.`),
      paragraph(ending(operator)),
    ],
  }),
});
