import { z } from 'zod';
import type { ApprovalEvent } from '../../../domain/approvals/approvals.ts';
import type { Shapes } from './shape.ts';
import { credits, id, timeMs } from './values.ts';

const reason = z.string();

export const approvalEventShapes: Shapes<ApprovalEvent> = {
  ApprovalAsked: {
    version: 1,
    schema: z.object({
      act: z.discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('grant'),
          accountId: id,
          amount: credits,
          endsAt: timeMs.exactOptional(),
        }),
      ]),
      reason,
      by: id,
      personId: id.nullable(),
      until: z.int().nonnegative(),
    }),
  },
  ApprovalGiven: { version: 1, schema: z.object({ personId: id }) },
  ApprovalRefused: { version: 1, schema: z.object({ personId: id, reason }) },
  ActApproved: { version: 1, schema: z.object({ personId: id }) },
  ActCarriedOut: { version: 1, schema: z.object({}) },
  ActFailed: { version: 1, schema: z.object({ code: id }) },
};
