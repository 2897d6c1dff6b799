import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, type DeliveryFault } from '@kissapi/creem-stand-in';
import type { Random } from '../../../payments/schedules/random.ts';
import { ADMIN_TOKEN } from '../../../support/gateway.ts';
import { chat } from '../../../support/traffic.ts';
import type { Gateways } from './gateways.ts';

export type Customer = { readonly accountId: string; readonly apiKey: string };

type Waiting = {
  readonly account_id: string;
  readonly payment_id: string;
  readonly refund_id: string;
  readonly transaction_id: string;
  readonly status: string;
  readonly gross: string;
};

/** More would only make the end longer. */
const MOST_PAYMENTS = 40;

const FAULTS: readonly (DeliveryFault | undefined)[] = [
  ...[undefined, undefined, undefined, undefined],
  { kind: 'truncate', bytes: 100, signed: 'whole' },
  { kind: 'truncate', bytes: 100, signed: 'truncated' },
  { kind: 'cut', bytes: 100 },
  { kind: 'wrong_secret' },
  { kind: 'unsigned' },
  { kind: 'wrong_mode', mode: 'prod' },
];

/** What customers, the partner and staff do, one random step after another, on whichever gateway lives. */
export const createSteps = (gateways: Gateways, customers: readonly Customer[], name: string, random: Random) => {
  const { control, ask, insist, nodes } = gateways;
  let count = 0;
  const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const whole = (most: number): number => Math.floor(random() * (most + 1));
  const accountId = (): string => pick(customers)?.accountId ?? '';

  const asPartner = (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      // Not possible now, such as a second refund of everything.
      if (!(error instanceof Refusal)) throw error;
    }
  };

  const topUp = async (): Promise<void> => {
    if (control.checkouts().length >= MOST_PAYMENTS) return;
    const path = `/accounts/${accountId()}/top-ups`;
    await insist('POST', path, { amount_usd: `${5 + whole(20)}.00` }, `${name}-${++count}`);
  };
  const pay = (): void => {
    const checkout = pick(control.checkouts().filter(({ order }) => order === undefined));
    const instead = random() < 0.15 ? pick([{ subTotal: 999_999 }, { currency: 'EUR' }]) : undefined;
    const payment = {
      country: pick(['US', 'FR', 'DE', 'CH']) ?? 'US',
      ...(random() < 0.2 ? { discountCode: 'TENOFF' } : {}),
      ...(instead ? { instead } : {}),
    };
    if (checkout) asPartner(() => control.pay(checkout.id, payment));
  };

  const deliver = async (): Promise<void> => {
    const event = pick(control.events());
    if (!event) return;
    const fault = pick(FAULTS);
    const targets = (pick([[0], [1], [0, 1], [0, 0, 1, 1]]) ?? []).flatMap((n) => nodes[n] ?? []);
    await Promise.all(
      targets.map(({ url }) => control.resend(event.id, { url: `${url}/webhooks/creem`, ...(fault ? { fault } : {}) })),
    );
  };

  const refundByPartner = (): void => {
    const transaction = pick(control.transactions());
    const amount = random() < 0.3 ? {} : { amount: 1 + whole(1500) };
    if (transaction) asPartner(() => control.refund(transaction.id, amount));
  };
  const settle = (): void => {
    const refund = pick(control.refunds().filter(({ status }) => status === 'pending'));
    if (refund) asPartner(() => control.settleRefund(refund.id, 'succeeded'));
  };
  const dispute = (): void => {
    const transaction = random() < 0.4 ? pick(control.transactions()) : undefined;
    if (transaction) asPartner(() => control.dispute(transaction.id));
  };
  const endDispute = (): void => {
    const one = pick(control.disputes());
    if (one) asPartner(() => (random() < 0.7 ? control.winDispute(one.id) : control.loseDispute(one.id)));
  };

  const askRefund = async (): Promise<void> => {
    const amount = random() < 0.5 ? {} : { amount_usd: `${whole(4)}.${10 + whole(89)}` };
    await ask(whole(1), 'POST', `/accounts/${accountId()}/refunds`, { ...amount, reason: 'not_needed' });
  };
  /** Staff makes an approved refund of a part on the page of the partner. */
  const answerRefund = async (): Promise<void> => {
    const queue = await ask(whole(1), 'GET', '/refunds');
    const one = pick((queue?.json['data'] as readonly Waiting[] | undefined) ?? []);
    if (!one) return;
    const { status, gross, transaction_id } = one;
    if (status === 'approved') {
      const amount = Math.round(Number(gross) * 100);
      return asPartner(() => control.refund(transaction_id, { amount }));
    }
    const answer = random() < 0.8 ? 'approve' : 'refuse';
    const path = `/accounts/${one.account_id}/payments/${one.payment_id}/refunds/${one.refund_id}/${answer}`;
    await ask(whole(1), 'POST', path, { reason: 'as asked' });
  };

  const returnFromPage = async (): Promise<void> => {
    const paymentId = pick(control.checkouts())?.requestId;
    const node = nodes[whole(1)];
    if (paymentId === undefined || !node) return;
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    await fetch(`${node.url}/top-ups/${paymentId}`, { headers }).then(
      (page) => page.text(),
      () => undefined,
    );
  };
  const spend = async (): Promise<void> => {
    const [customer, node] = [pick(customers), nodes[whole(1)]];
    if (customer && node) await chat(node, customer.apiKey, { maxTokens: 500 }).answer;
  };

  const steps: readonly (() => unknown)[] = [
    ...[topUp, topUp, topUp, pay, pay, pay, deliver, deliver, deliver, deliver, returnFromPage, spend, spend],
    ...[refundByPartner, settle, dispute, endDispute, askRefund, askRefund, answerRefund, answerRefund, answerRefund],
    () => control.setRefundStatus(random() < 0.8 ? 'succeeded' : 'pending'),
    () => control.setShape(random() < 0.5 ? 'sdk' : 'documentation'),
    () => control.emit('subscription.paid', { id: 'sub_1', object: 'subscription' }),
  ];
  return async (): Promise<void> => {
    await pick(steps)?.();
    await sleep(whole(100));
  };
};
