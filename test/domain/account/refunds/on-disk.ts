import type { CorrectionEvent, DebtEvent, RefundEvent } from '../../../../src/domain/account/refunds/events.ts';
import { AT, drawn } from '../examples.ts';
import {
  chargebackReversed,
  chargedBack,
  debt,
  frozen,
  heldForRefund,
  refunded,
  refundReleased,
  repaid,
  reversed,
  unfrozen,
} from './examples.ts';

type MoneyEvent = RefundEvent | DebtEvent | CorrectionEvent;
const given = { lotId: 'lot_2', amount: 5n, reason: 'resale' };

/** One of every type, and its data on disk. */
export const refundsOnDisk: {
  readonly [T in MoneyEvent['type']]: readonly [Extract<MoneyEvent, { type: T }>, string];
} = {
  CreditsHeldForRefund: [heldForRefund(5n), '{"refundId":"ref_1","lotId":"lot_2","amount":"5","reason":"not_needed"}'],
  RefundHoldReleased: [refundReleased(5n), '{"refundId":"ref_1","lotId":"lot_2","amount":"5","reason":"refused"}'],
  CreditsRefunded: [
    refunded(3n, { awaited: 2n }),
    '{"lotId":"lot_2","reference":"partner_ref_1","refundId":null,"amount":"3","awaited":"2"}',
  ],
  LotFrozen: [frozen(0n), '{"lotId":"lot_2","disputeId":"disp_1","amount":"0"}'],
  LotUnfrozen: [unfrozen(4n), '{"lotId":"lot_2","disputeId":"disp_1","amount":"4"}'],
  CreditsChargedBack: [chargedBack(3n, 2n), '{"lotId":"lot_2","disputeId":"disp_1","amount":"3","awaited":"2"}'],
  ChargebackReversed: [
    chargebackReversed(3n, { cancelled: 2n, returned: [drawn(1n, 'lot_3')], reduced: 4n }),
    '{"lotId":"lot_2","disputeId":"disp_1","restored":"3","cancelled":"2",' +
      '"returned":[{"lotId":"lot_3","amount":"1"}],"reduced":"4"}',
  ],
  CreditsForfeited: [{ type: 'CreditsForfeited', ...given }, '{"lotId":"lot_2","amount":"5","reason":"resale"}'],
  CreditsWaived: [{ type: 'CreditsWaived', ...given }, '{"lotId":"lot_2","amount":"5","reason":"resale"}'],
  DebtIncurred: [debt(5n), '{"lotId":"lot_2","amount":"5","cause":"refund","reference":"partner_ref_1"}'],
  DebtRepaid: [repaid(5n, 'lot_3'), '{"lotId":"lot_2","amount":"5","from":"lot_3"}'],
  DebtWrittenOff: [{ type: 'DebtWrittenOff', ...given }, '{"lotId":"lot_2","amount":"5","reason":"resale"}'],
  ChargeReversed: [
    reversed(6n, { returned: [drawn(1n)], debtReduced: [drawn(2n, 'lot_2')], granted: [drawn(3n, 'lot_3')] }),
    `{"requestId":"req_1","amount":"6","reason":"wrong model","at":${AT},` +
      '"returned":[{"lotId":"lot_1","amount":"1"}],"debtReduced":[{"lotId":"lot_2","amount":"2"}],' +
      '"granted":[{"lotId":"lot_3","amount":"3"}]}',
  ],
};
