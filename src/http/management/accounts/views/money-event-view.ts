import type { Draw, SuspensionCause } from '../../../../domain/account/events.ts';
import type { CorrectionEvent, DebtEvent, RefundEvent } from '../../../../domain/account/refunds/events.ts';
import { formatUsd } from '../../../../domain/money.ts';

type MoneyEvent = RefundEvent | DebtEvent | CorrectionEvent;

/** As `dataOf`, for credits that leave an account without being used, debts and reversals. */
export const moneyDataOf = (event: MoneyEvent) => {
  switch (event.type) {
    case 'CreditsHeldForRefund':
    case 'RefundHoldReleased':
      return { refund_id: event.refundId, ...viewDraw(event), reason: event.reason };
    case 'CreditsRefunded':
      return {
        ...{ ...viewDraw(event), awaited_usd: formatUsd(event.awaited) },
        ...{ refund_id: event.refundId, reference: event.reference },
      };
    case 'LotFrozen':
    case 'LotUnfrozen':
      return { ...viewDraw(event), dispute_id: event.disputeId };
    case 'CreditsChargedBack':
      return { ...viewDraw(event), awaited_usd: formatUsd(event.awaited), dispute_id: event.disputeId };
    case 'ChargebackReversed':
      return {
        ...{ lot_id: event.lotId, dispute_id: event.disputeId },
        ...{ restored_usd: formatUsd(event.restored), cancelled_usd: formatUsd(event.cancelled) },
        ...{ returned: event.returned.map(viewDraw), reduced_usd: formatUsd(event.reduced) },
      };
    case 'CreditsForfeited':
    case 'CreditsWaived':
    case 'DebtWrittenOff':
      return { ...viewDraw(event), reason: event.reason };
    case 'DebtIncurred':
      return { ...viewDraw(event), cause: event.cause, reference: event.reference };
    case 'DebtRepaid':
      return { ...viewDraw(event), from_lot_id: event.from };
    case 'ChargeReversed':
      return {
        ...{ generation_id: event.requestId, amount_usd: formatUsd(event.amount), reason: event.reason },
        at: new Date(event.at).toISOString(),
        ...{ returned: event.returned.map(viewDraw), debt_reduced: event.debtReduced.map(viewDraw) },
        granted: event.granted.map(viewDraw),
      };
  }
};

export const viewDraw = ({ lotId, amount }: Draw) => ({ lot_id: lotId, amount_usd: formatUsd(amount) });

export const viewCause = (cause: SuspensionCause) => {
  switch (cause.kind) {
    case 'dispute':
      return { kind: cause.kind, dispute_id: cause.disputeId };
    case 'violation':
      return { kind: cause.kind, violation_id: cause.violationId };
    case 'staff':
    case 'debt':
      return { kind: cause.kind };
  }
};
