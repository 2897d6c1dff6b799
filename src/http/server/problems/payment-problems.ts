import type { AccountRefusal } from '../../../domain/account/decide.ts';
import type { PaymentRefusal } from '../../../domain/payments/commands.ts';
import { invalid, type ProblemEntry } from './problem-entries.ts';

/** Refusals of payments that are not refusals of accounts, too. A new one does not compile until it has an entry. */
export const paymentRefusals = {
  payment_exists: invalid(409, 'This payment was opened with another amount.', 'Send a new Idempotency-Key.'),
  payment_not_found: invalid(404, 'This account has no payment with this id.', 'List its payments and check the id.'),
  payment_not_completed: invalid(409, 'This payment was not paid.', 'Read the payment to see its status.'),
  quarantine_not_found: invalid(
    404,
    'This payment has no such transaction in quarantine.',
    'Read the payment to see its transactions.',
  ),
  quarantine_closed: invalid(
    409,
    'This transaction was released or rejected before, or its money has been returned.',
    'Read the payment to see the outcome.',
  ),
  payment_completed: invalid(
    409,
    'This payment has credits from another transaction.',
    'Reject the transaction and refund it at the payment partner.',
  ),
  refund_not_found: invalid(
    404,
    'This payment has no such request for a refund.',
    'Read the payment and check the id.',
  ),
  refund_closed: invalid(
    409,
    'This refund was completed or refused, or it has failed.',
    'Read the payment to see the outcome.',
  ),
  refund_sent: invalid(409, 'The payment partner is making this refund.', 'Wait for the outcome.'),
  refund_not_approved: invalid(409, 'This refund is not approved.', 'Approve it first.'),
  refund_total_needed: invalid(
    409,
    'The report of this refund lacks the total that the payment partner has refunded.',
    'Compare with the partner: npm run payments -- sweep.',
  ),
  payment_disputed: invalid(
    409,
    'The payment is disputed at the payment partner, or was charged back.',
    'Refuse the refund, or wait for the end of the dispute.',
  ),
  already_refunded: invalid(409, 'This payment was refunded or charged back before.', 'Read the payment.'),
  dispute_not_found: invalid(404, 'This payment has no dispute with this id.', 'Read the payment and check the id.'),
  dispute_closed: invalid(409, 'This dispute was won, which is final.', 'Read the payment to see its disputes.'),
  other_currency: invalid(
    400,
    'The currency differs from that of the payment.',
    'Read the payment to see its currency.',
  ),
} satisfies Record<Exclude<PaymentRefusal['code'], AccountRefusal['code']>, ProblemEntry>;
