import { describe, expect, it } from 'vitest';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { accountPostings } from '../../../src/domain/account/postings.ts';
import { evolveBookedLots, type BookedLots } from '../../../src/domain/books/booked-lots.ts';
import { accountName, type BookAccount } from '../../../src/domain/books/chart.ts';
import { drawn, expired, paid, reserved, settled, toppedUp, writtenOff } from './examples.ts';

type Refunded = Extract<AccountEvent, { type: 'CreditsRefunded' }>;

/** As text: `2010 -3` is a credit of 3. */
const lines = (event: AccountEvent, ...before: readonly AccountEvent[]): readonly string[] => {
  const lots = before.reduce(evolveBookedLots, new Map() as BookedLots);
  return accountPostings(event, lots).map(({ account, amount }) => `${account} ${amount}`);
};

const [PAID, GRANT] = ['lot_paid', 'lot_grant'];
const lots = [paid(10n, PAID), toppedUp(10n, GRANT)];
const charge = (...draws: ReturnType<typeof drawn>[]): AccountEvent =>
  settled(5, { held: 5n, charged: 5n, released: 0n, drawn: draws });
const held: AccountEvent = {
  ...{ type: 'CreditsHeldForRefund', refundId: 'rfd_1', lotId: PAID, amount: 4n, reason: 'not_needed' },
};
const frozen: AccountEvent = { type: 'LotFrozen', lotId: PAID, disputeId: 'dsp_1', amount: 3n };
const refunded = (amount: bigint, refundId: string | null = null): Refunded => ({
  ...{ type: 'CreditsRefunded', lotId: PAID, reference: 'ref_1', refundId, amount, awaited: 0n },
});
const chargedBack = (amount: bigint): AccountEvent => ({
  ...{ type: 'CreditsChargedBack', lotId: PAID, disputeId: 'dsp_1', amount, awaited: 0n },
});
const indebted = (amount: bigint, reference = 'dsp_1'): AccountEvent => ({
  ...{ type: 'DebtIncurred', lotId: PAID, amount, cause: 'chargeback', reference },
});
const reversed = (lists: Partial<Extract<AccountEvent, { type: 'ChargeReversed' }>>): AccountEvent => ({
  ...{ type: 'ChargeReversed', requestId: 'req_1', amount: 2n, reason: 'wrong answer', at: 0 },
  ...{ returned: [], debtReduced: [], granted: [], ...lists },
});

