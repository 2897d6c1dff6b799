import { z } from 'zod';
import type { ApprovalEvent } from '../../../domain/approvals/approvals.ts';
import type { Shapes } from './shape.ts';
import { credits, id, timeMs } from './values.ts';

const reason = z.string();
const act = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('grant'), accountId: id, amount: credits, endsAt: timeMs.exactOptional() }),
  z.strictObject({ kind: z.literal('refund'), accountId: id, paymentId: id, refundId: id, amount: credits }),
]);
/** Version 1 has no act but a grant whose credits do not end. */
const onlyGrants = (data: unknown): unknown => {
  const { act } = data as { readonly act: { readonly kind: string } };
  return act.kind === 'grant' && !('endsAt' in act) ? data : undefined;
};

export const approvalEventShapes: Shapes<ApprovalEvent> = {
  ApprovalAsked: {
    version: 2,
    schema: z.object({ act, reason, by: id, personId: id.nullable(), until: z.int().nonnegative() }),
    lift: { 1: (data) => data },
    lower: { 1: onlyGrants },
  },
  ApprovalGiven: { version: 1, schema: z.object({ personId: id }) },
  ApprovalRefused: { version: 1, schema: z.object({ personId: id, reason }) },
  ActApproved: { version: 1, schema: z.object({ personId: id }) },
  ActCarriedOut: { version: 1, schema: z.object({}) },
  ActFailed: { version: 1, schema: z.object({ code: id }) },
};
