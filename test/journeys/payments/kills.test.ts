import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPayments } from '../../payments/schedules/check.ts';
import { randomFrom } from '../../payments/schedules/random.ts';
import { checkProjections, checkSettledBooks } from '../../support/events/account-history.ts';
import { ADMIN_TOKEN } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { createSteps, type Customer } from './kills/customers.ts';
import { openGateways, type Fate, type Gateways } from './kills/gateways.ts';

const SEED = Number(process.env['SEED'] ?? 14);
/** Three kinds of moments in turn; the third ends both gateways. */
const ROUNDS = 9;
const MIN_STEPS = 100;
/** Far more than anything takes. */
const MOST_ROUNDS = 12;

let gateways: Gateways;
beforeAll(async () => {
  gateways = await openGateways(`kills ${SEED}`);
});
afterAll(() => gateways.close());

/** Waits until the process of payments has reacted to everything that is in the log now. */
const reactionsDone = async (): Promise<void> => {
  const head = await gateways.store.head();
  const position = async (n: number): Promise<number> => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const metrics = await (await fetch(`${gateways.running(n).url}/metrics`, { headers })).text();
    return Number(/kissapi_process_position\{process="payments"\} (\d+)/.exec(metrics)?.[1] ?? 0);
  };
  await expect.poll(async () => Math.max(await position(0), await position(1)), SOON).toBeGreaterThanOrEqual(head);
};

/** Delivers every event of the partner to both gateways at once, and waits until all of them are acknowledged. */
const deliverAll = async (): Promise<void> => {
  const { control } = gateways;
  const deliver = (eventId: string, n: number) =>
    control.resend(eventId, { url: `${gateways.running(n).url}/webhooks/creem` });
  for (const { id } of control.events()) {
    const outcomes = () => Promise.all([deliver(id, 0), deliver(id, 1)]);
    const acknowledged = { kind: 'answered', status: 200 };
    await expect.poll(outcomes, SOON).toEqual([acknowledged, acknowledged]);
  }
};

/** Without faults, until nothing changes any more: what a webhook did not bring, the sweep finds. */
const calm = async (): Promise<void> => {
  const { control, store, command } = gateways;
  control.clearFaults();
  for (const { id, status } of control.refunds()) if (status === 'pending') control.settleRefund(id, 'succeeded');
  let before = -1;
  for (let round = 0; before !== (await store.head()); round++) {
    if (round === MOST_ROUNDS) throw new Error('the same reports go on changing the log');
    before = await store.head();
    const swept = await command('payments', 'sweep');
    // If a page was paid whose address was lost in a kill, only its webhook names the payment.
    if (round > 0) expect(swept).toMatchObject({ code: 0, stderr: '' });
    await deliverAll();
    await reactionsDone();
  }
};

/** The log agrees with the partner, the rows and the API agree with the log, and nothing waits for an operator. */
const checkAll = async (customers: readonly Customer[]): Promise<number> => {
  const facts = await gateways.readFacts();
  expect(facts.filter(({ event }) => event.type === 'ReactionParked')).toEqual([]);
  const credited = checkPayments(facts, gateways.control);
  for (const { accountId } of customers) {
    const checked = await checkSettledBooks(gateways.running(1), accountId);
    await checkProjections(gateways.premises.databaseUrl, accountId, checked);
  }
  expect(await gateways.command('audit')).toMatchObject({ code: 0, stderr: '' });
  return credited;
};

const openCustomers = async (count: number): Promise<readonly Customer[]> => {
  const customers: Customer[] = [];
  for (let n = 0; n < count; n++) customers.push(await gateways.running(n % 2).openAccount('0.01'));
  return customers;
};

const noHolds = (customers: readonly Customer[]) =>
  expect
    .poll(
      () =>
        Promise.all(
          customers.map(async ({ accountId }) => (await gateways.ask(0, 'GET', `/accounts/${accountId}`))?.json),
        ),
      SOON,
    )
    .toEqual(customers.map(() => expect.objectContaining({ open_holds: [] }) as unknown));

const openTopUp = (accountId: string, amount_usd: string, key: string) =>
  gateways.insist('POST', `/accounts/${accountId}/top-ups`, { amount_usd }, key);

/** A moment between two steps of the gateways: right after something was appended to the log. */
const untilAppended = async (): Promise<void> => {
  const { store } = gateways;
  const head = await store.head();
  while ((await store.head()) === head) await sleep(1);
};

describe('two gateways that are killed', () => {
  it.each<Fate>(['before it is carried out', 'after it was carried out'])(
    'when the partner receives the order of a refund, %s: the refund is made once',
    async (fate) => {
      const { control, ask, insist, killAtPartner } = gateways;
      const [customer] = await openCustomers(1);
      if (!customer) return;
      const path = `/accounts/${customer.accountId}`;
      const { json } = await openTopUp(customer.accountId, '25.00', `top-up ${fate}`);
      const checkout = control.checkouts().find(({ requestId }) => requestId === json['payment_id']);
      control.pay(checkout?.id ?? '', { country: 'FR' });
      await calm();
      await insist('POST', `${path}/refunds`, { amount_usd: '25.00', reason: 'not_needed' }, `refund ${fate}`);
      await reactionsDone();
      const [waiting] = (await ask(0, 'GET', '/refunds'))?.json['data'] as { payment_id: string; refund_id: string }[];
      const approve = `${path}/payments/${waiting?.payment_id}/refunds/${waiting?.refund_id}/approve`;
      const killed = killAtPartner('/v1/refunds', fate);
      await insist('POST', approve, { reason: 'in time' }, `approval ${fate}`);
      await killed;
      await reactionsDone();
      // Nothing is delivered yet: the gateways have seen in the transaction that the refund is made.
      expect((await ask(0, 'GET', '/refunds'))?.json).toMatchObject({ data: [{ status: 'sent' }] });
      expect(control.refunds().at(-1)).toMatchObject({ amount: 3000, status: 'succeeded' });
      await calm();
      const refunds = control.refunds().filter(({ transaction }) => transaction === control.transactions().at(-1)?.id);
      expect(refunds).toHaveLength(1);
      await checkAll([customer]);
      expect((await ask(0, 'GET', path))?.json).toMatchObject({ balance_usd: '0.01', refunded_usd: '25.00' });
    },
  );

  it('at any moments: each transaction is credited once, and each refund and dispute is recorded once', async () => {
    const random = randomFrom(SEED);
    const customers = await openCustomers(3);
    let [isOver, steps] = [false, 0];
    const lives = customers.map(async (_, n) => {
      const step = createSteps(gateways, customers, `life-${n}`, randomFrom(SEED + 100 * n));
      while (!isOver || steps < MIN_STEPS) {
        await step();
        steps++;
      }
    });

    const { kill, start, killAtPartner, kills } = gateways;
    const before = kills();
    for (let round = 0; round < ROUNDS; round++) {
      const n = Math.floor(random() * 2);
      if (round % 3 === 2) {
        const fate = random() < 0.5 ? 'before it is carried out' : 'after it was carried out';
        const killed = killAtPartner('/v1/checkouts', fate);
        await openTopUp(customers[n]?.accountId ?? '', '5.00', `trap ${round}`);
        await killed;
        continue;
      }
      await (round % 3 === 0 ? sleep(random() * 500) : untilAppended());
      await kill(n);
      await start(n);
    }
    expect(kills() - before).toBe(12);
    isOver = true;
    await Promise.all(lives);

    await noHolds(customers);
    await calm();
    expect(await checkAll(customers)).toBeGreaterThan(5);
  });
});
