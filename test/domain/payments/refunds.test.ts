import { describe, expect, it } from 'vitest';
import { paymentDecider } from '../../../src/domain/payments/decide.ts';
import type { PaymentEvent } from '../../../src/domain/payments/events.ts';
import { evolvePayment, isFullRefund, type Payment } from '../../../src/domain/payments/payment.ts';
import { specify } from '../../given.ts';
import {
  approved,
  closedAs,
  completed,
  dispute,
  disputed,
  failed,
  opened,
  pending,
  quarantined,
  refund,
  refunded,
  refused,
  released,
  requested,
  sent,
  usd,
} from './examples.ts';

const givenOpen = specify(paymentDecider, opened);
/** 30.00 USD were paid, with 5.00 USD of tax. */
const given = specify(paymentDecider, opened, completed);

const request = (amount: bigint, refundId = 'rfd_1') =>
  ({ type: 'RequestRefund', refundId, amount, reason: 'not_needed' }) as const;
const approve = { type: 'ApproveRefund', refundId: 'rfd_1', reason: 'unused' } as const;
const refuse = { type: 'RefuseRefund', refundId: 'rfd_1', reason: 'used' } as const;
const recordSent = { type: 'RecordRefundSent', refundId: 'rfd_1' } as const;
const fail = { type: 'FailRefund', refundId: 'rfd_1', reason: 'the payment is disputed' } as const;

const ten = requested(usd(1000), usd(1200));
const all = requested(usd(2500), usd(3000));

describe('RequestRefund', () => {
  it('states what the partner is to return, with tax', () =>
    given()
      .when(request(usd(1000)))
      .then(ten));
  it('rounds that up to a cent', () => {
    given()
      .when(request(usd(1)))
      .then(requested(usd(1), usd(2)));
    given()
      .when(request(usd(5) + 1n))
      .then(requested(usd(5) + 1n, usd(7)));
  });
  it('is for at most what is left of the gross amount', () =>
    given(refunded(1, 0n))
      .when(request(usd(2500)))
      .then(requested(usd(2500), usd(2999))));
  it('counts open requests as taken', () => {
    given(ten)
      .when(request(usd(1500), 'rfd_2'))
      .then(requested(usd(1500), usd(1800), 'rfd_2'));
    given(ten)
      .when(request(usd(1500) + 1n, 'rfd_2'))
      .thenRefused('more_than_refundable');
  });
  it('counts what was refunded, charged back and requested, and nothing that ended otherwise', () => {
    given(refunded(1200, usd(1000)))
      .when(request(usd(1501)))
      .thenRefused('more_than_refundable');
    given(disputed(3000, usd(2500)), closedAs('lost', usd(2500)))
      .when(request(1n))
      .thenRefused('already_refunded');
    given(ten, refused())
      .when(request(usd(2500), 'rfd_2'))
      .then(requested(usd(2500), usd(3000), 'rfd_2'));
    given(ten, failed('canceled'))
      .when(request(usd(2500), 'rfd_2'))
      .then(requested(usd(2500), usd(3000), 'rfd_2'));
  });
  it('is recorded once', () => {
    given(ten)
      .when(request(usd(1000)))
      .then();
    given(ten, refused())
      .when(request(usd(1000)))
      .then();
    given(ten)
      .when(request(usd(1001)))
      .thenRefused('refund_exists');
  });
  it('is refused for nothing, and for what was refunded', () => {
    given().when(request(0n)).thenRefused('invalid_amount');
    given(refunded(3000, usd(2500)))
      .when(request(1n))
      .thenRefused('already_refunded');
  });
  it('is refused before the payment has completed', () =>
    givenOpen().when(request(1n)).thenRefused('payment_not_completed'));
});

describe('a request for a refund', () => {
  it('is approved once', () => {
    given(ten).when(approve).then(approved());
    given(ten, approved()).when(approve).then();
    given(ten, approved(), sent()).when(approve).then();
  });
  it('is not approved while the payment is disputed, or after that was lost', () => {
    const open = disputed(3000, usd(2500));
    given(ten, open).when(approve).thenRefused('payment_disputed');
    given(ten, open, closedAs('lost', usd(1000)))
      .when(approve)
      .thenRefused('payment_disputed');
    given(ten, open, closedAs('won', 0n)).when(approve).then(approved());
  });
  it('is refused once, until the partner is at work on it', () => {
    given(ten).when(refuse).then(refused());
    given(ten, approved()).when(refuse).then(refused());
    given(ten, refused()).when(refuse).then();
    given(ten, approved(), sent()).when(refuse).thenRefused('refund_sent');
    given(ten, approved(), pending(1200, 'rfd_1')).when(refuse).thenRefused('refund_sent');
  });
  it('is sent once, after it was approved', () => {
    given(ten).when(recordSent).thenRefused('refund_not_approved');
    given(ten, approved()).when(recordSent).then(sent());
    given(ten, approved(), sent()).when(recordSent).then();
  });
  it('may have succeeded before it is known to be sent', () =>
    given(ten, approved(), refunded(1200, usd(1000), 'rfd_1'))
      .when(recordSent)
      .then());
  it('fails once', () => {
    for (const before of [[ten], [ten, approved()], [ten, approved(), sent()]]) {
      given(...before)
        .when(fail)
        .then(failed(fail.reason));
    }
    given(ten, failed(fail.reason)).when(fail).then();
    given(ten, refused()).when(fail).then();
  });
  it('is closed for good', () => {
    const done = refunded(1200, usd(1000), 'rfd_1');
    for (const command of [approve, refuse, fail])
      given(ten, approved(), done).when(command).thenRefused('refund_closed');
    for (const command of [approve, recordSent]) given(ten, refused()).when(command).thenRefused('refund_closed');
    for (const command of [approve, refuse, recordSent])
      given(ten, failed('canceled')).when(command).thenRefused('refund_closed');
  });
  it('is found by its id', () => {
    for (const command of [approve, refuse, recordSent, fail]) given().when(command).thenRefused('refund_not_found');
  });
});

