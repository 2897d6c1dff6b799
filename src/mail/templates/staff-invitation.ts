import { link, paragraph } from '../mail-body.ts';
import { defineTemplate, ending, instant, timeInMail } from './template.ts';
import { z } from 'zod';

export const staffInvitation = defineTemplate({
  params: { role: z.enum(['support', 'finance', 'operator', 'owner']), expires_at: instant },
  body: ({ params, operator, secret }) => ({
    subject: `You are invited to the staff of ${operator.name}`,
    blocks: [
      paragraph(`You are invited to work on ${operator.name} in the role "${params.role}".`),
      link('Accept the invitation', secret('link')),
      paragraph(
        `You need a second step for signing in: a passkey or an authenticator app. The invitation is valid until ` +
          `${timeInMail(params.expires_at)}. If you did not expect it, do nothing, and inform ${operator.supportEmail}.`,
      ),
      paragraph(ending(operator)),
    ],
  }),
});
