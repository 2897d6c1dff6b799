import { describe, expect, it } from 'vitest';
import { paymentDecider } from '../../../src/domain/payments/decide.ts';
import type { PaymentEvent } from '../../../src/domain/payments/events.ts';
import { lotOfPayment, paymentOfStream, paymentStream } from '../../../src/domain/payments/payment.ts';
import { specify } from '../../given.ts';
import {
  checkedOut,
  completed,
  expired,
  opened,
  pay,
  quarantined,
  refund,
  dispute,
  rejected,
  released,
  usd,
} from './examples.ts';

const givenNothing = specify(paymentDecider);
const given = specify(paymentDecider, opened);

describe('OpenPayment', () => {
  const { accountId, amount, partner } = opened;
  const open = { type: 'OpenPayment', accountId, amount, partner } as const;

  it('opens a payment', () => givenNothing().when(open).then(opened));
  it('opens it once', () => given().when(open).then());
  it('opens it once, also after it was paid', () => given(completed).when(open).then());
  it('refuses another payment of the same id', () =>
    given()
      .when({ ...open, amount: usd(100) })
      .thenRefused('payment_exists'));
  it.each([
    ['nothing', 0n],
    ['less than nothing', -usd(1)],
    ['a part of a cent', usd(100) + 1n],
  ])('refuses %s', (_, wrong) =>
    givenNothing()
      .when({ ...open, amount: wrong })
      .thenRefused('invalid_amount'),
  );
});

describe('a checkout', () => {
  const { checkoutId, url } = checkedOut;
  const record = { type: 'RecordCheckout', checkoutId, url } as const;

  it('is recorded once', () => {
    given().when(record).then(checkedOut);
    given(checkedOut).when(record).then();
  });
  it('is recorded beside an earlier one, which may still be paid', () =>
    given(checkedOut)
      .when({ ...record, checkoutId: 'ch_2' })
      .then({ ...checkedOut, checkoutId: 'ch_2' }));
  it('is recorded for a payment that is over, because it may still be paid', () =>
    given(expired).when(record).then(checkedOut));
  it('is refused for a payment that does not exist', () =>
    givenNothing().when(record).thenRefused('payment_not_found'));
});

describe('a payment that is not paid', () => {
  const expire = { type: 'ExpirePayment', reason: 'not paid in time' } as const;

  it('expires once', () => {
    given().when(expire).then(expired);
    given(expired).when(expire).then();
  });
  it('completes if it is paid later', () => given(expired).when(pay).then(completed));
  it('does not expire once it was paid', () => {
    given(completed).when(expire).then();
    given(quarantined('more_than_asked')).when(expire).then();
  });
});

describe('a transaction', () => {
  it('is credited without its tax', () => given(checkedOut).when(pay).then(completed));
  it('is credited once', () => given(completed).when(pay).then());
  it('is credited as it is if less than asked was paid', () =>
    given()
      .when({ ...pay, paid: 2500n })
      .then({ ...completed, paid: usd(2500), credited: usd(2000) }));
  it('of more than was asked is quarantined', () =>
    given()
      .when({ ...pay, paid: 3001n })
      .then(quarantined('more_than_asked', { paid: 3001n })));
  it('in another currency is quarantined', () =>
    given()
      .when({ ...pay, currency: 'EUR' })
      .then(quarantined('other_currency', { currency: 'EUR' })));
  it('is quarantined if another one was credited', () =>
    given(completed)
      .when({ ...pay, transactionId: 'tran_2' })
      .then(quarantined('second_transaction', { transactionId: 'tran_2' })));
  it('is credited if only others are in quarantine', () =>
    given(quarantined('more_than_asked', { transactionId: 'tran_2' }))
      .when(pay)
      .then(completed));
  it.each(['waiting', 'rejected', 'released'])('is quarantined once: %s', (status) => {
    const after = { waiting: [], rejected: [rejected()], released: [released(usd(2500))] }[status] ?? [];
    given(quarantined('more_than_asked'), ...after)
      .when(pay)
      .then();
  });
  it.each([
    ['only tax', { tax: 3000n }],
    ['more tax than was paid', { tax: 3001n }],
    ['negative tax', { tax: -1n }],
  ])('is refused if it has %s', (_, wrong) =>
    given()
      .when({ ...pay, ...wrong })
      .thenRefused('invalid_amount'),
  );
  it('is refused if there is no such payment', () => givenNothing().when(pay).thenRefused('payment_not_found'));
});

