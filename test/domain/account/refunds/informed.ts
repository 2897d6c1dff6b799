import type { CommandOf } from '../../../../src/domain/account/commands.ts';
import type { AccountCommand } from '../../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../../src/domain/account/events.ts';

type EventOf<Type extends AccountEvent['type']> = Extract<AccountEvent, { type: Type }>;
type Seen = readonly AccountEvent[];

/**
 * A random command with the names that a caller has read in the events of the account: the receipt of a charge, a payment, a
 * dispute, a refund, an open hold. Otherwise most commands of a short history would be about nothing.
 */
export const informed = (command: AccountCommand, seen: Seen): AccountCommand => {
  switch (command.type) {
    case 'ReverseCharge':
      return withReceipt(command, seen);
    case 'ExtendHold':
    case 'SettleHold':
    case 'ReleaseHold': {
      const open = openHolds(seen);
      return { ...command, requestId: choose(open, command.requestId, (one) => one === command.requestId) };
    }
    case 'HoldForRefund':
      return { ...command, refunds: command.refunds.map((refund) => ({ ...refund, ...payment(refund, seen) })) };
    case 'ReleaseRefundHold': {
      const refunds = openRefunds(seen).map(({ refundId }) => refundId);
      return { ...command, refundId: choose(refunds, command.refundId, (one) => one === command.refundId) };
    }
    case 'RecordRefund': {
      const { refundId } = command;
      const refunds = openRefunds(seen);
      const ids = refunds.map((one) => one.refundId);
      const own = refundId === null ? undefined : refunds[ids.indexOf(choose(ids, refundId))];
      return own ? { ...command, refundId: own.refundId, lotId: own.lotId } : { ...command, ...payment(command, seen) };
    }
    case 'FreezeLot':
      return { ...command, ...newDispute(command, seen) };
    case 'RecordChargeback':
      // The third dispute about a payment is often lost before it froze anything.
      if (command.disputeId.startsWith('dispute_3')) return { ...command, ...newDispute(command, seen) };
      return { ...command, ...dispute(seen.filter(isOf('LotFrozen')), command) };
    case 'UnfreezeLot':
      return { ...command, ...dispute(seen.filter(isOf('LotFrozen')), command) };
    case 'ReverseChargeback':
      return { ...command, ...dispute(seen.filter(isOf('CreditsChargedBack')), command) };
    case 'WriteOffDebt': {
      const debtors = seen.filter(isOf('DebtIncurred')).map(({ lotId }) => lotId);
      const lotId = choose(debtors, command.lotId, (one) => one === command.lotId);
      const owed = owedFor(seen, lotId);
      // Even amounts become all that is owed, if it is less.
      return { ...command, lotId, amount: command.amount > owed && command.amount % 2n === 0n ? owed : command.amount };
    }
    case 'AnswerNotice': {
      const { noticeId } = command;
      const queued = seen.filter(isOf('NoticeQueued')).map((notice) => notice.noticeId);
      return { ...command, noticeId: choose(queued, noticeId, (one) => one === noticeId) };
    }
    case 'ReinstateAccount': {
      const { cause } = command;
      if (cause?.kind !== 'violation') return command;
      const suspended = seen
        .filter(isOf('ViolationRecorded'))
        .filter(({ consequence }) => consequence === 'suspension');
      const last = suspended.at(-1)?.violationId ?? cause.violationId;
      return { ...command, cause: { kind: 'violation', violationId: last } };
    }
    case 'ReserveCredits':
      return seen.some(({ type }) => type === 'AccountClosed') ? afterClosing(command) : underNotice(command, seen);
    default:
      return command;
  }
};

/** The one that is named, or else one that depends on the number in the name, or the name itself if there is nothing. */
const choose = <T>(from: readonly T[], name: string & T, isNamed: (one: T) => boolean = () => false): T =>
  from.find(isNamed) ?? from[Number(/\d+/.exec(name)?.[0] ?? 0) % from.length] ?? name;

const isOf =
  <Type extends AccountEvent['type']>(type: Type) =>
  (event: AccountEvent): event is EventOf<Type> =>
    event.type === type;

const openHolds = (seen: Seen): readonly string[] => {
  const open = new Set<string>();
  for (const event of seen) {
    if (event.type === 'CreditsReserved') open.add(event.requestId);
    if (event.type === 'HoldSettled' || event.type === 'HoldReleased') open.delete(event.requestId);
  }
  return [...open];
};

