import { code, link, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, instant, timeInMail } from './template.ts';

/** To the new address, which is not verified: no name in it. */
export const confirmAddress = defineTemplate({
  params: { expires_at: instant },
  body: ({ params, operator, secret }) => ({
    subject: `Confirm your new e-mail address for ${operator.name}`,
    blocks: [
      paragraph(
        `An account with ${operator.name} is to use this e-mail address from now on. To confirm it, enter this code:`,
      ),
      code(secret('code')),
      link('Or open this page and press the button', secret('link')),
      paragraph(
        `The code is valid until ${timeInMail(params.expires_at)}. If you did not ask for this, do nothing: the address ` +
          'is then not used.',
      ),
      paragraph(ending(operator)),
    ],
  }),
});
