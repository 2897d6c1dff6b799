import { code, link, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, instant, timeInMail } from './template.ts';

export const signIn = defineTemplate({
  params: { expires_at: instant },
  body: ({ params, operator, secret }) => ({
    subject: `Your sign-in code for ${operator.name}`,
    blocks: [
      paragraph('Enter this code to sign in:'),
      code(secret('code')),
      link('Or open this page and press the button', secret('link')),
      paragraph(
        `The code is valid once, until ${timeInMail(params.expires_at)}. Give it to no one: our support never asks for ` +
          'it. If you did not ask for it, do nothing.',
      ),
      paragraph(ending(operator)),
    ],
  }),
});
