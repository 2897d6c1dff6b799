import { createCreemStandIn, type CreemStandIn } from '@kissapi/creem-stand-in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../support/command.ts';
import { createHouse, type House } from '../../support/house.ts';
import { ADMIN_TOKEN } from '../../support/gateway.ts';
import { call } from '../../support/customers/person.ts';
import { SOON } from '../../support/soon.ts';

/** A gateway that is connected to the stand-in of the payment partner over HTTP, in both directions. */
const KEY = 'creem_test_of_the_journey';
const SECRET = 'whsec_of_the_journey';
let standIn: CreemStandIn;
let house: House;
let creem: Readonly<Record<string, string>>;
let accountId: string;
let apiKey: string;

beforeAll(async () => {
  standIn = createCreemStandIn({ apiKey: KEY, webhookSecret: SECRET, seed: 'a journey', now: Date.now });
  creem = {
    ...{ CREEM_API_KEY: KEY, CREEM_WEBHOOK_SECRET: SECRET, CREEM_PRODUCT_ID: standIn.productId },
    CREEM_API_URL: await standIn.listen(),
  };
  house = await createHouse(creem);
  standIn.control.deliverTo(`${house.gateway.url}/webhooks/creem`);
  // Grants pay before payments: this one is used up by the first request.
  ({ accountId, apiKey } = await house.gateway.openAccount('0.000000001'));
});
afterAll(async () => {
  await house.close();
  await standIn.close();
});

const ask = (method: string, path: string, body?: unknown) =>
  call(house.gateway.url, method, path, { token: ADMIN_TOKEN, ...(body === undefined ? {} : { body }) });
const ofAccount = (method: string, path = '', body?: unknown) => ask(method, `/accounts/${accountId}${path}`, body);
const page = async (paymentId: string): Promise<string> =>
  (await fetch(`${house.gateway.url}/top-ups/${paymentId}`)).text();
const command = (...args: string[]) =>
  runCommand('payments', args, { env: { ...creem, DATABASE_URL: house.premises.databaseUrl } });

const topUp = async (amount_usd: string) => {
  const { status, json } = await ofAccount('POST', '/top-ups', { amount_usd });
  expect(status).toBe(201);
  return { paymentId: String(json['payment_id']), url: String(json['checkout_url']), json };
};
/** Pays on the payment page. The webhook is not delivered yet. */
const pay = (url: string): string => {
  const checkoutId = url.split('/').at(-1) ?? '';
  const paid = standIn.control.pay(checkoutId, { country: 'FR', email: 'ada@example.com' });
  return paid.kind === 'paid' ? paid.transaction.id : '';
};
const lotOf = async (paymentId: string) => (await ofAccount('GET', `/payments/${paymentId}`)).json['lot'];
const untilLot = (paymentId: string, expected: object) =>
  expect.poll(() => lotOf(paymentId), SOON).toMatchObject(expected);
const untilRefund = (paymentId: string, status: string) =>
  expect
    .poll(async () => (await ofAccount('GET', `/payments/${paymentId}`)).json['refunds'], SOON)
    .toMatchObject([{ status }]);
/** Asks for a refund of all that is left of a payment, and approves it. */
const refund = async (paymentId: string, amount_usd: string): Promise<void> => {
  const asked = await ofAccount('POST', '/refunds', { payment_id: paymentId, reason: 'not_needed' });
  expect(asked).toMatchObject({ status: 201, json: { amount_usd } });
  await untilRefund(paymentId, 'requested');
  const [{ refund_id }] = asked.json['data'] as [{ refund_id: string }];
  const approved = await ofAccount('POST', `/payments/${paymentId}/refunds/${refund_id}/approve`, {
    reason: 'in time',
  });
  expect(approved).toMatchObject({ status: 200, json: { status: 'approved' } });
};

