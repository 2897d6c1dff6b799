import { evolveAccount, initialAccount } from '../../domain/account/account.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import { lotOf, type Lot } from '../../domain/account/lots.ts';
import type { PaymentEvent } from '../../domain/payments/events.ts';
import {
  evolvePayment,
  lotOfPayment,
  openRequestsOf,
  paymentStream,
  isFullRefund,
  type KnownPayment,
  type Payment,
} from '../../domain/payments/payment.ts';
import { formatUsd, type Credits } from '../../domain/money.ts';
import { streamPages } from '../../eventstore/event-store.ts';
import { decode, type Recorded } from '../../eventstore/journal/codec.ts';
import { isSimulatedPartner } from '../../payments/partner.ts';
import { createActorNames } from '../account-history/actors.ts';
import { accountEvents } from '../account-history/history.ts';
import { plain, usd } from '../account-history/plain-text.ts';
import { sentence } from '../account-history/sentences.ts';
import { CliFault } from '../terminal/fault.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { print, type ExitCode } from '../terminal/run.ts';
import { paymentSentence } from './sentences.ts';

/** Prints the events of a payment and those of its credits in the account, in the order of the log. */
export const showPayment = async ({ store, url }: OpenDatabase, paymentId: string): Promise<ExitCode> => {
  const lines: { readonly recorded: Recorded; readonly text: string }[] = [];
  let payment: Payment = { status: 'unknown' };
  for await (const page of streamPages(store, paymentStream(paymentId))) {
    for (const stored of page) {
      const recorded = decode(stored) as Recorded<PaymentEvent>;
      payment = evolvePayment(payment, recorded.event);
      lines.push({ recorded, text: paymentSentence(recorded.event) });
    }
  }
  if (payment.status === 'unknown') throw new CliFault(`There is no payment ${paymentId}. Check the id.`);
  const lotId = lotOfPayment(paymentId);
  let account = initialAccount();
  for await (const recorded of accountEvents(store, payment.accountId)) {
    account = evolveAccount(account, recorded.event);
    if (concerns(recorded.event, lotId)) lines.push({ recorded, text: `Account: ${sentence(recorded.event)}` });
  }
  const nameOf = createActorNames(url, store);
  const simulated = isSimulatedPartner(payment.partner) ? ' (simulated: no money has moved)' : '';
  await print(`${paymentId} of account ${plain(payment.accountId)}${simulated}\n`);
  for (const { recorded, text } of lines.toSorted((a, b) => a.recorded.position - b.recorded.position)) {
    await print(`${recorded.time.toISOString()}  ${text}  [${await nameOf(recorded.metadata.actor)}]`);
  }
  await print(`\n${summary(payment, lotId, lotOf(account.wallet, lotId))}`);
  return 0;
};

/** Charges are left out: there are many, and the summary has their total. */
const concerns = (event: AccountEvent, lotId: string): boolean =>
  ('lotId' in event && event.lotId === lotId) || ('from' in event && event.from === lotId);

const summary = (payment: KnownPayment, lotId: string, lot: Lot | undefined): string => {
  const next = openRequestsOf(payment).map(
    (request) => `  next       the refund ${plain(request.refundId)} ${waiting(payment, request)}`,
  );
  const credits = lot ? [`  credits    ${lotId}: ${creditsOf(lot)}`] : [];
  return [`It is ${payment.status}.`, ...credits, ...next].join('\n');
};

const waiting = (payment: KnownPayment, { refundId, status, gross }: KnownPayment['requests'][number]): string => {
  if (status === 'requested') return 'waits for the answer of staff';
  if (status === 'sent') return 'is made by the payment partner';
  return isFullRefund(payment, refundId)
    ? 'is sent to the payment partner by the gateway'
    : `waits for staff to refund ${formatUsd(gross)} on the page of the payment partner`;
};

/** Every part of a lot; those of 0 are left out. */
const creditsOf = (lot: Lot): string => {
  const parts: readonly (readonly [Credits, string])[] = [
    [lot.used, 'used'],
    [lot.repaid, 'used to repay debt'],
    [lot.refunded, 'refunded'],
    [lot.chargedBack, 'charged back'],
    [lot.forfeited, 'forfeited'],
    [lot.waived, 'given up'],
  ];
  const taken = parts.flatMap(([amount, what]) => (amount === 0n ? [] : [` - ${formatUsd(amount)} ${what}`]));
  const back = lot.reversed === 0n ? '' : ` + ${formatUsd(lot.reversed)} put back`;
  const locked = [
    ...(lot.heldForRefund === 0n ? [] : [`${formatUsd(lot.heldForRefund)} held for refunds`]),
    ...(lot.frozen === 0n ? [] : [`${formatUsd(lot.frozen)} frozen`]),
  ];
  const ofWhich = locked.length === 0 ? '' : `, of which ${locked.join(', ')}`;
  return `${usd(lot.remaining)} left = ${formatUsd(lot.amount)} paid${taken.join('')}${back}${ofWhich}`;
};
