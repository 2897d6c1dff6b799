import { describe, it } from 'vitest';
import {
  closed,
  drawn,
  erase,
  given,
  paid,
  release,
  released,
  reserve,
  reserved,
  settle,
  settled,
  toppedUp,
} from '../examples.ts';
import {
  debt,
  freeze,
  frozen,
  heldForRefund,
  holdForRefund,
  recordRefund,
  refunded,
  refundReleased,
  releaseRefund,
  suspendedForDebt,
  suspendedForDispute,
} from './examples.ts';

const used = (amount: bigint) => [
  reserved(amount),
  settled(Number(amount), { held: amount, charged: amount, released: 0n, drawn: [drawn(amount, 'lot_2')] }),
];

describe('HoldForRefund', () => {
  it('holds credits of a payment', () => given(paid(10n)).when(holdForRefund(4n)).then(heldForRefund(4n)));
  it('holds for several payments at once', () =>
    given(paid(10n), paid(5n, 'lot_3'))
      .when({
        type: 'HoldForRefund',
        refunds: [
          { refundId: 'ref_1', lotId: 'lot_2', amount: 10n },
          { refundId: 'ref_2', lotId: 'lot_3', amount: 5n },
        ],
        reason: 'not_needed',
      })
      .then(heldForRefund(10n), heldForRefund(5n, 'ref_2', 'lot_3')));
  it('holds nothing if one of several payments has too little', () =>
    given(paid(10n), paid(5n, 'lot_3'))
      .when({
        type: 'HoldForRefund',
        refunds: [
          { refundId: 'ref_1', lotId: 'lot_2', amount: 10n },
          { refundId: 'ref_2', lotId: 'lot_3', amount: 6n },
        ],
        reason: 'not_needed',
      })
      .thenRefused('more_than_refundable'));
  it('holds once if it is repeated', () => given(paid(10n), heldForRefund(4n)).when(holdForRefund(4n)).then());
  it('refuses another amount under the same id', () =>
    given(paid(10n), heldForRefund(4n)).when(holdForRefund(5n)).thenRefused('refund_exists'));
  it('refuses a grant', () => given(toppedUp(10n, 'lot_2')).when(holdForRefund(4n)).thenRefused('lot_not_found'));
  it('refuses an unknown payment', () => given().when(holdForRefund(4n)).thenRefused('lot_not_found'));
  it('refuses an amount of 0', () => given(paid(10n)).when(holdForRefund(0n)).thenRefused('invalid_amount'));
  it('refuses what was used', () =>
    given(paid(10n), ...used(3n))
      .when(holdForRefund(8n))
      .thenRefused('more_than_refundable'));
  it('refuses what requests in progress hold', () =>
    given(paid(10n), reserved(3n)).when(holdForRefund(8n)).thenRefused('more_than_refundable'));
  it('holds what another lot leaves to requests in progress', () =>
    given(toppedUp(3n), paid(10n), reserved(3n)).when(holdForRefund(10n)).then(heldForRefund(10n)));
  it('refuses a disputed payment', () =>
    given(paid(10n), frozen(10n)).when(holdForRefund(1n)).thenRefused('lot_disputed'));
  it('holds on a closed account', () => given(paid(10n), closed()).when(holdForRefund(4n)).then(heldForRefund(4n)));
  it('keeps what is held from being spent', () =>
    given(paid(10n), heldForRefund(4n))
      .when(reserve(7n))
      .thenRefused('insufficient_credits', { funds: { needed: 7n, available: 6n, held: 0n, withoutHolds: 6n } }));
  it('leaves the rest to be spent', () => given(paid(10n), heldForRefund(4n)).when(reserve(6n)).then(reserved(6n)));
});

describe('ReleaseRefundHold', () => {
  it('releases all of it', () => given(paid(10n), heldForRefund(4n)).when(releaseRefund()).then(refundReleased(4n)));
  it('refuses what is not held', () => given(paid(10n)).when(releaseRefund()).thenRefused('refund_not_open'));
  it('makes the credits available again', () =>
    given(paid(10n), heldForRefund(4n), refundReleased(4n)).when(reserve(10n)).then(reserved(10n)));
});

