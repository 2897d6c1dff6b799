import { z } from 'zod';
import { answerWays, closingReasons, contactTopics, type ContactEvent } from '../../../domain/contacts/events.ts';
import type { Shapes } from './shape.ts';
import { id, timeMs } from './values.ts';

const sealed = z.string().min(1);

export const contactEventShapes: Shapes<ContactEvent> = {
  ContactOpened: {
    version: 1,
    schema: z.object({
      ...{ accountId: id.nullable(), personId: id.nullable(), topic: z.enum(contactTopics), sealed, replyBy: timeMs },
    }),
  },
  ContactLinked: { version: 1, schema: z.object({ accountId: id }) },
  ContactAnswered: { version: 1, schema: z.object({ how: z.enum(answerWays), sealed }) },
  ContactClosed: { version: 1, schema: z.object({ reason: z.enum(closingReasons) }) },
};
