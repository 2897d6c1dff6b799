import { accountOfStream, accountStream, type Account } from '../domain/account/account.ts';
import type { AccountEvent } from '../domain/account/events.ts';
import { free } from '../domain/account/lots.ts';
import { CENT } from '../domain/payments/amounts.ts';
import { paidLots, refundableOfLot } from '../domain/payments/refundable.ts';
import { derivedId } from '../eventstore/ids.ts';
import type { Metadata } from '../eventstore/journal/codec.ts';
import type { Process, Reaction, ReactionOutcome } from '../reactions/process.ts';
import type { PaymentsOptions } from './payments-options.ts';
import { readPayment } from './record-reports.ts';

type Options = Pick<PaymentsOptions, 'accounts' | 'payments'>;

/** On disk. The payment partner refunds whole cents. */
const LESS_THAN_A_CENT = 'less than a cent is left, which cannot be refunded';

/**
 * Pays back the holder of a closed account: requests a refund for every paid lot, and waives a remainder below a cent once
 * nothing else is left of the lot. A refund that is not made returns to its lot, where it stays owed.
 */
export const createClosings = (options: Options): Process => ({
  name: 'closings',
  types: new Set<AccountEvent['type']>(['AccountClosed', 'CreditsRefunded']),
  from: 'start',
  react: ({ stream, event }) => {
    const accountId = accountOfStream(stream);
    if (accountId === undefined) return [];
    const about = { ...options, stream: accountStream(accountId) };
    if (event.type === 'AccountClosed' && event.rest === 'refund')
      return [askForRefunds(about), waiveRemainders(about)];
    return event.type === 'CreditsRefunded' ? [waiveRemainders(about)] : [];
  },
});

const ACCEPTED: ReactionOutcome = { kind: 'accepted' };
const NOT_YET: ReactionOutcome = { kind: 'not_yet' };

type About = Options & { readonly stream: string };

const wantsRefund = ({ standing }: Account): boolean => standing.status === 'closed' && standing.rest === 'refund';

/** Refusals that occur if a dispute or a refund changes the account in the meantime. */
const OVERTAKEN: ReadonlySet<string> = new Set(['lot_disputed', 'more_than_refundable']);

/** Waits until requests in progress have ended, because they may use the credits. A closed account starts no new ones. */
const askForRefunds =
  (about: About): Reaction =>
  async (metadata) => {
    const { accounts, stream } = about;
    const { state } = await accounts.read(stream);
    if (!wantsRefund(state)) return ACCEPTED; // The log went back in time.
    if (state.wallet.holds.size > 0) return NOT_YET;
    const refunds = await plan(about, state, metadata);
    if (refunds.length === 0) return ACCEPTED;
    const command = { type: 'HoldForRefund', refunds, reason: 'account_closed' } as const;
    const outcome = await accounts.execute(stream, command, metadata, { mayRepeat: true });
    return outcome.kind === 'refused' && OVERTAKEN.has(outcome.refusal.code) ? NOT_YET : outcome;
  };

/** All that can be refunded, each lot with a request of its own. Disputed lots stay out. */
const plan = async (options: Options, account: Account, { commandId }: Metadata) => {
  const refunds: { refundId: string; lotId: string; amount: bigint }[] = [];
  for (const { lotId, lot, paymentId } of paidLots(account)) {
    const payment = await readPayment(options, paymentId);
    const amount = payment ? refundableOfLot(lot, payment, free(lot)) : 0n;
    if (amount > 0n) refunds.push({ refundId: derivedId('ref', `${commandId} ${lotId}`), lotId, amount });
  }
  return refunds;
};

const waiveRemainders =
  ({ accounts, stream }: About): Reaction =>
  async (metadata) => {
    const { state } = await accounts.read(stream);
    if (!wantsRefund(state)) return ACCEPTED;
    const command = { type: 'WaiveCredits', reason: LESS_THAN_A_CENT, below: CENT } as const;
    return accounts.execute(stream, command, metadata, { mayRepeat: true });
  };
