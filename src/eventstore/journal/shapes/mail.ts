import { z } from 'zod';
import { PLAIN_FACT, type MailEvent } from '../../../domain/mail/mail.ts';
import type { Shapes } from './shape.ts';
import { instant } from './values.ts';

const fact = z.string().regex(PLAIN_FACT);
/** A code, and possibly an enhanced status (RFC 3463). Never text of the server, which may contain the address. */
const reply = z.string().regex(/^\d{3}(?: \d\.\d{1,3}\.\d{1,3})?$/);

export const mailEventShapes: Shapes<MailEvent> = {
  MailQueued: {
    version: 1,
    schema: z.object({
      to: z.strictObject({ kind: fact, id: fact }),
      template: z.string().regex(/^[a-z_]{1,50}$/),
      params: z.record(fact, fact),
    }),
  },
  MailDeferred: {
    version: 1,
    schema: z.object({ attempt: z.int().positive(), reply: reply.nullable(), until: instant }),
  },
  MailSent: { version: 1, schema: z.object({ messageId: z.string(), reply }) },
  MailFailed: {
    version: 1,
    schema: z.object({ reason: z.enum(['rejected', 'gave_up', 'no_address', 'obsolete']), reply: reply.nullable() }),
  },
};
