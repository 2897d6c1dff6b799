import { describe, it } from 'vitest';
import { closed, drawn, given, paid, release, released, reserve, reserved, settled, suspended } from '../examples.ts';
import {
  chargeBack,
  chargebackReversed,
  chargedBack,
  debt,
  freeze,
  frozen,
  heldForRefund,
  holdForRefund,
  pay,
  recordRefund,
  refunded,
  refundReleased,
  reinstatedFrom,
  reinstatedFromDebt,
  reinstatedFromDispute,
  repaid,
  reverseChargeback,
  reversed,
  suspendedFor,
  suspendedForDebt,
  suspendedForDispute,
  unfreeze,
  unfrozen,
} from './examples.ts';

const used = (amount: bigint) => [
  reserved(amount),
  settled(Number(amount), { held: amount, charged: amount, released: 0n, drawn: [drawn(amount, 'lot_2')] }),
];

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
  it('makes used credits a debt, and suspends for it before the dispute ends', () =>
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
  it('is recorded without a dispute before it', () => given(paid(10n)).when(chargeBack(6n)).then(chargedBack(6n)));
  it('ends refunds that were requested, if no dispute has ended them', () =>
    given(paid(10n), heldForRefund(4n))
      .when(chargeBack(10n))
      .then(refundReleased(4n, 'the payment was charged back'), chargedBack(10n)));
  it('is recorded on a closed account', () => given(paid(10n), closed()).when(chargeBack(10n)).then(chargedBack(10n)));
  it('refuses an unknown payment', () => given().when(chargeBack(10n)).thenRefused('lot_not_found'));
  it('refuses an amount of 0', () => given(paid(10n)).when(chargeBack(0n)).thenRefused('invalid_amount'));
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
    given(paid(10n), frozen(10n), chargedBack(10n)).when(reverseChargeback()).then(chargebackReversed(10n)));
  it('cancels the debt, and reinstates', () =>
    given(...lost, suspendedForDebt, reinstatedFromDispute)
      .when(reverseChargeback())
      .then(chargebackReversed(7n, { cancelled: 3n }), reinstatedFromDebt));
  it('returns what another payment had repaid', () =>
    given(...lost, paid(5n, 'lot_3'), repaid(3n, 'lot_3'))
      .when(reverseChargeback())
      .then(chargebackReversed(7n, { returned: [drawn(3n, 'lot_3')] })));
  it('restores what it took while it awaited', () =>
    given(paid(10n), reserved(4n), frozen(6n), chargedBack(6n, 4n), released(4n), chargedBack(4n))
      .when(reverseChargeback())
      .then(chargebackReversed(10n)));
  it('gives back what reversals of charges had taken off the debt', () =>
    given(...lost, suspendedForDebt, reinstatedFromDispute, reversed(2n, { debtReduced: [drawn(2n, 'lot_2')] }))
      .when(reverseChargeback())
      .then(chargebackReversed(7n, { cancelled: 1n, reduced: 2n }), reinstatedFromDebt));
  it('makes all of that available', () =>
    given(
      ...lost,
      reversed(2n, { debtReduced: [drawn(2n, 'lot_2')] }),
      reinstatedFromDispute,
      chargebackReversed(7n, { reduced: 2n }),
    )
      .when(reserve(9n))
      .then(reserved(9n)));
  it('gives back nothing that was taken off the debt of a refund', () =>
    given(...lost, debt(2n), reversed(5n, { debtReduced: [drawn(5n, 'lot_2')] }))
      .when(reverseChargeback())
      .then(chargebackReversed(7n, { reduced: 3n })));
  it('freezes what it gives back while another dispute is open', () =>
    given(...lost, reversed(3n, { debtReduced: [drawn(3n, 'lot_2')] }), frozen(0n, 'disp_2'))
      .when(reverseChargeback())
      .then(chargebackReversed(7n, { reduced: 3n }), frozen(10n, 'disp_2')));
  it('takes nothing more when the holds end', () =>
    given(paid(10n), reserved(4n), frozen(6n), chargedBack(6n, 4n), chargebackReversed(6n))
      .when(release())
      .then(released(4n)));
  it('refuses a dispute that was not lost', () =>
    given(paid(10n), frozen(10n)).when(reverseChargeback()).thenRefused('lot_not_disputed'));
});

describe('several disputes about one payment', () => {
  const both = [paid(10n), frozen(10n), suspendedForDispute, frozen(0n, 'disp_2'), suspendedFor('disp_2')];

  it('suspend each, and the later one freezes what is still free', () => {
    given(paid(10n), frozen(10n), suspendedForDispute)
      .when(freeze('disp_2'))
      .then(frozen(0n, 'disp_2'), suspendedFor('disp_2'));
    given(paid(10n), ...used(4n), frozen(6n), suspendedForDispute, reversed(3n, { returned: [drawn(3n, 'lot_2')] }))
      .when(freeze('disp_2'))
      .then(frozen(3n, 'disp_2'), suspendedFor('disp_2'));
  });
  it('suspend no closed account', () =>
    given(paid(10n), frozen(10n), closed()).when(freeze('disp_2')).then(frozen(0n, 'disp_2')));
  it('keep all frozen until the last one is won', () => {
    given(...both)
      .when(unfreeze())
      .then(unfrozen(0n), reinstatedFromDispute);
    given(...both)
      .when(unfreeze('disp_2'))
      .then(unfrozen(0n, 'disp_2'), reinstatedFrom('disp_2'));
    given(...both, unfrozen(0n), reinstatedFromDispute)
      .when(unfreeze('disp_2'))
      .then(unfrozen(10n, 'disp_2'), reinstatedFrom('disp_2'));
  });
  it('keep what a lost one leaves', () =>
    given(...both)
      .when(chargeBack(6n))
      .then(chargedBack(6n), reinstatedFromDispute));
  it('leave to the later ones what an earlier one has not taken', () =>
    given(...both, chargedBack(6n), reinstatedFromDispute)
      .when(chargeBack(6n, 'disp_2'))
      .then(
        chargedBack(4n, 0n, 'disp_2'),
        debt(2n, 'chargeback', 'disp_2'),
        suspendedForDebt,
        reinstatedFrom('disp_2'),
      ));
  it('keep what a chargeback without a dispute leaves', () =>
    given(paid(10n), frozen(10n), suspendedForDispute)
      .when(chargeBack(6n, 'disp_2'))
      .then(chargedBack(6n, 0n, 'disp_2')));
  it('freeze what holds give back for the oldest open one', () => {
    const held = [paid(10n), reserved(10n), frozen(0n), suspendedForDispute, frozen(0n, 'disp_2')];
    given(...held)
      .when(release())
      .then(released(10n), frozen(10n));
    given(...held, unfrozen(0n))
      .when(release())
      .then(released(10n), frozen(10n, 'disp_2'));
  });
  it('refuse refunds until the last one is closed', () =>
    given(...both, unfrozen(0n))
      .when(holdForRefund(1n))
      .thenRefused('lot_disputed'));
  it('are closed once', () =>
    given(...both, unfrozen(0n))
      .when(unfreeze())
      .thenRefused('lot_not_disputed'));
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
