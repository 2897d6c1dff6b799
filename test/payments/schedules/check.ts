import type { CreemControl } from '@kissapi/creem-stand-in';
import { expect } from 'vitest';
import { accountOfStream, evolveAccount, initialAccount } from '../../../src/domain/account/account.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { free, isDisputed, lotOf } from '../../../src/domain/account/lots.ts';
import { openDebt } from '../../../src/domain/account/wallet.ts';
import type { PaymentEvent } from '../../../src/domain/payments/events.ts';
import { isFoundByTotal, lotOfPayment, paymentOfStream } from '../../../src/domain/payments/payment.ts';
import type { Fact } from '../../../src/eventstore/journal/codec.ts';

const CENT = 10_000_000n;

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
const ofType = <Event extends { readonly type: string }, Type extends Event['type']>(
  events: readonly Event[],
  type: Type,
) => events.filter((event): event is Extract<Event, { type: Type }> => event.type === type);

/** The events of the streams of one kind, by the id of their account or payment. */
const byId = <Event>(facts: readonly Fact[], idOf: (stream: string) => string | undefined) => {
  const streams = new Map<string, Event[]>();
  for (const { stream, event } of facts) {
    const id = idOf(stream);
    if (id === undefined) continue;
    const events = streams.get(id) ?? [];
    streams.set(id, [...events, event as Event]);
  }
  return streams;
};

type Control = Pick<CreemControl, 'checkouts' | 'orders' | 'transactions' | 'refunds' | 'disputes'>;
type Transaction = ReturnType<Control['transactions']>[number];

/**
 * Compares the whole log with the records of the partner: each transaction is credited once, each refund and each dispute is
 * recorded once, and nothing else moves. Returns how many transactions were credited.
 */
export const checkPayments = (facts: readonly Fact[], control: Control): number => {
  const accounts = byId<AccountEvent>(facts, accountOfStream);
  const payments = byId<PaymentEvent>(facts, paymentOfStream);
  const checkouts = new Map(control.checkouts().map((checkout) => [checkout.order, checkout]));
  const transactions = control.transactions();
  let credited = 0;
  for (const transaction of transactions) {
    const paymentId = checkouts.get(transaction.order)?.requestId ?? '';
    const payment = payments.get(paymentId) ?? [];
    const [opened] = ofType(payment, 'PaymentOpened');
    const account = accounts.get(opened?.accountId ?? '') ?? [];
    if (checkTransaction(transaction, paymentId, payment, account, control)) credited++;
  }
  const quarantined = [...payments.values()].flatMap((events) => ofType(events, 'PaymentQuarantined')).length;
  expect(quarantined + credited).toBe(transactions.length);
  const credits = [...accounts.values()].flatMap((events) => ofType(events, 'CreditsToppedUp'));
  const paid = credits.filter(({ source }) => source.kind === 'payment');
  expect(paid.length, 'nothing else is credited').toBe(credited);
  for (const account of accounts.values()) {
    checkBalance(account);
    checkClosing(account);
  }
  return credited;
};

/** Whether the transaction was credited; otherwise it is in quarantine. */
const checkTransaction = (
  transaction: Transaction,
  paymentId: string,
  payment: readonly PaymentEvent[],
  account: readonly AccountEvent[],
  control: Control,
): boolean => {
  const lotId = lotOfPayment(paymentId);
  const lot = ofType(account, 'CreditsToppedUp').filter((credits) => credits.lotId === lotId);
  const completed = ofType(payment, 'PaymentCompleted').filter((one) => one.transactionId === transaction.id);
  const quarantined = ofType(payment, 'PaymentQuarantined').filter((one) => one.transactionId === transaction.id);
  expect(completed.length + quarantined.length, 'a transaction is recorded once').toBe(1);
  if (quarantined.length > 0) {
    const isCredited = ofType(payment, 'PaymentCompleted').length > 0;
    expect(lot.length, 'a transaction in quarantine is not credited').toBe(isCredited ? 1 : 0);
    return false;
  }
  const net = BigInt(transaction.amount_paid - (transaction.tax_amount ?? 0)) * CENT;
  expect(
    lot.map(({ amount }) => amount),
    'a payment is credited once',
  ).toEqual([net]);
  checkDisputes(transaction, payment, control);
  const refunded = checkRefunds(transaction, payment, control);

  const taken = ofType(account, 'CreditsRefunded').filter((event) => event.lotId === lotId);
  const debts = ofType(account, 'DebtIncurred').filter((event) => event.lotId === lotId && event.cause === 'refund');
  const awaited = new Map(taken.map((event) => [event.reference, event.awaited]));
  const moved = sum([...taken, ...debts].map(({ amount }) => amount)) + sum([...awaited.values()]);
  expect(moved, 'each refund takes its credits once').toBe(refunded);
  expect(moved <= net).toBe(true);
  return true;
};

