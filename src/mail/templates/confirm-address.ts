import { z } from 'zod';
import { code, link, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, instant, timeInMail } from './template.ts';

/** To the new address, which is not verified: no name in it. Support asks for a lost mailbox, from another browser: no code. */
export const confirmAddress = defineTemplate({
  params: { expires_at: instant, asked_by: z.literal('support').optional() },
  body: ({ params, operator, secret }) => ({
    subject: `Confirm your new e-mail address for ${operator.name}`,
    blocks: [
      paragraph(`An account with ${operator.name} is to use this e-mail address from now on.`),
      ...(params.asked_by === 'support'
        ? [link('To confirm it, open this page and press the button', secret('link'))]
        : [
            paragraph('To confirm it, enter this code:'),
            code(secret('code')),
            link('Or open this page and press the button', secret('link')),
          ]),
      paragraph(
        `This is possible until ${timeInMail(params.expires_at)}. If you did not ask for this, do nothing: the address is ` +
          'then not used.',
      ),
      paragraph(ending(operator)),
    ],
  }),
});
