import type { RefundReason } from '../../domain/account/refunds/events.ts';
import { formatUsd, type Credits } from '../../domain/money.ts';
import type { DisputeEnd, PaymentEvent, QuarantineReason } from '../../domain/payments/events.ts';
import { plain, usd } from '../account-history/plain-text.ts';

const askedWhy: Readonly<Record<RefundReason, string>> = {
  not_needed: 'the credits are not needed',
  by_mistake: 'they were bought by mistake',
  not_satisfied: 'the holder is not satisfied',
  account_closed: 'the account is closed',
  other: 'another reason',
};

const keptWhy: Readonly<Record<QuarantineReason, string>> = {
  more_than_asked: 'more than was asked for',
  other_currency: 'another currency',
  second_transaction: 'the payment has credits from another transaction',
};

const closedBy: Readonly<Record<DisputeEnd, string>> = {
  partner: 'as the payment partner shows',
  staff: 'as staff recorded',
  time: 'because nothing was reported for 120 days',
};

/** Amounts with tax: of a payment from quarantine they may be in another currency than USD. */
const gross = (amount: Credits): string => formatUsd(amount);

/** Describes an event of a payment for staff. */
export const paymentSentence = (event: PaymentEvent): string => {
  switch (event.type) {
    case 'PaymentOpened':
      return `${event.accountId} asked to top up ${usd(event.amount)}, to be paid to ${plain(event.partner)}.`;
    case 'CheckoutCreated':
      return `The payment page ${plain(event.checkoutId)} was opened.`;
    case 'PaymentExpired':
      return `Expired: ${plain(event.reason)}.`;
    case 'PaymentCompleted': {
      const { transactionId, orderId, paid, tax, credited } = event;
      return `Paid ${usd(paid)}, of which ${usd(tax)} are tax (transaction ${plain(transactionId)}, order ${plain(orderId)}): ${usd(credited)} are credited.`;
    }
    case 'PaymentQuarantined': {
      const { transactionId, orderId, paid, tax, currency, reason } = event;
      return `In quarantine, not credited: ${paid} of the smallest unit of ${plain(currency)}, of which ${tax} are tax (transaction ${plain(transactionId)}, order ${plain(orderId)}); ${keptWhy[reason]}.`;
    }
    case 'QuarantineReleased': {
      const { transactionId, credited, reason } = event;
      return `Released ${plain(transactionId)} from quarantine: ${usd(credited)} are credited; ${plain(reason)}.`;
    }
    case 'QuarantineRejected':
      return `Rejected ${plain(event.transactionId)}, which gives no credits: ${plain(event.reason)}.`;
    case 'QuarantineReturned': {
      const by = event.cause.kind === 'refund' ? `refund ${event.cause.reference}` : `dispute ${event.cause.disputeId}`;
      return `Of ${plain(event.transactionId)} in quarantine, ${event.gross} of the smallest unit went back (${plain(by)}).`;
    }
    case 'RefundRequested': {
      const { refundId, amount, gross: returned, reason } = event;
      return `Refund ${plain(refundId)} of ${usd(amount)} requested, ${gross(returned)} with tax; ${askedWhy[reason]}.`;
    }
    case 'RefundApproved':
      return `Approved the refund ${plain(event.refundId)}: ${plain(event.reason)}.`;
    case 'RefundRefused':
      return `Refused the refund ${plain(event.refundId)}: ${plain(event.reason)}.`;
    case 'RefundSent':
      return `The payment partner has accepted the refund ${plain(event.refundId)}.`;
    case 'RefundPending': {
      const { refundId, reference, gross: returned } = event;
      return `The payment partner is making a refund of ${gross(returned)} with tax (${plain(reference)})${fulfils(refundId)}.`;
    }
    case 'RefundCompleted': {
      const { refundId, reference, gross: returned, amount } = event;
      return `The payment partner refunded ${gross(returned)} with tax (${plain(reference)})${fulfils(refundId)}: ${usd(amount)} of credits.`;
    }
    case 'RefundFailed': {
      const { refundId, reference, reason } = event;
      const which = reference === null ? '' : ` (${plain(reference)})`;
      return `${refundId === null ? 'A refund' : `The refund ${plain(refundId)}`} was not made${which}: ${plain(reason)}.`;
    }
    case 'DisputeOpened':
      return `Disputed: ${gross(event.gross)} with tax (${plain(event.disputeId)}); ${usd(event.amount)} of credits are at stake.`;
    case 'DisputeClosed': {
      const { disputeId, outcome, how, amount } = event;
      const verb = outcome === 'won' ? 'come back' : 'are charged back';
      const moved = amount === 0n ? '' : `: ${usd(amount)} of credits ${verb}`;
      return `The dispute ${plain(disputeId)} was ${outcome}, ${closedBy[how]}${moved}.`;
    }
  }
};

const fulfils = (refundId: string | null): string =>
  refundId === null ? ', without a request' : `, for ${plain(refundId)}`;