describe('a quarantined transaction', () => {
  const tooMuch = quarantined('more_than_asked', { paid: 6000n, tax: 1000n });
  const release = (credited: bigint, transactionId = 'tran_1') =>
    ({ type: 'ReleaseQuarantine', transactionId, credited, reason: 'checked' }) as const;
  const reject = { type: 'RejectQuarantine', transactionId: 'tran_1', reason: 'paid twice' } as const;
  const returned = (gross: bigint): Extract<PaymentEvent, { type: 'QuarantineReturned' }> => ({
    ...{ type: 'QuarantineReturned', transactionId: 'tran_1', gross },
    cause: { kind: 'refund', reference: 'ref_1' },
  });

  it('is released for at most what was paid without tax', () => {
    given(tooMuch)
      .when(release(usd(5000)))
      .then(released(usd(5000)));
    given(tooMuch)
      .when(release(usd(5000) + 1n))
      .thenRefused('invalid_amount');
    given(tooMuch).when(release(0n)).thenRefused('invalid_amount');
  });
  it('of another currency is released for what staff decide', () =>
    given(quarantined('other_currency', { currency: 'EUR', paid: 100n, tax: 0n }))
      .when(release(usd(110)))
      .then(released(usd(110))));
  it('is released once', () => {
    given(tooMuch, released(usd(5000)))
      .when(release(usd(5000)))
      .then();
    given(tooMuch, released(usd(5000)))
      .when(release(usd(4000)))
      .thenRefused('quarantine_closed');
  });
  it('is not released beside another transaction that was credited', () =>
    given(completed, quarantined('second_transaction', { transactionId: 'tran_2' }))
      .when(release(usd(2500), 'tran_2'))
      .thenRefused('payment_completed'));
  it('is rejected once, and then not released', () => {
    given(tooMuch).when(reject).then(rejected());
    given(tooMuch, rejected()).when(reject).then();
    given(tooMuch, rejected())
      .when(release(usd(5000)))
      .thenRefused('quarantine_closed');
    given(tooMuch, released(usd(5000)))
      .when(reject)
      .thenRefused('quarantine_closed');
  });
  it('is found by its id', () => {
    given(tooMuch)
      .when(release(usd(1), 'tran_2'))
      .thenRefused('quarantine_not_found');
    given().when(reject).thenRefused('quarantine_not_found');
  });
  it('goes back by a refund, without an effect on credits', () => {
    given(tooMuch).when(refund(6000n)).then(returned(6000n));
    given(tooMuch, returned(6000n)).when(refund(6000n)).then();
    given(tooMuch)
      .when(refund(6000n, { status: 'pending' }))
      .then();
    given(completed, { ...tooMuch, transactionId: 'tran_2' })
      .when(refund(6000n, { transactionId: 'tran_2' }))
      .then({ ...returned(6000n), transactionId: 'tran_2' });
  });
  it('goes back by a dispute, without an effect on credits', () =>
    given(tooMuch)
      .when(dispute(6000n))
      .then({ ...returned(6000n), cause: { kind: 'dispute', disputeId: 'disp_1' } }));
  it('that went back is not released', () => {
    given(tooMuch, returned(6000n))
      .when(release(usd(1)))
      .thenRefused('quarantine_closed');
  });
  it('is released for at most the part without tax of what did not go back, in whole cents', () => {
    given(tooMuch, returned(3000n))
      .when(release(usd(2500)))
      .then(released(usd(2500)));
    given(tooMuch, returned(3000n))
      .when(release(usd(2500) + 1n))
      .thenRefused('invalid_amount');
    // 8.333 USD of 10.00 USD.
    given(tooMuch, returned(5000n))
      .when(release(usd(833)))
      .then(released(usd(833)));
    given(tooMuch, returned(5000n))
      .when(release(usd(833) + 1n))
      .thenRefused('invalid_amount');
  });
  it('does not count what went back before its release as a refund of credits', () => {
    given(tooMuch, returned(3000n), released(usd(2500)))
      .when(refund(3000n))
      .then();
    given(tooMuch, returned(3000n), released(usd(2500)))
      .when(refund(1200n, { reference: 'ref_2' }))
      .then({ type: 'RefundCompleted', refundId: null, reference: 'ref_2', gross: usd(1200), amount: usd(1000) });
  });
});

it('has the lot and the stream of its id', () => {
  expect(lotOfPayment('pay_0a1')).toBe('lot_0a1');
  expect(paymentStream('pay_0a1')).toBe('payment-pay_0a1');
  expect(paymentOfStream('payment-pay_0a1')).toBe('pay_0a1');
  expect(paymentOfStream('account-acc_1')).toBeUndefined();
});
