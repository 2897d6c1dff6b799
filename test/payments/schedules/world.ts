import { createCreemStandIn, Refusal, type DeliveryFault } from '@kissapi/creem-stand-in';
import { customer, delivery, price, request, tokens } from '../../domain/account/examples.ts';
import { createInMemoryLog, createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import { available } from '../../../src/domain/account/wallet.ts';
import { openRequestsOf } from '../../../src/domain/payments/payment.ts';
import { derivedId } from '../../../src/eventstore/ids.ts';
import { happen } from '../../eventstore/nodes.ts';
import { createNode, Killed, type Node } from './node.ts';
import type { Random } from './random.ts';

export const ACCOUNT = 'acc_1';
const HOUR_MS = 3_600_000;
/** Far more than anything takes. */
const MOST_ROUNDS = 12;
const SECRETS = { apiKey: 'creem_test_1', webhookSecret: 'whsec_1' };

/** Two gateways on one log, the stand-in for the partner, and a customer. Every step is random. Must be closed. */
export const openWorld = async (random: Random) => {
  let ms = Date.UTC(2026, 0, 31, 12);
  const now = (): Date => new Date(ms);
  const standIn = createCreemStandIn({ ...SECRETS, seed: String(random()), now: () => ms });
  const url = await standIn.listen(0);
  const { control } = standIn;
  const log = createInMemoryLog(() => new Date(++ms));
  const open = (): Node => {
    const partner = { ...SECRETS, productId: standIn.productId, baseUrl: `${url}/v1` };
    return createNode({ log, partner, now, alarm: () => undefined });
  };
  const nodes = [open(), open()];
  const handled = [0, 0];
  const payments: string[] = [];
  let commands = 0;

  await happen(createInMemoryStore(log), ACCOUNT, ...customer);

  const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const whole = (most: number): number => Math.floor(random() * (most + 1));
  const metadata = () => ({ actor: 'test', commandId: `test-${++commands}` });

  /** Something that a node does. If it is killed by it, a new one takes its place, and begins with all facts again. */
  const on = async (n: number, work: (node: Node) => Promise<unknown>): Promise<void> => {
    const node = nodes[n];
    if (!node) return;
    try {
      await work(node);
    } catch (error) {
      // Something else that it did has ended it meanwhile.
      if (nodes[n] !== node) return;
      if (!(error instanceof Killed)) throw error;
      nodes[n] = open();
      handled[n] = 0;
      await node.close();
    }
  };
  const some = (): number => whole(1);

  const asPartner = (work: () => unknown): void => {
    try {
      work();
    } catch (error) {
      // Not possible now, such as a second refund of everything.
      if (!(error instanceof Refusal)) throw error;
    }
  };

  const topUp = (): Promise<void> => {
    const ofTopUp = metadata();
    payments.push(derivedId('pay', ofTopUp.commandId));
    const amount = BigInt(5 + whole(20)) * 1_000_000_000n;
    return on(some(), (node) =>
      node.payments.openTopUp({ accountId: ACCOUNT, amount, metadata: ofTopUp, mayRepeat: true }),
    );
  };

  const pay = (): void => {
    const checkout = pick(control.checkouts());
    const instead = random() < 0.15 ? pick([{ subTotal: 999_999 }, { currency: 'EUR' }]) : undefined;
    const payment = {
      country: pick(['US', 'FR', 'DE', 'CH']) ?? 'US',
      ...(random() < 0.2 ? { discountCode: 'TENOFF' } : {}),
      ...(instead ? { instead } : {}),
    };
    if (checkout) asPartner(() => control.pay(checkout.id, payment));
  };

  const refundByPartner = (): void => {
    const transaction = pick(control.transactions());
    const amount = random() < 0.5 ? {} : { amount: 1 + whole(1500) };
    if (transaction) asPartner(() => control.refund(transaction.id, amount));
  };
  const settle = (): void => {
    const refund = pick(control.refunds().filter(({ status }) => status === 'pending'));
    if (refund) asPartner(() => control.settleRefund(refund.id, 'succeeded'));
  };
  const dispute = (): void => {
    const transaction = pick(control.transactions());
    if (transaction) asPartner(() => control.dispute(transaction.id));
  };
  const endDispute = (): void => {
    const one = pick(control.disputes());
    if (one) asPartner(() => (random() < 0.5 ? control.winDispute(one.id) : control.loseDispute(one.id)));
  };

  /** Staff makes the approved refund of a part on the partner's page, or the partner at once. */
  const requestRefund = (): Promise<void> =>
    on(some(), async (node) => {
      const { state } = await node.accounts.read(node.stream(ACCOUNT));
      const lot = pick([...state.wallet.lots].filter(([, { source }]) => source.kind === 'payment'));
      const most = lot ? Number(available(state.wallet) / 10_000_000n) : 0;
      if (!lot || most < 1) return;
      const amount = BigInt(1 + whole(most - 1)) * 10_000_000n;
      const refunds = [
        { refundId: `ref_${++commands}`, lotId: lot[0], amount: random() < 0.4 ? lot[1].amount : amount },
      ];
      await node.accounts.execute(
        node.stream(ACCOUNT),
        { type: 'HoldForRefund', refunds, reason: 'not_needed' },
        metadata(),
      );
    });
  const answerRefund = (approve: (paymentId: string, refundId: string) => Promise<unknown>): Promise<void> =>
    on(some(), async (node) => {
      const paymentId = pick(payments) ?? '';
      const payment = await node.payments.find(paymentId);
      const waiting = payment && pick(openRequestsOf(payment));
      if (!payment?.sale || !waiting) return;
      await approve(paymentId, waiting.refundId);
      const { transactionId } = payment.sale;
      if (random() < 0.7)
        asPartner(() => control.refund(transactionId, { amount: Number(waiting.gross / 10_000_000n) }));
    });

  const spend = (): Promise<void> =>
    on(some(), async (node) => {
      const { state } = await node.accounts.read(node.stream(ACCOUNT));
      const requestId = `gen-${++commands}`;
      const amount = (available(state.wallet) * BigInt(whole(10))) / 10n;
      const hold = { requestId, amount, keyId: 'key_1', runId: 'run_1', price, request, at: ms };
      await node.accounts.execute(node.stream(ACCOUNT), { type: 'ReserveCredits', ...hold }, metadata());
    });
  const endHold = (): Promise<void> =>
    on(some(), async (node) => {
      const { state } = await node.accounts.read(node.stream(ACCOUNT));
      const hold = pick([...state.wallet.holds]);
      if (!hold) return;
      const [requestId, { amount }] = hold;
      await node.accounts.execute(
        node.stream(ACCOUNT),
        random() < 0.6
          ? { type: 'SettleHold', requestId, usage: tokens(Number((amount * BigInt(whole(10))) / 10n)), delivery }
          : { type: 'ReleaseHold', requestId, reason: 'client_gone', detail: '' },
        metadata(),
      );
    });

  /** In about half of the schedules, at any moment. Payments and reports go on arriving. */
  const close = (): Promise<void> =>
    on(some(), async (node) => {
      if (random() > 0.08) return;
      const rest = random() < 0.8 ? ({ rest: 'refund' } as const) : {};
      await node.accounts.execute(node.stream(ACCOUNT), { type: 'CloseAccount', reason: 'asked', ...rest }, metadata());
    });
  const endHoldsOfClosed = (): Promise<void> =>
    on(0, async (node) => {
      const { state } = await node.accounts.read(node.stream(ACCOUNT));
      if (state.standing.status !== 'closed') return;
      for (const requestId of state.wallet.holds.keys()) {
        const release = { type: 'ReleaseHold', requestId, reason: 'orphaned', detail: '' } as const;
        await node.accounts.execute(node.stream(ACCOUNT), release, metadata());
      }
    });

  const faults: readonly (DeliveryFault | undefined)[] = [
    ...[undefined, undefined, undefined, undefined],
    { kind: 'truncate', bytes: 100, signed: 'whole' },
    { kind: 'truncate', bytes: 100, signed: 'truncated' },
    { kind: 'wrong_secret' },
    { kind: 'unsigned' },
    { kind: 'wrong_mode', mode: 'prod' },
  ];
  const deliver = async (eventId: string, fault: DeliveryFault | undefined, nodeNumbers: readonly number[]) => {
    const { headers, body } = control.signed(eventId, fault);
    await Promise.all(nodeNumbers.map((n) => on(n, (node) => node.payments.receiveWebhook(headers, body))));
  };
  const deliverSome = async (): Promise<void> => {
    const event = pick(control.events());
    if (event) await deliver(event.id, pick(faults), pick([[0], [1], [0, 1], [0, 0, 1, 1]]) ?? [0]);
  };

  const react = (n: number): Promise<void> =>
    on(n, async (node) => {
      handled[n] = (handled[n] ?? 0) + (await node.react(handled[n] ?? 0));
    });

  const kill = (): Promise<void> => {
    nodes[some()]?.killAfter(whole(12), random() < 0.5 ? 'before' : 'after');
    return Promise.resolve();
  };
  /** Mostly minutes, so that deliveries, look-ups and expiries meet. */
  const wait = (): void => void (ms += random() < 0.9 ? whole(30) * 60_000 : whole(24) * HOUR_MS);
  const unknown = (): void => void control.emit('subscription.paid', { id: 'sub_1', object: 'subscription' });

  const steps: readonly (() => unknown)[] = [
    ...[topUp, topUp, topUp, pay, pay, pay, refundByPartner, refundByPartner, settle, dispute, endDispute, unknown],
    ...[close, requestRefund, requestRefund, spend, spend, endHold, endHold, kill, wait, wait],
    ...[deliverSome, deliverSome, deliverSome, () => react(0), () => react(1)],
    () => Promise.all([react(0), react(1), deliverSome()]),
    () => on(some(), ({ payments: one }) => one.lookUpUnpaid()),
    () => on(some(), ({ payments: one }) => one.sweep()),
    () => control.setRefundStatus(random() < 0.8 ? 'succeeded' : 'pending'),
    () => control.setShape(random() < 0.5 ? 'sdk' : 'documentation'),
    ...[1, 2].map(
      () => () =>
        answerRefund((paymentId, refundId) => approveOn(nodes[some()], paymentId, refundId, metadata().commandId)),
    ),
  ];

  /** Without faults, until nothing changes any more: what a webhook did not bring, the sweep finds. */
  const calm = async (): Promise<void> => {
    for (const node of nodes) node.killAfter(Number.POSITIVE_INFINITY, 'before');
    control.clearFaults();
    for (const { id, status } of control.refunds()) {
      if (status === 'pending' || status === 'requiresAction') asPartner(() => control.settleRefund(id, 'succeeded'));
    }
    await endHoldsOfClosed();
    ms += HOUR_MS;
    let before = -1;
    for (let round = 0; before !== log.events.length; round++) {
      if (round === MOST_ROUNDS) throw new Error('the same reports go on changing the log');
      before = log.events.length;
      await on(0, ({ payments: one }) => one.sweep());
      for (const { id } of control.events()) await deliver(id, undefined, [0, 1]);
      handled[0] = 0;
      await react(0);
      ms += HOUR_MS;
    }
  };

  /** Long enough that disputes without an outcome are lost. */
  const pass = async (): Promise<void> => {
    ms += 121 * 24 * HOUR_MS;
    await calm();
  };

  return {
    control,
    pass,
    log,
    payments,
    now,
    step: async (): Promise<void> => void (await pick(steps)?.()),
    calm,
    close: async (): Promise<void> => {
      for (const node of nodes) await node.close();
      await standIn.close();
    },
  };
};

const approveOn = async (node: Node | undefined, paymentId: string, refundId: string, commandId: string) =>
  node?.approve(paymentId, refundId, commandId);

export type World = Awaited<ReturnType<typeof openWorld>>;
