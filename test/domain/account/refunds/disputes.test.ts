import { describe, it } from 'vitest';
import { closed, drawn, given, paid, release, released, reserve, reserved, settled, suspended } from '../examples.ts';
import {
  chargeBack,
  chargedBack,
  debt,
  freeze,
  frozen,
  pay,
  recordRefund,
  refunded,
  reinstatedFromDebt,
  reinstatedFromDispute,
  repaid,
  reverseChargeback,
  suspendedForDebt,
  suspendedForDispute,
  unfreeze,
  unfrozen,
} from './examples.ts';

const used = (amount: bigint) => [
  reserved(amount),
  settled(Number(amount), { held: amount, charged: amount, released: 0n, drawn: [drawn(amount, 'lot_2')] }),
];
const reversedChargeback = (restored: bigint, cancelled = 0n, returned: { lotId: string; amount: bigint }[] = []) =>
  ({ type: 'ChargebackReversed', lotId: 'lot_2', disputeId: 'disp_1', restored, cancelled, returned }) as const;

describe('FreezeLot', () => {
  it('freezes what is left of the payment, and suspends', () =>
    given(paid(10n), ...used(3n))
      .when(freeze())
      .then(frozen(7n), suspendedForDispute));
  it('suspends beside another cause', () =>
    given(paid(10n), suspended()).when(freeze()).then(frozen(10n), suspendedForDispute));
  it('freezes the same dispute once', () => given(paid(10n), frozen(10n)).when(freeze()).then());
  it('freezes nothing of what requests in progress hold', () =>
    given(paid(10n), reserved(10n)).when(freeze()).then(frozen(0n), suspendedForDispute));
  it('freezes that when the hold ends', () =>
    given(paid(10n), reserved(10n), frozen(0n), suspendedForDispute).when(release()).then(released(10n), frozen(10n)));
  it('suspends no closed account', () => given(paid(10n), closed()).when(freeze()).then(frozen(10n)));
  it('refuses an unknown payment', () => given().when(freeze()).thenRefused('lot_not_found'));
  it('refuses another dispute meanwhile', () =>
    given(paid(10n), frozen(10n)).when(freeze('disp_2')).thenRefused('lot_disputed'));
  it('refuses requests while it is open', () =>
    given(paid(10n), paid(5n, 'lot_3'), frozen(10n), suspendedForDispute)
      .when(reserve(1n))
      .thenRefused('account_suspended'));
});

describe('UnfreezeLot', () => {
  it('makes the credits available, and reinstates', () =>
    given(paid(10n), frozen(10n), suspendedForDispute).when(unfreeze()).then(unfrozen(10n), reinstatedFromDispute));
  it('leaves other causes in force', () =>
    given(paid(10n), suspended(), frozen(10n), suspendedForDispute, unfrozen(10n), reinstatedFromDispute)
      .when(reserve(1n))
      .thenRefused('account_suspended'));
  it('refuses a payment that is not disputed', () => given(paid(10n)).when(unfreeze()).thenRefused('lot_not_disputed'));
});

describe('RecordChargeback', () => {
  it('takes what is frozen, and reinstates', () =>
    given(paid(10n), frozen(10n), suspendedForDispute)
      .when(chargeBack(10n))
      .then(chargedBack(10n), reinstatedFromDispute));
  it('makes used credits a debt, and is never without a cause in between', () =>
    given(paid(10n), ...used(3n), frozen(7n), suspendedForDispute)
      .when(chargeBack(10n))
      .then(chargedBack(7n), debt(3n, 'chargeback', 'disp_1'), suspendedForDebt, reinstatedFromDispute));
  it('unfreezes what it leaves', () =>
    given(paid(10n), frozen(10n), suspendedForDispute)
      .when(chargeBack(6n))
      .then(chargedBack(6n), unfrozen(4n), reinstatedFromDispute));
  it('awaits what requests in progress hold', () =>
    given(paid(10n), reserved(4n), frozen(6n), suspendedForDispute)
      .when(chargeBack(10n))
      .then(chargedBack(6n, 4n), reinstatedFromDispute));
  it('takes that when the hold ends', () =>
    given(paid(10n), reserved(4n), frozen(6n), chargedBack(6n, 4n))
      .when(release())
      .then(released(4n), chargedBack(4n)));
  it('is recorded once', () => given(paid(10n), frozen(10n), chargedBack(10n)).when(chargeBack(10n)).then());
  it('is recorded after the dispute had ended well', () =>
    given(paid(10n), frozen(10n), unfrozen(10n)).when(chargeBack(10n)).then(chargedBack(10n)));
  it('refuses a payment that was never disputed', () =>
    given(paid(10n)).when(chargeBack(10n)).thenRefused('lot_not_disputed'));
});

describe('ReverseChargeback', () => {
  const lost = [
    paid(10n),
    ...used(3n),
    frozen(7n),
    suspendedForDispute,
    chargedBack(7n),
    debt(3n, 'chargeback', 'disp_1'),
  ];

  it('restores what was taken', () =>
    given(paid(10n), frozen(10n), chargedBack(10n)).when(reverseChargeback()).then(reversedChargeback(10n)));
  it('cancels the debt, and reinstates', () =>
    given(...lost, suspendedForDebt, reinstatedFromDispute)
      .when(reverseChargeback())
      .then(reversedChargeback(7n, 3n), reinstatedFromDebt));
  it('returns what another payment had repaid', () =>
    given(...lost, paid(5n, 'lot_3'), repaid(3n, 'lot_3'))
      .when(reverseChargeback())
      .then(reversedChargeback(7n, 0n, [drawn(3n, 'lot_3')])));
  it('restores what it took while it awaited', () =>
    given(paid(10n), reserved(4n), frozen(6n), chargedBack(6n, 4n), released(4n), chargedBack(4n))
      .when(reverseChargeback())
      .then(reversedChargeback(10n)));
  it('awaits nothing any more', () =>
    given(paid(10n), reserved(4n), frozen(6n), chargedBack(6n, 4n), reversedChargeback(6n))
      .when(release())
      .then(released(4n)));
  it('refuses a dispute that was not lost', () =>
    given(paid(10n), frozen(10n)).when(reverseChargeback()).thenRefused('lot_not_disputed'));
});

describe('a refund while the payment is disputed', () => {
  it('takes frozen credits', () =>
    given(paid(10n), frozen(10n), suspendedForDispute).when(recordRefund(10n)).then(refunded(10n)));
});

describe('a payment after a chargeback of used credits', () => {
  it('repays the debt first', () =>
    given(paid(10n), ...used(10n), frozen(0n), chargedBack(0n), debt(10n, 'chargeback', 'disp_1'), suspendedForDebt)
      .when(pay(25n, 'lot_3'))
      .then(paid(25n, 'lot_3'), repaid(10n, 'lot_3'), reinstatedFromDebt));
});
