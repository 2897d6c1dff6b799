import { z } from 'zod';
import {
  refundReasons,
  type CorrectionEvent,
  type DebtEvent,
  type RefundEvent,
} from '../../../domain/account/refunds/events.ts';
import type { Shapes } from './shape.ts';
import { credits, drawn, id, timeMs } from './values.ts';

const reason = z.string();
const refundHold = { refundId: id, lotId: id, amount: credits };
const disputed = { lotId: id, disputeId: id };
const given = z.object({ lotId: id, amount: credits, reason });

export const refundEventShapes: Shapes<RefundEvent> = {
  CreditsHeldForRefund: { version: 1, schema: z.object({ ...refundHold, reason: z.enum(refundReasons) }) },
  RefundHoldReleased: { version: 1, schema: z.object({ ...refundHold, reason }) },
  CreditsRefunded: {
    version: 1,
    schema: z.object({ lotId: id, reference: id, refundId: id.nullable(), amount: credits, awaited: credits }),
  },
  LotFrozen: { version: 1, schema: z.object({ ...disputed, amount: credits }) },
  LotUnfrozen: { version: 1, schema: z.object({ ...disputed, amount: credits }) },
  CreditsChargedBack: { version: 1, schema: z.object({ ...disputed, amount: credits, awaited: credits }) },
  ChargebackReversed: {
    version: 1,
    schema: z.object({ ...disputed, restored: credits, cancelled: credits, returned: drawn, reduced: credits }),
  },
  CreditsForfeited: { version: 1, schema: given },
  CreditsWaived: { version: 1, schema: given },
};

export const debtEventShapes: Shapes<DebtEvent> = {
  DebtIncurred: {
    version: 1,
    schema: z.object({ lotId: id, amount: credits, cause: z.enum(['refund', 'chargeback']), reference: id }),
  },
  DebtRepaid: { version: 1, schema: z.object({ lotId: id, amount: credits, from: id }) },
  DebtWrittenOff: { version: 1, schema: given },
};

export const correctionEventShapes: Shapes<CorrectionEvent> = {
  ChargeReversed: {
    version: 1,
    schema: z.object({
      ...{ requestId: id, amount: credits, reason, at: timeMs },
      ...{ returned: drawn, debtReduced: drawn, granted: drawn },
    }),
  },
};