describe('RecordRefund of a request', () => {
  it('takes what was held', () =>
    given(paid(10n), heldForRefund(4n))
      .when(recordRefund(4n, 'ref_1'))
      .then(refunded(4n, { refundId: 'ref_1' })));
  it('releases what was held beyond it', () =>
    given(paid(10n), heldForRefund(4n))
      .when(recordRefund(3n, 'ref_1'))
      .then(refunded(3n, { refundId: 'ref_1' }), refundReleased(1n, 'refunded in part')));
  it('takes more than was held from the rest of the payment', () =>
    given(paid(10n), heldForRefund(4n))
      .when(recordRefund(6n, 'ref_1'))
      .then(refunded(6n, { refundId: 'ref_1' })));
});

describe('RecordRefund that was not requested', () => {
  it('takes unused credits', () => given(paid(10n)).when(recordRefund(4n)).then(refunded(4n)));
  it('makes used credits a debt, and suspends', () =>
    given(paid(10n), ...used(7n))
      .when(recordRefund(10n))
      .then(refunded(3n), debt(7n), suspendedForDebt));
  it('takes nothing of other payments', () =>
    given(paid(10n), paid(20n, 'lot_3'), ...used(10n))
      .when(recordRefund(10n))
      .then(refunded(0n), debt(10n), suspendedForDebt));
  it('is recorded on a closed account, which is not suspended', () =>
    given(paid(10n), ...used(7n), closed())
      .when(recordRefund(10n))
      .then(refunded(3n), debt(7n)));
  it('awaits what requests in progress hold', () =>
    given(paid(10n), reserved(6n))
      .when(recordRefund(10n))
      .then(refunded(4n, { awaited: 6n })));
  it('takes what it awaits when the hold is released', () =>
    given(paid(10n), reserved(6n), refunded(4n, { awaited: 6n }))
      .when(release())
      .then(released(6n), refunded(6n)));
  it('makes what the request has used a debt', () =>
    given(paid(10n), reserved(6n), refunded(4n, { awaited: 6n }))
      .when(settle(5))
      .then(
        settled(5, { held: 6n, charged: 5n, released: 1n, drawn: [drawn(5n, 'lot_2')] }),
        refunded(1n),
        debt(5n),
        suspendedForDebt,
      ));
  it('still awaits what other holds need', () =>
    given(paid(10n), reserved(6n), reserved(4n, 'req_2'), refunded(0n, { awaited: 10n }))
      .when(release())
      .then(released(6n), refunded(6n, { awaited: 4n })));
  it('takes nothing that is held for the same request again while it waits', () =>
    given(
      ...[paid(10n), toppedUp(10n), reserved(10n), refunded(0n, { awaited: 10n, refundId: 'ref_1' })],
      ...[heldForRefund(5n), released(10n), refunded(5n, { refundId: 'ref_1' })],
    )
      .when(releaseRefund())
      .then(refundReleased(5n)));
  it('takes frozen credits first', () =>
    given(paid(10n), reserved(4n), frozen(6n), suspendedForDispute).when(recordRefund(5n)).then(refunded(5n)));
  it('releases requests for a refund if the rest is not enough', () =>
    given(paid(10n), heldForRefund(4n), heldForRefund(5n, 'ref_2'))
      .when(recordRefund(4n))
      .then(refundReleased(4n, 'the payment was refunded'), refunded(4n)));
  it('refuses an unknown payment', () => given().when(recordRefund(1n)).thenRefused('lot_not_found'));
});

describe('a dispute about a payment with a request for a refund', () => {
  it('releases what is held for the refund and freezes it', () =>
    given(paid(10n), heldForRefund(4n))
      .when(freeze())
      .then(refundReleased(4n, 'the payment is disputed'), frozen(10n), suspendedForDispute));
});

describe('ErasePersonalData', () => {
  it('is refused while a refund is open', () =>
    given(paid(10n), heldForRefund(4n), closed()).when(erase()).thenRefused('refund_open'));
  it('is refused while a dispute is open', () =>
    given(paid(10n), frozen(10n), closed()).when(erase()).thenRefused('lot_disputed'));
  it('is refused while a debt is open', () =>
    given(paid(10n), ...used(10n), refunded(0n), debt(10n), closed())
      .when(erase())
      .thenRefused('debt_open'));
});
