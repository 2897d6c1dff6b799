import { z } from 'zod';
import {
  noticeOutcomes,
  violationCategories,
  violationConsequences,
  type ConductEvent,
  type ContactNote,
  type NoticeEvent,
} from '../../../domain/account/conduct/events.ts';
import type { Shapes } from './shape.ts';
import { id, timeMs } from './values.ts';

const reason = z.object({ reason: z.string() });

export const noticeEventShapes: Shapes<NoticeEvent> = {
  NoticeQueued: {
    version: 1,
    schema: z.object({
      noticeId: id,
      about: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('terms'), document: id, version: id }),
        z.strictObject({ kind: z.literal('price'), model: id, version: z.int().positive() }),
        z.strictObject({ kind: z.literal('delisting'), model: id, effectiveFrom: timeMs }),
      ]),
    }),
  },
  NoticeAnswered: { version: 1, schema: z.object({ noticeId: id, outcome: z.enum(noticeOutcomes) }) },
};

export const conductEventShapes: Shapes<ConductEvent> = {
  ResaleAuthorized: { version: 1, schema: reason },
  ResaleAuthorizationEnded: { version: 1, schema: reason },
  ViolationRecorded: {
    version: 1,
    schema: z.object({
      violationId: id,
      category: z.enum(violationCategories),
      evidence: z.array(id),
      consequence: z.enum(violationConsequences),
      reason: z.string(),
    }),
  },
  AccountTerminated: {
    version: 1,
    schema: z.object({ violationId: id, reason: z.string(), forfeited: z.boolean() }),
  },
};

export const contactNoteShapes: Shapes<ContactNote> = {
  ContactNoted: { version: 1, schema: z.object({ contactId: id, topic: id }) },
  ContactAnswerNoted: { version: 1, schema: z.object({ contactId: id }) },
};
