import { describe, expect, it } from 'vitest';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import {
  closed,
  customer,
  drawn,
  erased,
  keyRevoked,
  paid,
  released,
  reserved,
  settled,
  toppedUp,
} from '../domain/account/examples.ts';
import {
  chargebackReversed,
  chargedBack,
  debt,
  ended,
  endingGrant,
  frozen,
  heldForRefund,
  refunded,
  reinstatedFromDebt,
  reinstatedFromDispute,
  repaid,
  reversed,
  suspendedFor,
  suspendedForDebt,
  suspendedForDispute,
  unfrozen,
} from '../domain/account/refunds/examples.ts';
import { audit, BrokenBooks } from './audit-history.ts';

const used = (amount: bigint, lotId = 'lot_2'): readonly AccountEvent[] => [
  reserved(amount),
  settled(Number(amount), { held: amount, charged: amount, released: 0n, drawn: [drawn(amount, lotId)] }),
];
const owing = [paid(10n), ...used(10n), refunded(0n), debt(10n), suspendedForDebt];
const disputed = [paid(10n), frozen(10n), suspendedForDispute];
const awaiting = [paid(10n), reserved(10n), refunded(0n, { awaited: 10n })];
const forfeited: AccountEvent = { type: 'CreditsForfeited', lotId: 'lot_2', amount: 10n, reason: 'resale' };
const thresholdOf = (amount: bigint): AccountEvent => ({ type: 'LowBalanceThresholdSet', amount });
const threshold = thresholdOf(5n);
const writtenOff = (amount: bigint): AccountEvent => ({
  ...{ type: 'DebtWrittenOff', lotId: 'lot_2', amount, reason: 'not collectable' },
});
const twice = [...disputed, frozen(0n, 'disp_2'), suspendedFor('disp_2')];
/** A debt of 10 of a lost dispute, of which a reversal has taken 4. */
const lessOwed = [
  ...[paid(10n), ...used(10n), frozen(0n), suspendedForDispute, chargedBack(0n)],
  ...[debt(10n, 'chargeback', 'disp_1'), suspendedForDebt, reinstatedFromDispute],
  reversed(4n, { debtReduced: [drawn(4n, 'lot_2')] }),
];

it.each<[string, readonly AccountEvent[]]>([
  ['a refund', [paid(10n), reserved(4n), refunded(6n)]],
  ['a refund that waits for a hold', [...awaiting, released(10n), refunded(10n)]],
  ['a debt that is repaid', [...owing, paid(12n, 'lot_3'), repaid(10n, 'lot_3'), reinstatedFromDebt]],
  ['a dispute that is lost', [...disputed, chargedBack(10n)]],
  ['a chargeback without a dispute', [paid(10n), chargedBack(10n)]],
  ['two disputes that are won', [...twice, unfrozen(0n), reinstatedFromDispute, unfrozen(10n, 'disp_2')]],
  ['two disputes that are lost', [...twice, chargedBack(6n), reinstatedFromDispute, chargedBack(4n, 0n, 'disp_2')]],
  [
    'a debt that a reversal had reduced, and its dispute is won',
    [...lessOwed, chargebackReversed(0n, { cancelled: 6n, reduced: 4n }), reinstatedFromDebt],
  ],
  [
    'a reversal that reaches the threshold and then loses awaited credits',
    [...[paid(12n), ...used(6n), reserved(6n), refunded(0n, { awaited: 6n })], thresholdOf(9n), ...backAndTaken()],
  ],
])('the audit accepts %s', (_, events) => expect(() => audit([...customer, ...events])).not.toThrow());