describe('a refund that the partner reports', () => {
  it('takes credits in proportion, rounded down to a cent', () => {
    given()
      .when(refund(1200n))
      .then(refunded(1200, usd(1000)));
    given().when(refund(1n)).then(refunded(1, 0n));
    given()
      .when(refund(1001n))
      .then(refunded(1001, usd(834)));
  });
  it('that completes the gross amount takes all that is left', () => {
    given(refunded(1001, usd(834)))
      .when(refund(1999n, { reference: 'ref_2' }))
      .then(refunded(1999, usd(1666), null, 'ref_2'));
    given()
      .when(refund(9999n))
      .then(refunded(9999, usd(2500)));
  });
  it('is recorded once', () => {
    given(refunded(1200, usd(1000)))
      .when(refund(1200n))
      .then();
    given(refunded(1200, usd(1000)))
      .when(refund(1200n, { status: 'pending' }))
      .then();
    given(pending(1200))
      .when(refund(1200n, { status: 'pending' }))
      .then();
    given(pending(1200))
      .when(refund(1200n, { status: 'requiresAction' }))
      .then();
    given(failed('canceled', null, 'ref_1'))
      .when(refund(1200n, { status: 'failed' }))
      .then();
  });
  it('is pending until it has succeeded', () => {
    given()
      .when(refund(1200n, { status: 'pending' }))
      .then(pending(1200));
    given()
      .when(refund(1200n, { status: 'requiresAction' }))
      .then(pending(1200));
    given(pending(1200))
      .when(refund(1200n))
      .then(refunded(1200, usd(1000)));
  });
  it('may succeed after it had failed', () =>
    given(failed('failed', null, 'ref_1'))
      .when(refund(1200n))
      .then(refunded(1200, usd(1000))));
  it('does not fail after it has succeeded', () => {
    given(refunded(1200, usd(1000)))
      .when(refund(1200n, { status: 'failed' }))
      .thenRefused('already_refunded');
    given(refunded(1200, usd(1000)))
      .when(refund(1200n, { status: 'canceled' }))
      .thenRefused('already_refunded');
  });
  it('is refused until its transaction is recorded', () => {
    givenOpen().when(refund(1200n)).thenRefused('payment_not_completed');
    given()
      .when(refund(1200n, { transactionId: 'tran_2' }))
      .thenRefused('payment_not_completed');
  });
  it('is refused in another currency, and for no amount', () => {
    given()
      .when(refund(1200n, { currency: 'EUR' }))
      .thenRefused('other_currency');
    given().when(refund(0n)).thenRefused('invalid_amount');
  });
  it('of a payment that was released in another currency takes credits in proportion', () =>
    givenOpen(quarantined('other_currency', { currency: 'EUR' }), released(usd(2700)))
      .when(refund(1500n, { currency: 'EUR' }))
      .then(refunded(1500, usd(1350))));
});

describe('a refund that matches a request', () => {
  it('fulfils it, and takes exactly its credits', () => {
    const odd = requested(usd(1000) - 1n, usd(1200));
    given(odd, approved())
      .when(refund(1200n))
      .then(refunded(1200, usd(1000) - 1n, 'rfd_1'));
    given(odd, approved(), sent())
      .when(refund(1200n))
      .then(refunded(1200, usd(1000) - 1n, 'rfd_1'));
  });
  it('fulfils an approved request before one that was only asked for', () => {
    const second = requested(usd(1000), usd(1200), 'rfd_2');
    given(ten, second, approved('rfd_2'))
      .when(refund(1200n))
      .then(refunded(1200, usd(1000), 'rfd_2'));
    given(ten, second)
      .when(refund(1200n))
      .then(refunded(1200, usd(1000), 'rfd_1'));
  });
  it('does not fulfil one that another refund is fulfilling', () => {
    const second = requested(usd(1000), usd(1200), 'rfd_2');
    given(ten, second, pending(1200, 'rfd_1'))
      .when(refund(1200n, { reference: 'ref_2' }))
      .then(refunded(1200, usd(1000), 'rfd_2', 'ref_2'));
    given(ten, second, pending(1200, 'rfd_2'))
      .when(refund(1200n))
      .then(refunded(1200, usd(1000), 'rfd_2'));
  });
  it('does not fulfil one that has ended', () =>
    given(ten, refused())
      .when(refund(1200n))
      .then(refunded(1200, usd(1000))));
  it('ends the request if it fails', () => {
    for (const status of ['failed', 'canceled'] as const) {
      given(ten, approved(), sent())
        .when(refund(1200n, { status }))
        .then(failed(status, 'rfd_1', 'ref_1'));
      given(ten, pending(1200))
        .when(refund(1200n, { status }))
        .then(failed(status, null, 'ref_1'));
    }
  });
  it('does not end a request that was not approved if it fails', () =>
    given(ten)
      .when(refund(1200n, { status: 'failed' }))
      .then(failed('failed', null, 'ref_1')));
});

