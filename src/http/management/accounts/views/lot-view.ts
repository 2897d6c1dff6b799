import { z } from 'zod';
import { free, isDisputed, isPaid, type Lot } from '../../../../domain/account/lots.ts';
import { available, type Wallet } from '../../../../domain/account/wallet.ts';
import { formatUsd, min, type Credits } from '../../../../domain/money.ts';
import { lotId, time, usd } from '../../router/fields.ts';

const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('grant'), reason: z.string() }),
  z.strictObject({ kind: z.literal('payment'), reference: z.string() }),
]);

export const lotView = z
  .strictObject({
    lot_id: lotId,
    source,
    ends_at: time.nullable().meta({ description: 'When unused credits end; null if they do not end' }),
    amount_usd: usd.meta({ description: 'What was paid or granted' }),
    used_usd: usd.meta({ description: 'Charged from this lot' }),
    reversed_usd: usd.meta({ description: 'Put back into it by reversals of charges' }),
    repaid_usd: usd.meta({ description: 'Used to repay debt' }),
    remaining_usd: usd.meta({ description: 'The amount and what was reversed, less all others' }),
    held_for_refund_usd: usd,
    frozen_usd: usd.meta({ description: 'Its payment is disputed' }),
    refundable_usd: usd.meta({
      description: 'What a refund of this payment can be now, if nothing else is refunded or used',
    }),
    refunded_usd: usd,
    charged_back_usd: usd,
    expired_usd: usd,
    forfeited_usd: usd,
    waived_usd: usd.meta({ description: 'What the holder gave up' }),
  })
  .meta({ id: 'Lot' });

type LotView = z.output<typeof lotView>;

/** Lots with credits in the order in which they pay, then payments without, the oldest first. */
export const viewLots = (wallet: Wallet): readonly LotView[] => {
  const spent = [...wallet.spentLots].filter(([, lot]) => isPaid(lot)).toSorted(([, a], [, b]) => a.age - b.age);
  return [...wallet.lots, ...spent].map(([lotId, lot]) => viewLot(wallet, lotId, lot));
};

const viewLot = (wallet: Wallet, lotId: string, lot: Lot): LotView => ({
  lot_id: lotId,
  source: lot.source,
  ends_at: lot.endsAt === null ? null : new Date(lot.endsAt).toISOString(),
  amount_usd: formatUsd(lot.amount),
  used_usd: formatUsd(lot.used),
  reversed_usd: formatUsd(lot.reversed),
  repaid_usd: formatUsd(lot.repaid),
  remaining_usd: formatUsd(lot.remaining),
  held_for_refund_usd: formatUsd(lot.heldForRefund),
  frozen_usd: formatUsd(lot.frozen),
  refundable_usd: formatUsd(refundable(wallet, lot)),
  refunded_usd: formatUsd(lot.refunded),
  charged_back_usd: formatUsd(lot.chargedBack),
  expired_usd: formatUsd(lot.expired),
  forfeited_usd: formatUsd(lot.forfeited),
  waived_usd: formatUsd(lot.waived),
});

const refundable = (wallet: Wallet, lot: Lot): Credits =>
  isPaid(lot) && !isDisputed(lot) ? min(free(lot), available(wallet)) : 0n;

export const lotExample: LotView = {
  lot_id: 'lot_5a90c3d7e1f24b68a0c4d792',
  source: { kind: 'grant', reason: 'Welcome credits' },
  ends_at: '2026-12-31T00:00:00.000Z',
  ...{ amount_usd: '5.00', used_usd: '0.0025', reversed_usd: '0.00', repaid_usd: '0.00', remaining_usd: '4.9975' },
  ...{ held_for_refund_usd: '0.00', frozen_usd: '0.00', refundable_usd: '0.00' },
  ...{ refunded_usd: '0.00', charged_back_usd: '0.00', expired_usd: '0.00' },
  ...{ forfeited_usd: '0.00', waived_usd: '0.00' },
};