/** If a dispute was found without its id, and another followed, a late report can be of either. */
const foundByTotal = (payment: readonly PaymentEvent[]): number =>
  ofType(payment, 'DisputeOpened').filter(({ disputeId }) => isFoundByTotal(disputeId)).length;

/** Returns the credits that the refunds of the transaction take. */
const checkRefunds = ({ id }: Transaction, payment: readonly PaymentEvent[], control: Control): bigint => {
  const refunds = control.refunds().filter(({ transaction, status }) => transaction === id && status === 'succeeded');
  const completed = ofType(payment, 'RefundCompleted');
  expect(new Set(completed.map(({ reference }) => reference)).size).toBe(completed.length);
  const recorded = sum(completed.map(({ gross }) => gross));
  const made = sum(refunds.map(({ amount }) => BigInt(amount) * CENT));
  // A chargeback that only the total of the transaction showed includes refunds that no report had announced before it.
  if (foundByTotal(payment) > 0) expect(recorded <= made).toBe(true);
  else expect(recorded, 'each refund is recorded once').toBe(made);
  return sum(completed.map(({ amount }) => amount));
};

const checkDisputes = ({ id, status }: Transaction, payment: readonly PaymentEvent[], control: Control): void => {
  const disputes = control.disputes().filter(({ transaction }) => transaction === id);
  const opened = ofType(payment, 'DisputeOpened');
  if (status === 'chargedBack') expect(opened.length, 'a chargeback is recorded').toBeGreaterThan(0);
  const reported = opened.length - foundByTotal(payment);
  expect(reported, 'each dispute is recorded at most once').toBeLessThanOrEqual(disputes.length);
};

/** The balance is what was credited, less what was charged, refunded, charged back, repaid and waived. */
const checkBalance = (account: readonly AccountEvent[]): void => {
  const { wallet } = account.reduce(evolveAccount, initialAccount());
  const charges = [...ofType(account, 'HoldSettled'), ...ofType(account, 'LateUsageCharged')];
  const returned = [...ofType(account, 'CreditsRefunded'), ...ofType(account, 'CreditsChargedBack')];
  const back = ofType(account, 'ChargebackReversed').map(
    ({ restored, returned: repaid }) => restored + sum(repaid.map(({ amount }) => amount)),
  );
  const credited = sum(ofType(account, 'CreditsToppedUp').map(({ amount }) => amount));
  const charged = sum(charges.map((event) => event.charged));
  const given = [...ofType(account, 'DebtRepaid'), ...ofType(account, 'CreditsWaived')];
  const out = sum([...returned, ...given].map(({ amount }) => amount));
  expect(wallet.balance).toBe(credited + sum(back) - charged - out);
  expect(wallet.balance >= 0n && openDebt(wallet) >= 0n).toBe(true);
};

/** Credits that come back to a lot after the closing stay owed: a refund that was not made, or the end of a dispute. */
const comesBack: ReadonlySet<string> = new Set(['RefundHoldReleased', 'LotUnfrozen', 'ChargebackReversed']);

/**
 * If the holder of a closed account asked for a refund, no further step is needed: the remainder of each payment is in a
 * refund, refunded, or below a cent and waived.
 */
const checkClosing = (account: readonly AccountEvent[]): void => {
  const closing = account.findIndex((event) => event.type === 'AccountClosed' && event.rest === 'refund');
  if (closing === -1) return;
  const { wallet } = account.reduce(evolveAccount, initialAccount());
  const returned = new Set(
    account.slice(closing).flatMap((event) => ('lotId' in event && comesBack.has(event.type) ? [event.lotId] : [])),
  );
  for (const { amount } of ofType(account, 'CreditsWaived'))
    expect(amount < CENT, 'only less than a cent is waived').toBe(true);
  const asked = ofType(account, 'CreditsHeldForRefund').map(({ refundId }) => refundId);
  expect(new Set(asked).size, 'each refund is asked for once').toBe(asked.length);
  for (const { lotId } of ofType(account.slice(0, closing), 'CreditsToppedUp')) {
    const lot = lotOf(wallet, lotId);
    if (!lot || returned.has(lotId) || isDisputed(lot)) continue;
    expect(free(lot) < CENT, 'what is left of a closed account is in refunds').toBe(true);
    if (lot.heldForRefund === 0n) expect(free(lot), 'what is less than a cent is waived').toBe(0n);
  }
};
