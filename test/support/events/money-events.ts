import { expect } from 'vitest';
import type { Draw, SuspensionCause } from '../../../src/domain/account/events.ts';
import type {
  CorrectionEvent,
  DebtEvent,
  RefundEvent,
  RefundReason,
} from '../../../src/domain/account/refunds/events.ts';
import { parseUsd, type Credits } from '../../../src/domain/money.ts';
import type { EventView } from '../../../src/http/management/accounts/views/event-view.ts';

export type Data = EventView['data'];
export type MoneyEvent = RefundEvent | DebtEvent | CorrectionEvent;

/** The inverse of `moneyDataOf`. */
export const moneyEventOf = (type: MoneyEvent['type'], data: Data): MoneyEvent => {
  const text = (name: string): string => String(data[name]);
  const money = (name: string): Credits => usd(data, name);
  const draw = (): Draw => ({ lotId: text('lot_id'), amount: money('amount_usd') });
  switch (type) {
    case 'CreditsHeldForRefund':
      return { type, refundId: text('refund_id'), ...draw(), reason: text('reason') as RefundReason };
    case 'RefundHoldReleased':
      return { type, refundId: text('refund_id'), ...draw(), reason: text('reason') };
    case 'CreditsRefunded':
      return {
        ...{ type, ...draw(), awaited: money('awaited_usd'), reference: text('reference') },
        refundId: data['refund_id'] === null ? null : text('refund_id'),
      };
    case 'LotFrozen':
    case 'LotUnfrozen':
      return { type, ...draw(), disputeId: text('dispute_id') };
    case 'CreditsChargedBack':
      return { type, ...draw(), awaited: money('awaited_usd'), disputeId: text('dispute_id') };
    case 'ChargebackReversed':
      return {
        ...{ type, lotId: text('lot_id'), disputeId: text('dispute_id') },
        ...{ restored: money('restored_usd'), cancelled: money('cancelled_usd'), returned: drawsOf(data, 'returned') },
        reduced: money('reduced_usd'),
      };
    case 'CreditsForfeited':
    case 'CreditsWaived':
    case 'DebtWrittenOff':
      return { type, ...draw(), reason: text('reason') };
    case 'DebtIncurred':
      return { type, ...draw(), cause: text('cause') as 'refund' | 'chargeback', reference: text('reference') };
    case 'DebtRepaid':
      return { type, ...draw(), from: text('from_lot_id') };
    case 'ChargeReversed':
      return {
        ...{ type, requestId: text('generation_id'), amount: money('amount_usd'), reason: text('reason') },
        ...{ at: Date.parse(text('at')), returned: drawsOf(data, 'returned') },
        ...{ debtReduced: drawsOf(data, 'debt_reduced'), granted: drawsOf(data, 'granted') },
      };
  }
};

export const causeOf = (data: Data): SuspensionCause => {
  const cause = data['cause'] as { kind: SuspensionCause['kind']; dispute_id?: string; violation_id?: string };
  const { kind } = cause;
  if (kind === 'violation') return { kind, violationId: String(cause.violation_id) };
  return kind === 'dispute' ? { kind, disputeId: String(cause.dispute_id) } : { kind };
};

export const drawsOf = (data: Data, name: string): readonly Draw[] =>
  (data[name] as unknown as readonly Data[]).map((draw) => ({
    lotId: String(draw['lot_id']),
    amount: usd(draw, 'amount_usd'),
  }));

export const usd = (data: Data, name: string): Credits => {
  const credits = parseUsd(String(data[name]));
  expect(credits, `${name} in ${JSON.stringify(data)}`).toBeDefined();
  return credits ?? 0n;
};
