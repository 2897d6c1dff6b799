import { z } from 'zod';
import type { ReactionEvent } from '../../../domain/reactions/parked-reactions.ts';
import type { Shapes } from './shape.ts';

const reaction = z.object({ eventId: z.uuid(), stream: z.string().min(1), command: z.int().nonnegative() });

export const reactionEventShapes: Shapes<ReactionEvent> = {
  ReactionParked: { version: 1, schema: z.object({ ...reaction.shape, refusal: z.string() }) },
  ReactionResumed: { version: 1, schema: z.object({ ...reaction.shape, reason: z.string() }) },
};