const openRefunds = (seen: Seen): readonly EventOf<'CreditsHeldForRefund'>[] => {
  const open = new Map<string, EventOf<'CreditsHeldForRefund'>>();
  for (const event of seen) {
    if (event.type === 'CreditsHeldForRefund') open.set(event.refundId, event);
    if (event.type === 'RefundHoldReleased') open.delete(event.refundId);
  }
  return [...open.values()];
};

const payment = ({ lotId }: { readonly lotId: string }, seen: Seen): { readonly lotId: string } => {
  const paid = seen.filter(isOf('CreditsToppedUp')).filter(({ source }) => source.kind === 'payment');
  return {
    lotId: choose(
      paid.map((one) => one.lotId),
      lotId,
      (one) => one === lotId,
    ),
  };
};

/** About a payment that was made; from the second on, about one that was disputed before. */
const newDispute = (named: OfDispute, seen: Seen): OfDispute => {
  const { disputeId } = named;
  const disputed = disputeId.startsWith('dispute_1') ? [] : seen.filter(isOf('LotFrozen'));
  const { lotId } = disputed.at(-1) ?? payment(named, seen);
  return { lotId, disputeId: `${disputeId.slice(0, 'dispute_1'.length)}_of_${lotId}` };
};

/** Explicit acceptance is about terms whose notice failed. */
const underNotice = (command: CommandOf<'ReserveCredits'>, seen: Seen): AccountCommand => {
  if (!command.terms?.explicit) return command;
  const failed = seen.filter(isOf('NoticeAnswered')).filter(({ outcome }) => outcome === 'failed');
  const notices = seen.filter(isOf('NoticeQueued')).filter(({ noticeId }) => noticeId === failed.at(-1)?.noticeId);
  const about = notices.at(-1)?.about;
  return about?.kind === 'terms' ? { ...command, terms: { version: about.version, explicit: true } } : command;
};

/** Most commands are refused once the account is closed, so that some are replaced by those that are not. */
const afterClosing = (command: CommandOf<'ReserveCredits'>): AccountCommand => {
  const reason = 'asked';
  switch (command.requestId) {
    case 'req_1':
      return { type: 'ForfeitCredits', reason };
    case 'req_2':
      return { type: 'WaiveCredits', reason };
    case 'req_3':
      return { type: 'ErasePersonalData', reason };
    case 'req_4':
      return {
        ...{ type: 'RecordViolation', violationId: 'vio_late', category: 'damage', evidence: [], reason },
        ...{ consequence: 'termination', forfeit: command.amount % 2n === 0n },
      };
  }
  return command;
};

const owedFor = (seen: Seen, lotId: string): bigint => {
  let owed = 0n;
  for (const event of seen) {
    if (event.type === 'ChargeReversed') {
      for (const part of event.debtReduced) if (part.lotId === lotId) owed -= part.amount;
    }
    if (!('lotId' in event) || event.lotId !== lotId) continue;
    if (event.type === 'DebtIncurred') owed += event.amount;
    if (event.type === 'DebtRepaid' || event.type === 'DebtWrittenOff') owed -= event.amount;
    if (event.type === 'ChargebackReversed') owed -= event.cancelled;
  }
  return owed;
};

type OfDispute = { readonly lotId: string; readonly disputeId: string };
const dispute = (from: readonly OfDispute[], named: OfDispute): OfDispute => {
  const index = Number(/lot_(\d+)/.exec(named.disputeId)?.[1] ?? 0);
  const { lotId, disputeId } =
    from.find((one) => one.disputeId === named.disputeId) ?? from[index % from.length] ?? named;
  return { lotId, disputeId };
};

/** The receipt of the newest charge of its generation, or else of any. */
const withReceipt = (command: CommandOf<'ReverseCharge'>, seen: Seen): AccountCommand => {
  const charges = seen.filter(
    (event): event is EventOf<'HoldSettled' | 'LateUsageCharged'> => 'drawn' in event && event.drawn.length > 0,
  );
  const charge = charges.findLast(({ requestId }) => requestId === command.requestId) ?? charges.at(-1);
  if (!charge) return command;
  const { requestId, charged, drawn } = charge;
  const timeOf = (event: AccountEvent | undefined): number => (event && 'at' in event ? (event.at ?? 0) : 0);
  const isOwn = (event: AccountEvent): boolean =>
    (event.type === 'CreditsReserved' || event.type === 'LateUsageCharged') && event.requestId === requestId;
  const newest = Math.max(...seen.map(timeOf));
  const chargedAt = timeOf(seen.findLast(isOwn)) || newest;
  return { ...command, requestId, charged, drawn, chargedAt, at: newest + command.at };
};