describe('the postings of', () => {
  it('a payment: what was received is owed to the customer', () =>
    expect(lines(paid(10n, PAID))).toEqual(['1140 10', '2010 -10']));

  it('a grant: no expense until it is used', () =>
    expect(lines(toppedUp(10n, GRANT))).toEqual(['2021 10', '2020 -10']));

  it('a hold: nothing', () => expect(lines(reserved(5n), ...lots)).toEqual([]));

  it('usage that was written off: nothing', () => expect(lines(writtenOff(5n), ...lots)).toEqual([]));

  it('a charge: revenue of the model, and its contra as far as promotional credits paid', () =>
    expect(lines(charge(drawn(2n, GRANT), drawn(3n, PAID)), ...lots)).toEqual([
      ...['2020 2', '4010:simulated-small -2', '4900 2', '2021 -2'],
      ...['2010 3', '4010:simulated-small -3'],
    ]));

  it('a promotional lot that ends: the reverse of the grant', () =>
    expect(lines(expired(4n, GRANT), ...lots)).toEqual(['2020 4', '2021 -4']));

  it('a refund that is held, and released', () => {
    expect(lines(held, ...lots)).toEqual(['2010 4', '2030 -4']);
    const release = { refundId: 'rfd_1', lotId: PAID, amount: 4n, reason: 'refused' };
    expect(lines({ type: 'RefundHoldReleased', ...release }, ...lots, held)).toEqual(['2030 4', '2010 -4']);
  });

  it('a refund: what is held for it first, then what is frozen, then the rest', () =>
    expect(lines(refunded(9n, 'rfd_1'), ...lots, held, frozen)).toEqual([
      ...['2030 4', '1140 -4', '2040 3', '1140 -3', '2010 2', '1140 -2'],
    ]));

  it('a refund that no request has asked for: not what is held for others', () =>
    expect(lines(refunded(2n), ...lots, held)).toEqual(['2010 2', '1140 -2']));

  it('the rest of a refund, which waited for open holds: nothing that is held under the same id', () => {
    const first: AccountEvent = { ...refunded(4n, 'rfd_1'), awaited: 2n };
    expect(lines(refunded(2n, 'rfd_1'), ...lots, held, first, held)).toEqual(['2010 2', '1140 -2']);
  });

  it('a freeze, and its end', () => {
    expect(lines(frozen, ...lots)).toEqual(['2010 3', '2040 -3']);
    expect(lines({ ...frozen, type: 'LotUnfrozen' }, ...lots, frozen)).toEqual(['2040 3', '2010 -3']);
  });

  it('a chargeback: what is frozen first', () =>
    expect(lines(chargedBack(5n), ...lots, frozen)).toEqual(['2040 3', '1140 -3', '2010 2', '1140 -2']));

  it('a chargeback that is reversed: the credits, the debts, and what was written off or reversed of them', () => {
    const writeOff: AccountEvent = { type: 'DebtWrittenOff', lotId: PAID, amount: 4n, reason: 'insolvent' };
    const other: AccountEvent = { type: 'DebtRepaid', lotId: PAID, amount: 2n, from: 'lot_next' };
    const reversal: AccountEvent = {
      ...{ type: 'ChargebackReversed', lotId: PAID, disputeId: 'dsp_1', restored: 3n, cancelled: 2n },
      ...{ returned: [drawn(1n, 'lot_next')], reduced: 1n },
    };
    // Of another dispute, the oldest: 1 is repaid. Of this one, 1 is repaid, 4 are written off, 1 is reversed, 2 are open.
    const less = reversed({ debtReduced: [drawn(1n, PAID)] });
    const debts = [indebted(1n, 'dsp_0'), indebted(5n), indebted(3n), other, writeOff, less];
    expect(lines(reversal, ...lots, chargedBack(3n), ...debts)).toEqual([
      ...['1140 3', '2010 -3', '1140 2', '1200 -2', '1140 1', '2010 -1', '1140 1', '2010 -1', '1140 4', '6020 -4'],
    ]);
  });

  it('a debt that is incurred, repaid and written off', () => {
    expect(lines(indebted(5n), ...lots)).toEqual(['1200 5', '1140 -5']);
    const repaid: AccountEvent = { type: 'DebtRepaid', lotId: PAID, amount: 3n, from: 'lot_next' };
    expect(lines(repaid, ...lots, indebted(5n))).toEqual(['2010 3', '1200 -3']);
    const lost: AccountEvent = { type: 'DebtWrittenOff', lotId: PAID, amount: 2n, reason: 'insolvent' };
    expect(lines(lost, ...lots, indebted(5n))).toEqual(['6020 2', '1200 -2']);
  });

  it('credits that are forfeited or waived: revenue', () => {
    const end = { lotId: PAID, amount: 4n, reason: 'closed' };
    expect(lines({ type: 'CreditsForfeited', ...end }, ...lots)).toEqual(['2010 4', '4090 -4']);
    expect(lines({ type: 'CreditsWaived', ...end }, ...lots)).toEqual(['2010 4', '4095 -4']);
  });

  it('a charge that is reversed: less revenue, and for promotional credits less of its contra', () => {
    expect(lines(reversed({ returned: [drawn(2n, PAID)] }), ...lots)).toEqual(['4910 2', '2010 -2']);
    expect(lines(reversed({ returned: [drawn(2n, GRANT)] }), ...lots)).toEqual([
      ...['4910 2', '2020 -2', '2021 2', '4900 -2'],
    ]);
    expect(lines(reversed({ debtReduced: [drawn(2n, PAID)] }), ...lots)).toEqual(['4910 2', '1200 -2']);
    expect(lines(reversed({ granted: [drawn(2n, GRANT)] }), ...lots)).toEqual(['4910 2', '4900 -2']);
  });

  it('an event without credits: nothing', () => expect(lines({ ...frozen, amount: 0n }, ...lots)).toEqual([]));
});

it.each<[BookAccount, string]>([
  ['2030', 'Liabilities:Customer-Credits:Held-For-Refund'],
  ['4010:org/model:free', 'Revenue:Usage:org/model:free'],
  ['6010:Chargeback', 'Expenses:Payment-Fees:Chargeback'],
])('the name of %s is %s', (account, name) => expect(accountName(account)).toBe(name));
