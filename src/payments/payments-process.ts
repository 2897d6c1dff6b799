import { accountOfStream, accountStream } from '../domain/account/account.ts';
import type { AccountCommand } from '../domain/account/decide.ts';
import type { AccountEvent } from '../domain/account/events.ts';
import { free, lotOf } from '../domain/account/lots.ts';
import { available } from '../domain/account/wallet.ts';
import { formatUsd, min, type Credits } from '../domain/money.ts';
import type { PaymentCommand } from '../domain/payments/commands.ts';
import type { PaymentEvent } from '../domain/payments/events.ts';
import {
  lotOfPayment,
  paymentOfLot,
  paymentOfStream,
  paymentStream,
  type KnownPayment,
} from '../domain/payments/payment.ts';
import { wholeCents } from '../domain/payments/refundable.ts';
import { derivedId } from '../eventstore/ids.ts';
import type { Fact, Metadata } from '../eventstore/journal/codec.ts';
import type { Process, Reaction, ReactionOutcome } from '../reactions/process.ts';
import { mailHolders, mailSupport } from './payment-mails.ts';
import type { PaymentsOptions } from './payments-options.ts';
import { readPayment } from './record-reports.ts';
import { sendRefund } from './send-refund.ts';

const OF_PAYMENTS = [
  ...(['PaymentCompleted', 'PaymentQuarantined', 'QuarantineReleased', 'RefundApproved', 'RefundRefused'] as const),
  ...(['RefundCompleted', 'RefundFailed', 'DisputeOpened', 'DisputeClosed'] as const),
] satisfies readonly PaymentEvent['type'][];
const OF_ACCOUNTS = ['CreditsHeldForRefund', 'RefundHoldReleased'] satisfies readonly AccountEvent['type'][];

/**
 * The one link between payments and accounts: what happens to a payment changes the lot of its credits, and a request for a
 * refund, for which the account holds credits, becomes one of the payment.
 */
export const createPaymentsProcess = (options: PaymentsOptions): Process => ({
  name: 'payments',
  types: new Set([...OF_PAYMENTS, ...OF_ACCOUNTS]),
  from: 'start',
  react: (fact) => {
    const paymentId = paymentOfStream(fact.stream);
    if (paymentId !== undefined) return ofPayment(options, paymentId, fact);
    const accountId = accountOfStream(fact.stream);
    return accountId === undefined ? [] : ofAccount(options, accountId, fact);
  },
});

const ACCEPTED: ReactionOutcome = { kind: 'accepted' };

/** Work that is never refused. A rejection is a fault, and is retried. */
const does =
  (work: () => Promise<unknown>): Reaction =>
  async () => {
    await work();
    return ACCEPTED;
  };

const ofPayment = async (
  options: PaymentsOptions,
  paymentId: string,
  { event: any, id: eventId }: Fact,
): Promise<readonly Reaction[]> => {
  const event = any as PaymentEvent;
  const payment = await readPayment(options, paymentId);
  if (!payment) return []; // The log went back in time.
  const { accountId } = payment;
  const lotId = lotOfPayment(paymentId);
  const sends = (command: AccountCommand, ignored: readonly string[] = []) =>
    toAccount(options, accountId, command, ignored);
  const about = { account_id: accountId, payment_id: paymentId };
  switch (event.type) {
    case 'PaymentCompleted':
    case 'QuarantineReleased':
      return [
        sends({ type: 'TopUp', lotId, amount: event.credited, source: { kind: 'payment', reference: paymentId } }),
        refundIfClosed(options, accountId, lotId),
        does(() => mailReceived(options, accountId, paymentId, eventId, event.credited)),
      ];
    case 'PaymentQuarantined':
      return [does(() => mailSupport(options, eventId, 'payment_quarantined', { ...about, reason: event.reason }))];
    case 'RefundApproved':
      return [does(() => sendRefund(options, paymentId, event.refundId))];
    case 'RefundRefused':
    case 'RefundFailed':
    case 'RefundCompleted':
      return ofRefund(options, { accountId, paymentId, payment, eventId }, event);
    case 'DisputeOpened': {
      const { disputeId, amount } = event;
      const mail = { ...about, dispute_id: mailId(disputeId), amount_usd: formatUsd(amount) };
      return [
        sends({ type: 'FreezeLot', lotId, disputeId }),
        does(() => mailSupport(options, eventId, 'payment_disputed', mail)),
      ];
    }
    case 'DisputeClosed':
      return [sends(endOfDispute(lotId, event), ['lot_not_disputed'])];
    case 'PaymentOpened':
    case 'CheckoutCreated':
    case 'PaymentExpired':
    case 'QuarantineRejected':
    case 'QuarantineReturned':
    case 'RefundRequested':
    case 'RefundSent':
    case 'RefundPending':
      return [];
  }
};

type About = {
  readonly accountId: string;
  readonly paymentId: string;
  readonly payment: KnownPayment;
  readonly eventId: string;
};

