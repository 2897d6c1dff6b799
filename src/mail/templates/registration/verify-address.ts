import { code, link, paragraph } from '../../mail-body.ts';
import { defineTemplate, ending, instant, timeInMail } from '../template.ts';

/** The address is not verified, so the mail has no name in it: a stranger may have entered both. */
export const verifyAddress = defineTemplate({
  params: { expires_at: instant },
  body: ({ params, operator, secret }) => ({
    subject: `Confirm your e-mail address for ${operator.name}`,
    blocks: [
      paragraph(
        `Someone has registered with ${operator.name} and this e-mail address. If it was you, enter this code:`,
      ),
      code(secret('code')),
      link('Or open this page and press the button', secret('link')),
      paragraph(
        `The code is valid until ${timeInMail(params.expires_at)}. If it was not you, do nothing: without the code, the ` +
          'registration lapses.',
      ),
      paragraph(ending(operator)),
    ],
  }),
});
