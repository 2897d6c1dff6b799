import { returnedOf, type KnownPayment } from '../../domain/payments/payment.ts';
import type { OpenPayments } from '../../projections/views/open-payments.ts';
import { plain, usd } from '../account-history/plain-text.ts';
import { counted } from '../terminal/counted.ts';
import { CliFault } from '../terminal/fault.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { print, type ExitCode } from '../terminal/run.ts';
import { readAllPayments, type ListedPayment } from './all-payments.ts';

type ListOptions = { readonly account?: string; readonly limit: number };

/** Prints the newest payments, then what waits for a decision. */
export const listPayments = async ({ store }: OpenDatabase, { account, limit }: ListOptions): Promise<ExitCode> => {
  const { payments, open } = await readAllPayments(store);
  const wanted = payments.filter(({ payment }) => account === undefined || payment.accountId === account);
  if (
    account !== undefined &&
    wanted.length === 0 &&
    (await store.readStream(`account-${account}`, 0, 1)).length === 0
  ) {
    throw new CliFault(`There is no account ${account}. Check the id.`);
  }
  for (const one of wanted.slice(0, limit)) await print(line(one));
  if (wanted.length > limit) await print(`… and ${counted(wanted.length - limit, 'older payment')}: see --limit`);
  if (wanted.length === 0) await print('There are no payments.');
  const ids = new Set(wanted.map(({ paymentId }) => paymentId));
  for (const waiting of waitingFor(open, ids)) await print(waiting);
  return 0;
};

const line = ({ paymentId, payment, openedAt }: ListedPayment): string =>
  `${openedAt.toISOString()}  ${paymentId}  ${plain(payment.accountId)}  ${payment.status}: ${inWords(payment)}`;

const inWords = (payment: KnownPayment): string => {
  const { amount, sale, disputes, quarantined } = payment;
  const returned = returnedOf(payment).net;
  const disputed = disputes.filter(({ status }) => status === 'open').length;
  const kept = quarantined.filter(({ status }) => status === 'waiting').length;
  return [
    `${usd(amount)} asked`,
    ...(sale ? [`${usd(sale.credited)} credited`] : []),
    ...(returned > 0n ? [`${usd(returned)} refunded or charged back`] : []),
    ...(kept > 0 ? [`${counted(kept, 'transaction')} in quarantine`] : []),
    ...(disputed > 0 ? ['disputed'] : []),
  ].join(', ');
};

const waitingFor = (open: OpenPayments, ids: ReadonlySet<string>): readonly string[] => {
  const of = <One extends { readonly paymentId: string }>(all: readonly One[], name: (one: One) => string): string =>
    [...new Set(all.filter(({ paymentId }) => ids.has(paymentId)).map(name))].join(', ');
  const waiting = [
    ['refunds', of(open.refunds(), ({ paymentId, refundId }) => `${refundId} of ${paymentId}`)],
    ['quarantine', of(open.quarantined(), ({ paymentId }) => paymentId)],
    ['disputes', of(open.disputes(), ({ paymentId, disputeId }) => `${plain(disputeId)} of ${paymentId}`)],
  ] as const;
  const lines = waiting.flatMap(([what, which]) => (which === '' ? [] : [`  ${what.padEnd(11)}${which}`]));
  return lines.length === 0 ? [] : ['\nWaiting for a decision or for the payment partner:', ...lines];
};