describe('the audit finds that', () => {
  it.each<[string, readonly AccountEvent[]]>([
    ['lots pay in their order', [paid(5n), toppedUp(5n), ...used(5n)]],
    ['lots pay in their order', [endingGrant(5n, 'lot_1'), endingGrant(5n, 'lot_2', 1), ...used(5n, 'lot_1')]],
    ['a refund is held for once', [paid(9n), heldForRefund(2n), heldForRefund(2n)]],
    ['a disputed payment is not refunded on request', [...disputed, heldForRefund(1n)]],
    ['a refund takes at most what no hold needs', [paid(10n), reserved(8n), heldForRefund(3n)]],
    ['a refund takes at most what no hold needs', [paid(10n), reserved(8n), refunded(3n)]],
    ['a refund awaits only what holds may need', [paid(10n), reserved(8n), refunded(1n, { awaited: 2n })]],
    ['only paid credits are refunded', [toppedUp(10n, 'lot_2'), refunded(3n)]],
    ['an awaited refund takes what a hold gives back', [...awaiting, released(10n)]],
    ['what is awaited is taken', [...awaiting, released(10n), refunded(9n)]],
    ['what holds used of an awaited refund is a debt', [paid(10n), reserved(10n), ...awaitedAndUsed()]],
    ['a debt is what a refund or chargeback could not take', [paid(10n), refunded(4n), debt(1n)]],
    ['no account is active with an open debt', [paid(10n), refunded(10n), debt(5n)]],
    ['a payment repays open debt before all else', [...owing, paid(5n, 'lot_3')]],
    ['a payment repays all that it can', [...owing, paid(5n, 'lot_3'), repaid(4n, 'lot_3')]],
    ['only a payment repays debt', [...owing, toppedUp(5n, 'lot_3'), repaid(5n, 'lot_3')]],
    ['the end of the last debt ends its suspension', [...owing, paid(10n, 'lot_3'), repaid(10n, 'lot_3')]],
    ['the end of the last debt ends its suspension', [...owing, writtenOff(10n)]],
    ['no more is written off than is owed', [...owing, writtenOff(11n)]],
    ['a cause suspends an account once', [...owing, suspendedForDebt]],
    ['a reinstatement removes a cause', [...disputed, reinstatedFromDebt]],
    ['a dispute suspends the account', [paid(10n), frozen(10n)]],
    ['a dispute ends the refunds of a payment', [paid(10n), heldForRefund(4n), frozen(6n)]],
    ['a freeze takes all that no hold needs', [paid(10n), frozen(9n)]],
    [
      'a frozen lot is frozen as holds give back',
      [paid(9n), reserved(9n), frozen(0n), suspendedForDispute, released(9n)],
    ],
    ['the end of the last dispute unfreezes all of a lot, of others nothing', [...twice, unfrozen(10n)]],
    ['the end of the last dispute unfreezes all of a lot', [...disputed, unfrozen(0n)]],
    ['only a disputed lot is unfrozen', [...twice, unfrozen(0n), reinstatedFromDispute, unfrozen(0n)]],
    ['only a disputed lot is unfrozen', [...twice, chargedBack(6n), unfrozen(4n)]],
    ['nothing stays frozen without an open dispute', [...disputed, chargedBack(6n), reinstatedFromDispute]],
    [
      'the oldest open dispute freezes what is given back',
      [paid(9n), reserved(9n), ...freezing(), released(9n), frozen(9n, 'disp_2')],
    ],
    ['a dispute suspends the account', [...disputed, frozen(0n, 'disp_2')]],
    ['a reversal restores what the chargeback took', [...lost(), chargebackReversed(9n)]],
    ['a reversal cancels what is owed', [...lost(), chargebackReversed(10n, { cancelled: 1n })]],
    [
      'a reversal returns what reversals of charges took off the debt',
      [...lessOwed, chargebackReversed(0n, { cancelled: 6n, reduced: 3n })],
    ],
    ['a lot that has ended loses what holds give back', [endingGrant(5n), reserved(5n), ended(0n), released(5n)]],
    ['a lot ends once', [endingGrant(5n), reserved(5n), ended(0n), ended(0n)]],
    ['only a lot with an end has ended', [toppedUp(5n), ended(5n)]],
    ['only credits of a closed account are forfeited', [paid(10n), forfeited]],
    ['only what is closed and has ended is erased', [paid(10n), heldForRefund(4n), closed(), keyRevoked(), erased()]],
    ['a reversal has its amount', [paid(10n), ...used(4n), reversed(4n, { returned: [drawn(3n, 'lot_2')] })]],
    ['no more of a generation is reversed', [paid(10n), ...used(4n), reversed(5n, { returned: [drawn(5n, 'lot_2')] })]],
    ['a reversal goes to lots that paid', [paid(9n), paid(9n, 'lot_3'), ...used(4n), reversed(1n, other())]],
    ['a reversal reduces debt first', [...owing, reversed(1n, { granted: [drawn(1n, 'lot_2')] })]],
    ['a grant takes the place', [paid(10n), ...used(4n), reversed(4n, { granted: [drawn(4n, 'lot_2')] })]],
    ['a fall below the threshold is recorded', [threshold, paid(10n), refunded(6n), toppedUp(1n)]],
  ])('%s', (what, events) => {
    expect(() => audit([...customer, ...events])).toThrow(BrokenBooks);
    expect(() => audit([...customer, ...events])).toThrow(what);
  });
});

/** A hold of 10 uses 4, after which 6 of an awaited refund are taken, and no debt is recorded. */
function awaitedAndUsed(): readonly AccountEvent[] {
  const settlement = settled(4, { held: 10n, charged: 4n, released: 6n, drawn: [drawn(4n, 'lot_2')] });
  return [refunded(0n, { awaited: 10n }), settlement, refunded(6n)];
}

/** 4 come back of a charge, and a refund that was awaited takes them at once. */
function backAndTaken(): readonly AccountEvent[] {
  return [reversed(4n, { returned: [drawn(4n, 'lot_2')] }), refunded(4n, { awaited: 2n })];
}

function freezing(): readonly AccountEvent[] {
  return [frozen(0n), suspendedForDispute, frozen(0n, 'disp_2'), suspendedFor('disp_2')];
}

function lost(): readonly AccountEvent[] {
  return [...disputed, chargedBack(10n), reinstatedFromDispute];
}

function other() {
  return { returned: [drawn(1n, 'lot_3')] };
}
