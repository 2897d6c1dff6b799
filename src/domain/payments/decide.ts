import { accept, refuse, type Decider } from '../decider.ts';
import { CENT } from './amounts.ts';
import type { PaymentCommand, PaymentCommandOf, PaymentDecision, PaymentRefusal } from './commands.ts';
import { closeDispute, recordDispute } from './decide-disputes.ts';
import { recordPaid, rejectQuarantine, releaseQuarantine } from './decide-paid.ts';
import { approveRefund, failRefund, recordRefundSent, refuseRefund, requestRefund } from './decide-requests.ts';
import { recordRefund } from './decide-refunds.ts';
import type { PaymentEvent } from './events.ts';
import { evolvePayment, type KnownPayment, type Payment } from './payment.ts';

type PaymentDecider = Decider<Payment, PaymentCommand, PaymentEvent, PaymentRefusal>;

const no = (code: PaymentRefusal['code']): PaymentDecision => refuse({ code });

const decidePayment = (command: PaymentCommand, payment: Payment): PaymentDecision => {
  if (command.type === 'OpenPayment') return open(command, payment);
  if (payment.status === 'unknown') return no('payment_not_found');
  switch (command.type) {
    case 'RecordCheckout':
      return recordCheckout(command, payment);
    case 'ExpirePayment':
      return payment.status === 'open' ? accept({ type: 'PaymentExpired', reason: command.reason }) : accept();
    case 'RecordPaid':
      return recordPaid(command, payment);
    case 'ReleaseQuarantine':
      return releaseQuarantine(command, payment);
    case 'RejectQuarantine':
      return rejectQuarantine(command, payment);
    case 'RequestRefund':
      return requestRefund(command, payment);
    case 'ApproveRefund':
      return approveRefund(command, payment);
    case 'RefuseRefund':
      return refuseRefund(command, payment);
    case 'RecordRefundSent':
      return recordRefundSent(command, payment);
    case 'FailRefund':
      return failRefund(command, payment);
    case 'RecordRefund':
      return recordRefund(command, payment);
    case 'RecordDispute':
      return recordDispute(command, payment);
    case 'CloseDispute':
      return closeDispute(command, payment);
  }
};

const open = (command: PaymentCommandOf<'OpenPayment'>, payment: Payment): PaymentDecision => {
  const { accountId, amount, partner } = command;
  if (payment.status !== 'unknown') {
    const isSame = payment.accountId === accountId && payment.amount === amount && payment.partner === partner;
    return isSame ? accept() : no('payment_exists');
  }
  if (amount <= 0n || amount % CENT !== 0n) return no('invalid_amount');
  return accept({ type: 'PaymentOpened', accountId, amount, partner });
};

/** Also recorded for a payment that is over: its page may still be paid, and look-ups need the id of the page. */
const recordCheckout = (
  { checkoutId, url }: PaymentCommandOf<'RecordCheckout'>,
  { checkouts }: KnownPayment,
): PaymentDecision =>
  checkouts.some((one) => one.checkoutId === checkoutId)
    ? accept()
    : accept({ type: 'CheckoutCreated', checkoutId, url });

export const paymentDecider: PaymentDecider = {
  initial: () => ({ status: 'unknown' }),
  evolve: evolvePayment,
  decide: decidePayment,
};