describe('a top-up', () => {
  it('is paid, credited, shown and refunded as a whole by the API of the partner', async () => {
    expect((await ofAccount('GET', '/top-ups/options')).json).toMatchObject({ available: true, simulated: true });
    const { paymentId, url, json } = await topUp('25.00');
    expect(json).toMatchObject({ status: 'open', amount_usd: '25.00', debt_usd: '0.00', simulated: true });
    expect(await page(paymentId)).toContain('We are waiting for the confirmation');

    pay(url);
    await standIn.control.deliverDue();
    await untilLot(paymentId, { amount_usd: '25.00', remaining_usd: '25.00' });
    expect(await page(paymentId)).toMatch(/Simulated payment[^]*Payment received[^]*\$25\.00/);
    const listed = { payment_id: paymentId, status: 'completed', credited_usd: '25.00', partner: 'creem-test' };
    expect((await ofAccount('GET', '/payments')).json).toMatchObject({ data: [listed], next: null });
    const { json: receipt } = await ofAccount('GET', `/payments/${paymentId}/receipt`);
    expect(receipt).toMatchObject({ net: '25.00', tax: '5.00', total_paid: '30.00', simulated: true });

    await refund(paymentId, '25.00');
    await untilRefund(paymentId, 'sent');
    await standIn.control.deliverDue();
    await untilRefund(paymentId, 'completed');
    await untilLot(paymentId, { remaining_usd: '0.00', refunded_usd: '25.00', held_for_refund_usd: '0.00' });
    expect(standIn.control.refunds()).toMatchObject([{ amount: 3000 }]);
  });

  it('is refunded in part on the page of the partner once something was spent, and a charge is put back', async () => {
    const { paymentId, url } = await topUp('10.00');
    const transactionId = pay(url);
    await standIn.control.deliverDue();
    await untilLot(paymentId, { remaining_usd: '10.00' });
    const messages = [{ role: 'user' as const, content: 'Hello' }];
    const { response } = await house.gateway
      .client(apiKey)
      .chat.completions.create({ model: 'simulated-chat', messages })
      .withResponse();
    const generation = response.headers.get('x-kissapi-generation-id') ?? '';

    await refund(paymentId, '9.99');
    const { json: queue } = await ask('GET', '/refunds');
    const entry = { payment_id: paymentId, status: 'approved', made_by: 'staff', amount_usd: '9.99', gross: '11.99' };
    expect(queue).toMatchObject({ data: [{ ...entry, transaction_id: transactionId }] });
    standIn.control.refund(transactionId, { amount: 1199 });
    await standIn.control.deliverDue();
    await untilRefund(paymentId, 'completed');
    await untilLot(paymentId, { refunded_usd: '9.99', remaining_usd: expect.stringMatching(/^0\.00\d+$/) as string });

    const reversed = await ofAccount('POST', `/generations/${generation}/reverse`, { reason: 'cut off' });
    const back = { lot_id: paymentId.replace('pay_', 'lot_'), amount_usd: '0.000068999' };
    expect(reversed.json).toMatchObject({ amount_usd: '0.000069', returned: [back, { amount_usd: '0.000000001' }] });
    await untilLot(paymentId, { remaining_usd: '0.01', used_usd: '0.000068999', reversed_usd: '0.000068999' });
    const told = await command('show', paymentId);
    expect(told).toMatchObject({ code: 0, stderr: '' });
    expect(told.stdout).toMatch(/asked to top up 10\.00 USD[^]*Account: Added 10\.00 USD[^]*refunded 11\.99 with tax/);
  });

  it('of which the webhook is lost is found by a sweep', async () => {
    const { paymentId, url } = await topUp('5.00');
    const transactionId = pay(url);
    expect(await command('sweep')).toMatchObject({
      ...{ code: 0, stderr: '' },
      stdout: expect.stringContaining('Recorded 1 fact that no webhook had reported.') as string,
    });
    await untilLot(paymentId, { remaining_usd: '5.00' });
    expect(await command('sweep')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('The log had everything.') as string,
    });
    // The webhook that was late has no effect.
    await standIn.control.deliverDue();
    await untilLot(paymentId, { amount_usd: '5.00', remaining_usd: '5.00' });

    const { id: disputeId } = standIn.control.dispute(transactionId);
    await standIn.control.deliverDue();
    await untilLot(paymentId, { frozen_usd: '5.00' });
    expect((await ofAccount('GET')).json).toMatchObject({ status: 'suspended', suspensions: [{ cause: 'dispute' }] });
    expect((await ask('GET', '/disputes')).json).toMatchObject({ data: [{ dispute_id: disputeId }] });
    await ofAccount('POST', `/payments/${paymentId}/disputes/${disputeId}/close`, { outcome: 'lost' });
    await untilLot(paymentId, { frozen_usd: '0.00', charged_back_usd: '5.00', remaining_usd: '0.00' });
    expect((await ofAccount('GET')).json).toMatchObject({ status: 'active', debt_usd: '0.00' });
  });

  it('leaves a rest, which the holder gives up when the account is closed', async () => {
    await ofAccount('POST', '/close', { reason: 'asked' });
    const waived = await ofAccount('POST', '/waive', { reason: 'not worth a refund' });
    expect(waived).toMatchObject({ status: 200, json: { amount_usd: '0.01', changed: true } });
    expect((await ofAccount('GET')).json).toMatchObject({ balance_usd: '0.00', available_usd: '0.00' });
    expect((await ofAccount('POST', '/top-ups', { amount_usd: '5.00' })).code).toBe('account_closed');
    const { stdout } = await command('list', '--account', accountId);
    expect(stdout.split('\n').filter((line) => line.includes(' pay_'))).toHaveLength(3);
  });
});