/** What was returned is taken from the lot; what is not made is released. */
const ofRefund = (
  options: PaymentsOptions,
  { accountId, paymentId, payment, eventId }: About,
  event: Extract<PaymentEvent, { type: 'RefundRefused' | 'RefundFailed' | 'RefundCompleted' }>,
): readonly Reaction[] => {
  const { refundId } = event;
  const about = { account_id: accountId, payment_id: paymentId };
  const release = (id: string, reason: string): Reaction =>
    toAccount(options, accountId, { type: 'ReleaseRefundHold', refundId: id, reason }, ['refund_not_open']);
  if (event.type !== 'RefundCompleted') {
    const request = payment.requests.find((one) => one.refundId === refundId);
    if (refundId === null || !request) return [];
    const mail = { ...about, amount_usd: formatUsd(request.amount) };
    const notice = does(() => mailHolders(options, accountId, eventId, 'refund_not_made', mail));
    return [release(refundId, event.reason), notice];
  }
  const { reference, amount } = event;
  const mail = { ...about, amount_usd: formatUsd(amount) };
  const lotId = lotOfPayment(paymentId);
  const record: AccountCommand = { type: 'RecordRefund', lotId, reference, refundId, amount };
  return [
    ...(amount > 0n ? [toAccount(options, accountId, record)] : []),
    ...(amount === 0n && refundId !== null ? [release(refundId, 'nothing was left to refund')] : []),
    does(() => mailHolders(options, accountId, eventId, 'refund_completed', mail)),
  ];
};

/** Params of mails allow no `#`. */
const mailId = (disputeId: string): string => disputeId.replaceAll(/[^\w-]/g, '-');

/** `amount` is what a chargeback takes, or what comes back of one that was recorded before. */
const endOfDispute = (
  lotId: string,
  { disputeId, outcome, amount }: Extract<PaymentEvent, { type: 'DisputeClosed' }>,
): AccountCommand => {
  if (amount === 0n) return { type: 'UnfreezeLot', lotId, disputeId };
  if (outcome === 'won') return { type: 'ReverseChargeback', lotId, disputeId };
  return { type: 'RecordChargeback', lotId, disputeId, amount };
};

const toAccount =
  (
    { accounts }: PaymentsOptions,
    accountId: string,
    command: AccountCommand,
    ignored: readonly string[] = [],
  ): Reaction =>
  async (metadata) => {
    const outcome = await accounts.execute(accountStream(accountId), command, metadata, { mayRepeat: true });
    return outcome.kind === 'refused' && ignored.includes(outcome.refusal.code) ? ACCEPTED : outcome;
  };

const toPayment =
  (
    { payments }: PaymentsOptions,
    paymentId: string,
    command: PaymentCommand,
    ignored: readonly string[] = [],
  ): Reaction =>
  async (metadata) => {
    const outcome = await payments.execute(paymentStream(paymentId), command, metadata, { mayRepeat: true });
    return outcome.kind === 'refused' && ignored.includes(outcome.refusal.code) ? ACCEPTED : outcome;
  };

/** What is paid to a closed account is held for a refund that staff approve. */
const refundIfClosed =
  (options: PaymentsOptions, accountId: string, lotId: string): Reaction =>
  async (metadata: Metadata) => {
    const { state } = await options.accounts.read(accountStream(accountId));
    const lot = lotOf(state.wallet, lotId);
    if (state.standing.status !== 'closed' || !lot) return ACCEPTED;
    const refundId = derivedId('ref', metadata.commandId);
    if (state.wallet.refunds.has(refundId)) return ACCEPTED;
    const amount = wholeCents(min(free(lot), available(state.wallet)));
    // Nothing is left if the payment has repaid a debt.
    if (amount === 0n) return ACCEPTED;
    const command = {
      type: 'HoldForRefund',
      refunds: [{ refundId, lotId, amount }],
      reason: 'account_closed',
    } as const;
    return toAccount(options, accountId, command)(metadata);
  };

const mailReceived = async (
  options: PaymentsOptions,
  accountId: string,
  paymentId: string,
  eventId: string,
  credited: Credits,
): Promise<void> => {
  const { state } = await options.accounts.read(accountStream(accountId));
  const repaid = lotOf(state.wallet, lotOfPayment(paymentId))?.repaid ?? 0n;
  await mailHolders(options, accountId, eventId, 'payment_received', {
    ...{ account_id: accountId, payment_id: paymentId },
    ...{ credited_usd: formatUsd(credited), repaid_usd: formatUsd(repaid) },
  });
};

const ofAccount = async (
  options: PaymentsOptions,
  accountId: string,
  { event }: Fact,
): Promise<readonly Reaction[]> => {
  if (event.type !== 'CreditsHeldForRefund' && event.type !== 'RefundHoldReleased') return [];
  const { refundId, lotId } = event;
  const { state } = await options.accounts.read(accountStream(accountId));
  const lot = lotOf(state.wallet, lotId);
  const paymentId = lot && paymentOfLot(lot);
  if (paymentId === undefined) return [];
  if (event.type === 'CreditsHeldForRefund') {
    const { amount, reason } = event;
    return [requestRefund(options, accountId, paymentId, { type: 'RequestRefund', refundId, amount, reason })];
  }
  const { reason } = event;
  return [
    toPayment(options, paymentId, { type: 'FailRefund', refundId, reason }, ['refund_closed', 'refund_not_found']),
  ];
};

/** If the payment was refunded or disputed meanwhile, nothing can be requested, and the credits are released. */
const requestRefund =
  (
    options: PaymentsOptions,
    accountId: string,
    paymentId: string,
    command: Extract<PaymentCommand, { type: 'RequestRefund' }>,
  ): Reaction =>
  async (metadata) => {
    const outcome = await toPayment(options, paymentId, command)(metadata);
    if (outcome.kind !== 'refused') return outcome;
    const reason = `the payment cannot be refunded: ${outcome.refusal.code}`;
    const release = { type: 'ReleaseRefundHold', refundId: command.refundId, reason } as const;
    const { actor, commandId } = metadata;
    return toAccount(options, accountId, release, ['refund_not_open'])({
      actor,
      commandId: derivedId('release', commandId),
    });
  };
