import { describe, it } from 'vitest';
import type { AccountCommand } from '../../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../../src/domain/account/events.ts';
import {
  AT,
  closed,
  drawn,
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
  ended,
  endingGrant,
  heldForRefund,
  recordRefund,
  refunded,
  releaseRefund,
  refundReleased,
} from './examples.ts';

const expire = (at = AT): AccountCommand => ({ type: 'ExpireLots', at });
const forfeit: AccountCommand = { type: 'ForfeitCredits', reason: 'resale' };
const forfeited = (amount: bigint, lotId = 'lot_2'): AccountEvent => ({
  ...{ type: 'CreditsForfeited', lotId, amount, reason: 'resale' },
});
const waive = (lotId?: string): Extract<AccountCommand, { type: 'WaiveCredits' }> => ({
  ...{ type: 'WaiveCredits', reason: 'given up' },
  ...(lotId === undefined ? {} : { lotId }),
});
const waived = (amount: bigint, lotId = 'lot_2'): AccountEvent => ({
  ...{ type: 'CreditsWaived', lotId, amount, reason: 'given up' },
});

describe('the order in which lots pay', () => {
  const settledFrom = (...lots: { lotId: string; amount: bigint }[]) => {
    const amount = lots.reduce((sum, lot) => sum + lot.amount, 0n);
    return settled(Number(amount), { held: amount, charged: amount, released: 0n, drawn: lots });
  };

  it('is promotional before paid', () =>
    given(paid(5n), toppedUp(5n), reserved(7n))
      .when(settle(7))
      .then(settledFrom(drawn(5n), drawn(2n, 'lot_2'))));
  it('is by end, then by age', () =>
    given(
      toppedUp(1n, 'a'),
      endingGrant(1n, 'b', AT + 9),
      endingGrant(1n, 'c', AT + 5),
      endingGrant(1n, 'd', AT + 9),
      reserved(4n),
    )
      .when(settle(4))
      .then(settledFrom(drawn(1n, 'c'), drawn(1n, 'b'), drawn(1n, 'd'), drawn(1n, 'a'))));
});

describe('ExpireLots', () => {
  it('ends a lot at its end', () => given(endingGrant(5n)).when(expire()).then(ended(5n)));
  it('ends nothing before', () =>
    given(endingGrant(5n))
      .when(expire(AT - 1))
      .then());
  it('ends a lot once', () =>
    given(endingGrant(5n), reserved(2n, 'req_1', AT - 1), ended(3n))
      .when(expire())
      .then());
  it('ends nothing of a lot that is used up', () =>
    given(
      endingGrant(5n),
      reserved(5n, 'req_1', AT - 1),
      settled(5, { held: 5n, charged: 5n, released: 0n, drawn: [drawn(5n)] }),
    )
      .when(expire())
      .then());
  it('leaves what holds need', () =>
    given(endingGrant(5n), reserved(2n, 'req_1', AT - 1))
      .when(expire())
      .then(ended(3n)));
  it('marks a lot that holds need whole', () =>
    given(endingGrant(5n), paid(5n), reserved(5n, 'req_1', AT - 1))
      .when(expire())
      .then(ended(0n)));
  it('takes the rest when the hold ends', () =>
    given(endingGrant(5n), paid(5n), reserved(5n, 'req_1', AT - 1), ended(0n))
      .when(settle(2))
      .then(settled(2, { held: 5n, charged: 2n, released: 3n, drawn: [drawn(2n)] }), ended(3n)));
});

describe('a request after the end of a lot that has not been recorded yet', () => {
  it('records the end first', () => given(endingGrant(5n), paid(5n)).when(reserve(4n)).then(ended(5n), reserved(4n)));
  it('is refused on what is left', () =>
    given(endingGrant(5n), paid(5n))
      .when(reserve(6n))
      .thenRefused('insufficient_credits', { funds: { needed: 6n, available: 5n, held: 0n, withoutHolds: 5n } }));
  it('is not paid by a lot that is kept for earlier requests', () =>
    given(endingGrant(5n), paid(5n), reserved(5n, 'req_1', AT - 1), ended(0n), reserved(3n, 'req_2'))
      .when(settle(3, 'req_2'))
      .then(settled(3, { held: 3n, charged: 3n, released: 0n, drawn: [drawn(3n, 'lot_2')] }, 'req_2')));
});

const terminated: readonly AccountEvent[] = [
  { type: 'AccountTerminated', violationId: 'vio_1', reason: 'resale', forfeited: false },
  closed(),
];

describe('ForfeitCredits', () => {
  it('takes what is left of payments', () =>
    given(paid(5n), ...terminated)
      .when(forfeit)
      .then(forfeited(5n)));
  it('leaves what is held for a refund', () =>
    given(paid(5n), heldForRefund(2n), ...terminated)
      .when(forfeit)
      .then(forfeited(3n)));
  it('takes what a refund releases later', () =>
    given(paid(5n), heldForRefund(2n), ...terminated, forfeited(3n))
      .when(releaseRefund())
      .then(refundReleased(2n), forfeited(2n)));
  it('takes what a refund of a whole payment releases later', () => {
    given(paid(5n), heldForRefund(5n), ...terminated)
      .when(forfeit)
      .then(forfeited(0n));
    given(paid(5n), heldForRefund(5n), ...terminated, forfeited(0n))
      .when(releaseRefund())
      .then(refundReleased(5n), forfeited(5n));
  });
  it('takes what requests in progress release', () =>
    given(paid(5n), reserved(5n), ...terminated, forfeited(0n))
      .when(release())
      .then(released(5n), forfeited(5n)));
  it('refuses an open account', () => given(paid(5n)).when(forfeit).thenRefused('account_not_closed'));
  it('takes the credits once', () =>
    given(paid(5n), ...terminated, forfeited(5n))
      .when(forfeit)
      .then());
});

describe('WaiveCredits', () => {
  it('takes the rest of all payments', () =>
    given(paid(5n), paid(3n, 'lot_3'), closed()).when(waive()).then(waived(5n), waived(3n, 'lot_3')));
  it('takes only what is less than an amount', () =>
    given(paid(5n), paid(3n, 'lot_3'), closed())
      .when({ ...waive(), below: 5n })
      .then(waived(3n, 'lot_3')));
  it('ends nothing of a lot whose remainder a refund holds', () =>
    given(paid(5n), heldForRefund(4n), closed())
      .when({ ...waive(), below: 5n })
      .then());
  it('takes the rest of one payment', () =>
    given(paid(5n), paid(3n, 'lot_3'), closed()).when(waive('lot_3')).then(waived(3n, 'lot_3')));
  it('takes what a refund leaves', () => given(paid(5n), closed(), refunded(4n)).when(waive('lot_2')).then(waived(1n)));
  it('refuses a grant', () => given(toppedUp(5n), closed()).when(waive('lot_1')).thenRefused('lot_not_found'));
  it('refuses an open account', () => given(paid(5n)).when(waive()).thenRefused('account_not_closed'));
  it('makes a later refund of the payment a debt', () =>
    given(paid(5n), closed(), waived(5n))
      .when(recordRefund(5n))
      .then(refunded(0n), {
        ...{ type: 'DebtIncurred', lotId: 'lot_2', amount: 5n, cause: 'refund', reference: 'partner_ref_1' },
      }));
});
