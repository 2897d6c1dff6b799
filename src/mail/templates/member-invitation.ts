import { link, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, instant, timeInMail } from './template.ts';
import { z } from 'zod';

export const memberInvitation = defineTemplate({
  params: { role: z.enum(['owner', 'billing', 'developer']), expires_at: instant },
  body: ({ params, operator, secret }) => ({
    subject: `You are invited to an account with ${operator.name}`,
    blocks: [
      paragraph(
        `${secret('actorName')} invites you to the account of ${secret('accountName')} with ${operator.name}, in the ` +
          `role "${params.role}".`,
      ),
      link('Accept the invitation', secret('link')),
      paragraph(
        `The invitation is valid until ${timeInMail(params.expires_at)}. If you do not know the sender, do nothing.`,
      ),
      paragraph(ending(operator)),
    ],
  }),
});
