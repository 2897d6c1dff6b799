import { accept } from '../../decider.ts';
import type { Account } from '../account.ts';
import type { AccountDecision } from '../commands.ts';
import type { AccountEvent, SuspensionCause, WalletEvent } from '../events.ts';
import { evolveStanding, isSuspendedFor, type Standing } from '../standing.ts';
import { evolveWallet, openDebt, type Wallet } from '../wallet.ts';
import { evolveRefunds } from './evolve.ts';
import type { CorrectionEvent, DebtEvent, RefundEvent } from './events.ts';

type DraftEvent =
  | WalletEvent
  | RefundEvent
  | DebtEvent
  | CorrectionEvent
  | Extract<AccountEvent, { type: 'AccountSuspended' | 'AccountReinstated' }>;

/**
 * A decision of several steps: each event is applied to a copy of the wallet at once, so that the next one is decided on
 * what the earlier ones leave.
 */
export type Draft = {
  readonly wallet: Wallet;
  readonly isClosed: boolean;
  readonly isSuspendedFor: (cause: SuspensionCause) => boolean;
  readonly add: (event: DraftEvent) => void;
  readonly decision: () => AccountDecision;
};

export const openDraft = ({ wallet: original, standing: before }: Pick<Account, 'wallet' | 'standing'>): Draft => {
  const wallet = structuredClone(original);
  let standing: Standing = before;
  const events: AccountEvent[] = [];
  return {
    wallet,
    isClosed: standing.status === 'closed',
    isSuspendedFor: (cause) => isSuspendedFor(standing, cause),
    add: (event) => {
      events.push(event);
      switch (event.type) {
        case 'AccountSuspended':
        case 'AccountReinstated':
          standing = evolveStanding(standing, event);
          return;
        case 'CreditsToppedUp':
        case 'CreditsReserved':
        case 'HoldExtended':
        case 'HoldSettled':
        case 'HoldReleased':
        case 'LateUsageCharged':
        case 'UsageWrittenOff':
        case 'LotExpired':
          evolveWallet(wallet, event);
          return;
        case 'CreditsHeldForRefund':
        case 'RefundHoldReleased':
        case 'CreditsRefunded':
        case 'LotFrozen':
        case 'LotUnfrozen':
        case 'CreditsChargedBack':
        case 'ChargebackReversed':
        case 'CreditsForfeited':
        case 'CreditsWaived':
        case 'DebtIncurred':
        case 'DebtRepaid':
        case 'DebtWrittenOff':
        case 'ChargeReversed':
          evolveRefunds(wallet, event);
      }
    },
    decision: () => accept(...events),
  };
};

export const DEBT = { kind: 'debt' } as const satisfies SuspensionCause;

/** Adds a cause of suspension, unless the account is closed or has it already. */
export const suspend = (draft: Draft, cause: SuspensionCause, reason: string): void => {
  if (!draft.isClosed && !draft.isSuspendedFor(cause)) draft.add({ type: 'AccountSuspended', reason, cause });
};

export const reinstate = (draft: Draft, cause: SuspensionCause, reason: string): void => {
  if (!draft.isClosed && draft.isSuspendedFor(cause)) draft.add({ type: 'AccountReinstated', reason, cause });
};

/** Removes the cause of an open debt once nothing is owed. */
export const reinstateWithoutDebt = (draft: Draft): void => {
  if (openDebt(draft.wallet) === 0n) reinstate(draft, DEBT, 'debt repaid');
};
