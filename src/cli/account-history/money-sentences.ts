import type { AccountEvent, Draw, LotSource, SuspensionCause } from '../../domain/account/events.ts';
import type { CorrectionEvent, DebtEvent, RefundEvent, RefundReason } from '../../domain/account/refunds/events.ts';
import { debtsByLot } from '../../domain/account/refunds/debts.ts';
import type { Wallet } from '../../domain/account/wallet.ts';
import { formatUsd, type Credits } from '../../domain/money.ts';
import { plain, usd } from './plain-text.ts';

const refundReason: Readonly<Record<RefundReason, string>> = {
  not_needed: 'the credits are not needed',
  by_mistake: 'they were bought by mistake',
  not_satisfied: 'the holder is not satisfied',
  account_closed: 'the account is closed',
  other: 'for another reason',
};

const whyOwed = {
  refund: 'before its payment was refunded',
  chargeback: 'before its payment was charged back',
} as const;

/** Describes how credits leave an account without being used, what is owed then, and what goes back. */
export const moneySentence = (event: RefundEvent | DebtEvent | CorrectionEvent): string => {
  switch (event.type) {
    case 'CreditsHeldForRefund': {
      const { amount, lotId, refundId, reason } = event;
      return `Asked for the refund ${refundId}: ${usd(amount)} of ${lotId} are held for it; ${refundReason[reason]}.`;
    }
    case 'RefundHoldReleased': {
      const { amount, lotId, refundId, reason } = event;
      return `The refund ${refundId} no longer holds ${usd(amount)} of ${lotId}: ${plain(reason)}.`;
    }
    case 'CreditsRefunded': {
      const { amount, awaited, lotId, refundId, reference } = event;
      const asked = refundId === null ? 'the payment partner refunded without a request' : `the refund ${refundId}`;
      return `Refunded ${usd(amount)} of ${lotId}: ${asked} (${plain(reference)}).${following(awaited)}`;
    }
    case 'LotFrozen': {
      const { amount, lotId, disputeId } = event;
      return `Froze ${usd(amount)} of ${lotId}: its payment is disputed (${plain(disputeId)}).`;
    }
    case 'LotUnfrozen': {
      const { amount, lotId, disputeId } = event;
      return `Unfroze ${usd(amount)} of ${lotId}: the dispute ${plain(disputeId)} is closed.`;
    }
    case 'CreditsChargedBack': {
      const { amount, awaited, lotId, disputeId } = event;
      return `Charged back ${usd(amount)} of ${lotId}: the dispute ${plain(disputeId)} was lost.${following(awaited)}`;
    }
    case 'ChargebackReversed': {
      const { lotId, disputeId, restored, cancelled, returned, reduced } = event;
      const ended = cancelled === 0n ? '' : ` The debt of ${usd(cancelled)} ends.`;
      const back = returned.length === 0 ? '' : ` What had repaid it goes back: ${parts(returned)}.`;
      const less =
        reduced === 0n ? '' : ` What reversals of charges had taken off it is back in ${lotId}: ${usd(reduced)}.`;
      return `Reversed the chargeback of the dispute ${plain(disputeId)}: ${usd(restored)} are back in ${lotId}.${ended}${back}${less}`;
    }
    case 'CreditsForfeited':
      return `Forfeited ${usd(event.amount)} of ${event.lotId}: ${plain(event.reason)}.`;
    case 'CreditsWaived':
      return `The holder gave up ${usd(event.amount)} of ${event.lotId}: ${plain(event.reason)}.`;
    case 'DebtIncurred': {
      const { amount, lotId, cause, reference } = event;
      return `Owes ${usd(amount)}: credits of ${lotId} had been used ${whyOwed[cause]} (${plain(reference)}).`;
    }
    case 'DebtRepaid':
      return `Repaid ${usd(event.amount)} of the debt for ${event.lotId} from ${event.from}.`;
    case 'DebtWrittenOff':
      return `Wrote off ${usd(event.amount)} of the debt for ${event.lotId}, ${plain(event.reason)}: the operator bears it.`;
    case 'ChargeReversed': {
      const { requestId, amount, reason, returned, debtReduced, granted } = event;
      const ways = [
        ...(returned.length === 0 ? [] : [`back in its lots: ${parts(returned)}`]),
        ...(debtReduced.length === 0 ? [] : [`taken off the debt: ${parts(debtReduced)}`]),
        ...(granted.length === 0 ? [] : [`granted anew, because the lot has ended: ${parts(granted)}`]),
      ];
      return `Reversed ${usd(amount)} of the charge for ${requestId}, ${plain(reason)}; ${ways.join('; ')}.`;
    }
  }
};

const parts = (draws: readonly Draw[]): string =>
  draws.map(({ lotId, amount }) => `${usd(amount)} (${lotId})`).join(', ');
const following = (awaited: bigint): string =>
  awaited === 0n ? '' : ` Another ${usd(awaited)} are taken as open requests end, as far as they leave them.`;

/** What caused a suspension, if it was not a decision of staff. */
export const causeOf = (cause: SuspensionCause): string => {
  switch (cause.kind) {
    case 'staff':
      return '';
    case 'dispute':
      return ` (dispute ${plain(cause.disputeId)})`;
    case 'violation':
      return ` (violation ${cause.violationId})`;
    case 'debt':
      return ' (debt)';
  }
};

export const origin = (source: LotSource): string =>
  source.kind === 'grant' ? `granted: ${plain(source.reason)}` : `paid: ${plain(source.reference)}`;

type LotExpired = Extract<AccountEvent, { type: 'LotExpired' }>;
const expiry: Readonly<Record<LotExpired['reason'], string>> = {
  account_closed: 'the account is closed',
  ended: 'their time is over',
};

export const expirySentence = ({ amount, lotId, reason }: LotExpired): string =>
  amount === 0n
    ? `Promotional credits (${lotId}) end with the open requests that may need them: ${expiry[reason]}.`
    : `Ended ${usd(amount)} of promotional credits (${lotId}): ${expiry[reason]}.`;

/** The balance as the sum of its parts. */
export const balanceInWords = (wallet: Wallet): string => {
  const { toppedUp, reversed, charged, repaid, refunded, chargedBack, expired, forfeited, waived } = wallet;
  const parts: readonly (readonly [sign: string, amount: Credits, what: string])[] = [
    ['+', reversed, 'reversed'],
    ['-', charged, 'charged'],
    ['-', repaid, 'used to repay debt'],
    ['-', refunded, 'refunded'],
    ['-', chargedBack, 'charged back'],
    ['-', expired, 'expired'],
    ['-', forfeited, 'forfeited'],
    ['-', waived, 'given up'],
  ];
  const shown = parts.filter(([, amount, what]) => amount !== 0n || what === 'charged');
  const terms = shown.map(([sign, amount, what]) => ` ${sign} ${formatUsd(amount)} ${what}`);
  return `${usd(wallet.balance)} = ${formatUsd(toppedUp)} added${terms.join('')}`;
};

/** Refunds, frozen lots and debts that are open; one line each. */
export const lockedInWords = ({ refunds, lots, debts }: Wallet): readonly string[] => [
  ...[...refunds].map(([refundId, { lotId, amount }]) => `  refund     ${usd(amount)} of ${lotId}, ${refundId}`),
  ...[...lots].flatMap(([lotId, { frozen }]) => (frozen === 0n ? [] : [`  frozen     ${usd(frozen)} of ${lotId}`])),
  ...[...debtsByLot(debts)].map(([lotId, owed]) => `  owes       ${usd(owed)} for ${lotId}`),
];
