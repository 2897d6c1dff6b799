import { describe, it } from 'vitest';
import type { AccountEvent } from '../../../../src/domain/account/events.ts';
import { REVERSIBLE_MS } from '../../../../src/domain/account/refunds/reversal.ts';
import { AT, closed, drawn, expired, given, paid, reserve, reserved, settled, toppedUp } from '../examples.ts';
import {
  chargedBack,
  debt,
  ended,
  endingGrant,
  frozen,
  refunded,
  reinstatedFromDebt,
  reverse,
  reversed,
  suspendedForDebt,
} from './examples.ts';

/** A charge of 8: 3 from a grant, 5 from a payment of 10. */
const charge = { charged: 8n, drawn: [drawn(3n), drawn(5n, 'lot_2')] };
const charged = (grant: AccountEvent = toppedUp(3n)): readonly AccountEvent[] => [
  grant,
  paid(10n),
  reserved(8n, 'req_1', AT - 1),
  settled(8, { held: 8n, charged: 8n, released: 0n, drawn: charge.drawn }),
];
const grantedBack = (amount: bigint, lotId: string): AccountEvent => ({
  ...toppedUp(amount, lotId),
  source: { kind: 'grant', reason: 'reversal of req_1' },
});

describe('ReverseCharge', () => {
  it('returns the last part first', () =>
    given(...charged())
      .when(reverse(4n, charge))
      .then(reversed(4n, { returned: [drawn(4n, 'lot_2')] })));
  it('returns all of it to the lots that had paid', () =>
    given(...charged())
      .when(reverse(8n, charge))
      .then(reversed(8n, { returned: [drawn(5n, 'lot_2'), drawn(3n)] })));
  it('continues after what was reversed before', () =>
    given(...charged(), reversed(4n, { returned: [drawn(4n, 'lot_2')] }))
      .when(reverse(2n, charge))
      .then(reversed(2n, { returned: [drawn(1n, 'lot_2'), drawn(1n)] })));
  it('never returns more than was charged', () =>
    given(...charged(), reversed(4n, { returned: [drawn(4n, 'lot_2')] }))
      .when(reverse(5n, charge))
      .thenRefused('more_than_charged'));
  it('makes the credits available', () =>
    given(...charged(), reversed(8n, { returned: [drawn(5n, 'lot_2'), drawn(3n)] }))
      .when(reserve(13n))
      .then(reserved(13n)));
  it('refuses an amount of 0', () =>
    given(...charged())
      .when(reverse(0n, charge))
      .thenRefused('invalid_amount'));
  it('refuses a charge that is too old', () =>
    given(...charged())
      .when(reverse(1n, charge, AT - REVERSIBLE_MS - 1))
      .thenRefused('reversal_too_late'));
  it('accepts a charge on its last day', () =>
    given(...charged())
      .when(reverse(1n, charge, AT - REVERSIBLE_MS))
      .then(reversed(1n, { returned: [drawn(1n, 'lot_2')] })));
});

describe('a reversal into a lot that has ended', () => {
  it('becomes a grant', () =>
    given(...charged(endingGrant(4n)), ended(1n))
      .when(reverse(8n, charge))
      .then(
        reversed(8n, { returned: [drawn(5n, 'lot_2')], granted: [drawn(3n)] }),
        grantedBack(3n, 'lot_back_req_1_0'),
      ));
  it('becomes a grant if the lot was used up before its end', () =>
    given(...charged(endingGrant(3n)))
      .when(reverse(8n, charge))
      .then(
        reversed(8n, { returned: [drawn(5n, 'lot_2')], granted: [drawn(3n)] }),
        grantedBack(3n, 'lot_back_req_1_0'),
      ));
  it('becomes a grant if the lot was used up before the account was closed', () =>
    given(...charged(), closed())
      .when(reverse(8n, charge))
      .then(
        reversed(8n, { returned: [drawn(5n, 'lot_2')], granted: [drawn(3n)] }),
        grantedBack(3n, 'lot_back_req_1_0'),
        expired(3n, 'lot_back_req_1_0'),
      ));
  it('becomes a grant that ends at once on a closed account', () =>
    given(...charged(toppedUp(4n)), closed(), expired(1n))
      .when(reverse(8n, charge))
      .then(
        reversed(8n, { returned: [drawn(5n, 'lot_2')], granted: [drawn(3n)] }),
        grantedBack(3n, 'lot_back_req_1_0'),
        expired(3n, 'lot_back_req_1_0'),
      ));
});

describe('a reversal into a payment that was refunded or charged back', () => {
  it('reduces the debt, and reinstates once nothing is owed', () =>
    given(...charged(), refunded(5n), debt(5n), suspendedForDebt)
      .when(reverse(5n, charge))
      .then(reversed(5n, { debtReduced: [drawn(5n, 'lot_2')] }), reinstatedFromDebt));
  it('becomes a grant beyond the debt', () =>
    given(...charged(), refunded(5n), debt(3n), suspendedForDebt)
      .when(reverse(5n, charge))
      .then(
        reversed(5n, { debtReduced: [drawn(3n, 'lot_2')], granted: [drawn(2n, 'lot_2')] }),
        grantedBack(2n, 'lot_back_req_1_0'),
        reinstatedFromDebt,
      ));
  it('becomes a grant after a chargeback of what was left', () =>
    given(...charged(), frozen(5n), chargedBack(5n))
      .when(reverse(5n, charge))
      .then(reversed(5n, { granted: [drawn(5n, 'lot_2')] }), grantedBack(5n, 'lot_back_req_1_0')));
  it('goes into the lot after a refund of what was left', () =>
    given(...charged(), refunded(5n))
      .when(reverse(5n, charge))
      .then(reversed(5n, { returned: [drawn(5n, 'lot_2')] })));
});