describe('a refund that matches no request', () => {
  it('ends the oldest open requests that no longer fit', () =>
    given(requested(usd(500), usd(600)), approved(), requested(usd(1000), usd(1200), 'rfd_2'))
      .when(refund(1500n))
      .then(refunded(1500, usd(1250)), failed('the payment was refunded')));
  it('leaves the requests that fit', () =>
    given(ten)
      .when(refund(1800n))
      .then(refunded(1800, usd(1500))));
});

describe('a dispute', () => {
  const close = (outcome: 'won' | 'lost') =>
    ({ type: 'CloseDispute', disputeId: 'disp_1', outcome, how: 'partner' }) as const;
  const open = disputed(3000, usd(2500));

  it('is about the credits of what is disputed, as far as they are left', () => {
    given().when(dispute(3000n)).then(open);
    given()
      .when(dispute(1200n))
      .then(disputed(1200, usd(1000)));
    given(refunded(1200, usd(1000)))
      .when(dispute(3000n))
      .then(disputed(3000, usd(1500)));
  });
  it('is recorded once', () => {
    given(open).when(dispute(3000n)).then();
    given(open, closedAs('won', 0n)).when(dispute(3000n)).then();
  });
  it('is refused until its transaction is recorded', () => {
    givenOpen().when(dispute(3000n)).thenRefused('payment_not_completed');
    given()
      .when(dispute(3000n, { transactionId: 'tran_2' }))
      .thenRefused('payment_not_completed');
  });
  it('is refused in another currency, and for no amount', () => {
    given()
      .when(dispute(3000n, { currency: 'EUR' }))
      .thenRefused('other_currency');
    given().when(dispute(0n)).thenRefused('invalid_amount');
  });
  it('that is lost takes what is left', () => {
    given(open)
      .when(close('lost'))
      .then(closedAs('lost', usd(2500)));
    given(open, refunded(1200, usd(1000)))
      .when(close('lost'))
      .then(closedAs('lost', usd(1500)));
    given(open, refunded(3000, usd(2500)))
      .when(close('lost'))
      .then(closedAs('lost', 0n));
  });
  it('that is lost ends the open requests that no longer fit', () =>
    given(ten, open)
      .when(close('lost'))
      .then(closedAs('lost', usd(2500)), failed('the payment was charged back')));
  it('that is won takes nothing', () => given(open).when(close('won')).then(closedAs('won', 0n)));
  it('is closed once', () => {
    given(open, closedAs('won', 0n)).when(close('won')).then();
    given(open, closedAs('lost', usd(2500)))
      .when(close('lost'))
      .then();
    given(open, closedAs('won', 0n)).when(close('lost')).thenRefused('dispute_closed');
  });
  it('that was lost may be won later, which gives back what it took', () => {
    const lost = closedAs('lost', usd(2500));
    given(open, lost)
      .when(close('won'))
      .then(closedAs('won', usd(2500)));
    given(open, lost, closedAs('won', usd(2500)))
      .when(refund(1200n))
      .then(refunded(1200, usd(1000)));
  });
  it('that was lost leaves nothing for a refund', () =>
    given(open, closedAs('lost', usd(2500)))
      .when(refund(3000n))
      .then(refunded(3000, 0n)));
  it('is found by its id', () => given().when(close('won')).thenRefused('dispute_not_found'));
});

describe('a full refund', () => {
  const isFull = (...events: PaymentEvent[]): boolean => {
    const payment = [opened, ...events].reduce<Payment>(evolvePayment, paymentDecider.initial());
    return payment.status !== 'unknown' && isFullRefund(payment, 'rfd_1');
  };

  it('is one of the whole transaction, of which nothing was returned', () => {
    expect(isFull(completed, all)).toBe(true);
    expect(isFull(completed, ten)).toBe(false);
    expect(isFull(completed)).toBe(false);
    expect(isFull(completed, all, refunded(1, 0n))).toBe(false);
    const cause = { kind: 'refund', reference: 'ref_2' } as const;
    const back: PaymentEvent = { type: 'QuarantineReturned', transactionId: 'tran_1', cause, gross: 3000n };
    const twice = quarantined('more_than_asked', { paid: 6000n });
    expect(isFull(twice, back, released(usd(2500)), all)).toBe(false);
  });
});
