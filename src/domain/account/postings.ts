import { bookedLot, takenBy, writtenOffOf, type BookedLot, type BookedLots, type Taken } from '../books/booked-lots.ts';
import { post, type Posting } from '../books/posting.ts';
import type { Credits } from '../money.ts';
import type { AccountEvent, Draw } from './events.ts';
import type { CorrectionEvent, DebtEvent, RefundEvent } from './refunds/events.ts';

/**
 * The double entry of an event of an account. The `finance:` comment of the event describes it. `lots` is the state before the
 * event. Holds are memorandum, and so is usage that was written off: there was no revenue, and its cost is accrued with the provider's.
 * What moves at the payment partner is posted by the events of payments, against the same 1140 as here.
 */
export const accountPostings = (event: AccountEvent, lots: BookedLots): readonly Posting[] => {
  switch (event.type) {
    case 'CreditsToppedUp':
      return event.source.kind === 'payment' ? post('1140', '2010', event.amount) : post('2021', '2020', event.amount);
    case 'HoldSettled':
    case 'LateUsageCharged':
      return used(event.drawn, event.price.model, lots);
    case 'LotExpired':
      return ended(event.lotId, event.amount, '4095', lots);
    case 'CreditsHeldForRefund':
    case 'RefundHoldReleased':
    case 'CreditsRefunded':
    case 'LotFrozen':
    case 'LotUnfrozen':
    case 'CreditsChargedBack':
    case 'ChargebackReversed':
    case 'CreditsForfeited':
    case 'CreditsWaived':
      return refundPostings(event, lots);
    case 'DebtIncurred':
    case 'DebtRepaid':
    case 'DebtWrittenOff':
      return debtPostings(event);
    case 'ChargeReversed':
      return reversalPostings(event, lots);
    case 'CreditsReserved':
    case 'HoldExtended':
    case 'HoldReleased':
    case 'UsageWrittenOff':
    case 'AccountRegistered':
    case 'TermsAccepted':
    case 'AccountSuspended':
    case 'AccountReinstated':
    case 'ContactChanged':
    case 'AccountClosed':
    case 'PersonalDataErased':
    case 'MemberAdded':
    case 'MemberRoleChanged':
    case 'MemberRemoved':
    case 'TokenCreated':
    case 'TokenRevoked':
    case 'DuplicateSuspected':
    case 'DuplicateDismissed':
    case 'KeyIssued':
    case 'KeyRehashed':
    case 'KeyRevoked':
    case 'KeyLeakReported':
    case 'KeyLimitsSet':
    case 'AccountLimitsSet':
    case 'LowBalanceThresholdSet':
    case 'BalanceBelowThreshold':
    case 'NoticeQueued':
    case 'NoticeAnswered':
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
    case 'ViolationRecorded':
    case 'AccountTerminated':
    case 'ContactNoted':
    case 'ContactAnswerNoted':
      return [];
  }
};

const refundPostings = (event: RefundEvent, lots: BookedLots): readonly Posting[] => {
  switch (event.type) {
    case 'CreditsHeldForRefund':
      return post('2010', '2030', event.amount);
    case 'RefundHoldReleased':
      return post('2030', '2010', event.amount);
    case 'CreditsRefunded':
      return taken(takenBy(event, bookedLot(lots, event.lotId)));
    case 'LotFrozen':
      return post('2010', '2040', event.amount);
    case 'LotUnfrozen':
      return post('2040', '2010', event.amount);
    case 'CreditsChargedBack':
      return taken(takenBy(event, bookedLot(lots, event.lotId)));
    case 'ChargebackReversed':
      return [
        ...post('1140', '2010', event.restored),
        ...post('1140', '1200', event.cancelled),
        ...event.returned.flatMap(({ amount }) => post('1140', '2010', amount)),
        // The reversal of the charge has lowered revenue already.
        ...post('1140', '2010', event.reduced),
        ...post('1140', '6020', writtenOffOf(bookedLot(lots, event.lotId), event.disputeId)),
      ];
    case 'CreditsForfeited':
      return ended(event.lotId, event.amount, '4090', lots);
    case 'CreditsWaived':
      return ended(event.lotId, event.amount, '4095', lots);
  }
};

const debtPostings = (event: DebtEvent): readonly Posting[] => {
  switch (event.type) {
    case 'DebtIncurred':
      return post('1200', '1140', event.amount);
    case 'DebtRepaid':
      return post('2010', '1200', event.amount);
    case 'DebtWrittenOff':
      return post('6020', '1200', event.amount);
  }
};

/**
 * For a promotional lot, revenue and its contra fall together. The same holds for `granted`: the grant that replaces the lot is
 * posted like any other grant, and must not count as a second expense.
 */
const reversalPostings = (event: CorrectionEvent, lots: BookedLots): readonly Posting[] => [
  ...event.returned.flatMap(({ lotId, amount }) =>
    isPaid(bookedLot(lots, lotId))
      ? post('4910', '2010', amount)
      : [...post('4910', '2020', amount), ...post('2021', '4900', amount)],
  ),
  ...event.debtReduced.flatMap(({ amount }) => post('4910', '1200', amount)),
  ...event.granted.flatMap(({ amount }) => post('4910', '4900', amount)),
];

const used = (drawn: readonly Draw[], model: string, lots: BookedLots): readonly Posting[] =>
  drawn.flatMap(({ lotId, amount }) =>
    isPaid(bookedLot(lots, lotId))
      ? post('2010', `4010:${model}`, amount)
      : [...post('2020', `4010:${model}`, amount), ...post('4900', '2021', amount)],
  );

/** Paid credits that end are revenue; promotional credits were no expense yet. */
const ended = (lotId: string, amount: Credits, revenue: '4090' | '4095', lots: BookedLots): readonly Posting[] =>
  isPaid(bookedLot(lots, lotId)) ? post('2010', revenue, amount) : post('2020', '2021', amount);

const taken = ({ held, frozen, free }: Taken): readonly Posting[] => [
  ...post('2030', '1140', held),
  ...post('2040', '1140', frozen),
  ...post('2010', '1140', free),
];

const isPaid = ({ kind }: BookedLot): boolean => kind === 'paid';
