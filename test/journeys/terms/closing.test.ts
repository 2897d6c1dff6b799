import { createCreemStandIn, type CreemStandIn } from '@kissapi/creem-stand-in';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider } from '../../../src/domain/account/decide.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { journal } from '../../../src/eventstore/journal/codec.ts';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { checkProjections, checkSettledBooks } from '../../support/events/account-history.ts';
import { runCommand } from '../../support/command.ts';
import { call, mailsTo, registerPerson, type Person } from '../../support/customers/person.ts';
import { ADMIN_TOKEN, DATA_KEY } from '../../support/gateway.ts';
import { createHouse, type House } from '../../support/house.ts';
import { SOON } from '../../support/soon.ts';
import { chat } from '../../support/traffic.ts';

/** Customers who leave with paid credits, on a gateway that is connected to the stand-in of the payment partner. */
let smtp: TestSmtp;
let standIn: CreemStandIn;
let house: House;

beforeAll(async () => {
  smtp = await createTestSmtp();
  const [apiKey, webhookSecret] = ['creem_test_of_closings', 'whsec_of_closings'];
  standIn = createCreemStandIn({ apiKey, webhookSecret, seed: 'closings', now: Date.now });
  house = await createHouse({
    ...{ CREEM_API_KEY: apiKey, CREEM_WEBHOOK_SECRET: webhookSecret, CREEM_PRODUCT_ID: standIn.productId },
    ...{ CREEM_API_URL: await standIn.listen(), MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
  });
  standIn.control.deliverTo(`${house.gateway.url}/webhooks/creem`);
});
afterAll(async () => {
  await house.close();
  await standIn.close();
  await smtp.close();
});

type Json = Readonly<Record<string, unknown>>;
const ask = (method: string, path: string, body?: unknown, token = ADMIN_TOKEN) =>
  call(house.gateway.url, method, path, { token, ...(body === undefined ? {} : { body }) });
const read = async ({ accountId }: Person): Promise<Json> => (await ask('GET', `/accounts/${accountId}`)).json;
const untilAccount = (person: Person, expected: object) =>
  expect.poll(() => read(person), SOON).toMatchObject(expected);
const command = async (name: string, ...args: readonly string[]): Promise<string> => {
  const env = { DATABASE_URL: house.premises.databaseUrl, KISSAPI_DATA_KEY: DATA_KEY };
  const { code, stdout, stderr } = await runCommand(name, args, { env });
  expect(code, stdout + stderr).toBe(0);
  return stdout;
};

type Customer = Person & { readonly apiKey: string; readonly paymentId: string; readonly transactionId: string };

/** A person with a key and a payment. */
const customer = async (email: string, amount_usd: string): Promise<Customer> => {
  const person = await registerPerson(house.gateway.url, smtp, email);
  const path = `/accounts/${person.accountId}`;
  const key = await ask('POST', `${path}/keys`, { name: 'laptop' }, person.token);
  const { json } = await ask('POST', `${path}/top-ups`, { amount_usd }, person.token);
  const paid = standIn.control.pay(String(json['checkout_url']).split('/').at(-1) ?? '', { country: 'FR', email });
  await standIn.control.deliverDue();
  await untilAccount(person, { available_usd: amount_usd });
  return {
    ...{ ...person, apiKey: String(key.json['secret']), paymentId: String(json['payment_id']) },
    transactionId: paid.kind === 'paid' ? paid.transaction.id : '',
  };
};
const close = ({ accountId }: Person, body: Json) => ask('POST', `/accounts/${accountId}/close`, body);
const use = async ({ apiKey }: Customer): Promise<void> => {
  const { status } = await chat(house.gateway, apiKey, { maxTokens: 50 }).answer;
  expect(status).toBe(200);
};

/** The requests for refunds of a customer that wait. */
const waitingOf = async ({ accountId }: Person): Promise<readonly Json[]> =>
  ((await ask('GET', '/refunds')).json['data'] as readonly Json[]).filter((one) => one['account_id'] === accountId);
const untilWaiting = async (person: Person, expected: object): Promise<string> => {
  await expect.poll(() => waitingOf(person), SOON).toMatchObject([expected]);
  return String((await waitingOf(person))[0]?.['refund_id']);
};
const answer = ({ accountId, paymentId }: Customer, refundId: string, verb: 'approve' | 'refuse') =>
  ask('POST', `/accounts/${accountId}/payments/${paymentId}/refunds/${refundId}/${verb}`, { reason: 'closed' });
const owedOf = async ({ accountId }: Person): Promise<Json | undefined> =>
  ((await ask('GET', '/accounts/owed')).json['data'] as readonly Json[]).find((one) => one['account_id'] === accountId);
const closedMail = async ({ email }: Person): Promise<string> => {
  const find = () => mailsTo(smtp, email).find(({ subject }) => subject.includes('is closed'))?.text;
  await expect.poll(find, SOON).toBeDefined();
  return (find() ?? '').replaceAll(/\s+/g, ' ');
};
const checkBooks = async ({ accountId }: Person): Promise<void> =>
  checkProjections(house.premises.databaseUrl, accountId, await checkSettledBooks(house.gateway, accountId));

const SMALL = /^0\.00\d+$/;
const small = expect.stringMatching(SMALL) as string;

describe('closing with a refund', () => {
  it('of a payment that was used in part waits for staff, and less than a cent is waived', async () => {
    const ada = await customer('ada@example.com', '10.00');
    await use(ada);
    await ask('POST', `/accounts/${ada.accountId}/grants`, { usd: '1.00', reason: 'welcome' });
    const { json: closed } = await close(ada, { reason: 'asked', asked_by: ada.personId, rest: 'refund' });
    expect(closed).toMatchObject({ rest: 'refund', expired_usd: '1.00', waived_usd: '0.00' });
    expect(closed['owed_usd']).toMatch(/^9\.99\d+$/);
    expect(await closedMail(ada)).toMatch(/still owe you: 9\.99\d+ USD .*We refund the unused paid credits/);

    const refundId = await untilWaiting(ada, { amount_usd: '9.99', gross: '11.99', status: 'requested' });
    expect(await owedOf(ada)).toMatchObject({ held_for_refund_usd: '9.99', owed_usd: small });
    expect(await answer(ada, refundId, 'approve')).toMatchObject({ status: 200, json: { status: 'approved' } });
    await untilWaiting(ada, { status: 'approved', made_by: 'staff' });
    standIn.control.refund(ada.transactionId, { amount: 1199 });
    await standIn.control.deliverDue();

    await untilAccount(ada, { balance_usd: '0.00', refunded_usd: '9.99', waived_usd: small, owed_usd: '0.00' });
    expect(await owedOf(ada)).toBeUndefined();
    await checkBooks(ada);
    const story = await command('replay', ada.accountId);
    expect(story).toMatch(
      /Closed, as per_\w+ asked: asked\. The holder asks for a refund of the remaining paid credits\./,
    );
    expect(story).toMatch(/0\.00\d+ USD [^\n]*less than a cent is left, which cannot be refunded/);
  });

  it('of a whole payment is sent to the partner once staff has approved it', async () => {
    const bob = await customer('bob@example.com', '25.00');
    await close(bob, { reason: 'asked by mail', rest: 'refund' });
    const refundId = await untilWaiting(bob, { amount_usd: '25.00', made_by: 'gateway' });
    await answer(bob, refundId, 'approve');
    await untilWaiting(bob, { status: 'sent' });
    await standIn.control.deliverDue();
    await untilAccount(bob, { balance_usd: '0.00', refunded_usd: '25.00', waived_usd: '0.00' });
    await checkBooks(bob);
  });

  it('waits for a stream in progress; a refused refund stays owed, and is listed', async () => {
    const cyd = await customer('cyd@example.com', '5.00');
    const wish = { maxTokens: 400, stream: true, simulate: { outputTokens: 400, tokenMs: 10 } };
    const stream = chat(house.gateway, cyd.apiKey, wish);
    await expect.poll(() => stream.words(), SOON).toBeGreaterThan(1);
    await close(cyd, { reason: 'asked', rest: 'refund' });
    expect(await owedOf(cyd)).toMatchObject({
      held_for_refund_usd: '0.00',
      held_usd: expect.not.stringMatching(/^0\.00$/) as string,
    });
    expect((await stream.answer).status).toBe(200);

    const refundId = await untilWaiting(cyd, { amount_usd: '4.99', status: 'requested' });
    const types = (await checkSettledBooks(house.gateway, cyd.accountId)).events.map(({ type }) => type);
    expect(types.slice(types.indexOf('AccountClosed'))).toEqual([
      ...['AccountClosed', 'KeyRevoked', 'HoldSettled', 'CreditsHeldForRefund'],
    ]);
    await answer(cyd, refundId, 'refuse');
    await untilAccount(cyd, { held_for_refund_usd: '0.00', owed_usd: expect.stringMatching(/^4\.99\d+$/) as string });
    expect(await owedOf(cyd)).toMatchObject({ held_for_refund_usd: '0.00', frozen_usd: '0.00', held_usd: '0.00' });
    await checkBooks(cyd);
  });
});

describe('closing with credits that are given up', () => {
  it('ends them in the same append', async () => {
    const dan = await customer('dan@example.com', '5.00');
    await use(dan);
    const { json } = await close(dan, { reason: 'asked', asked_by: dan.personId, rest: 'waive' });
    expect(json).toMatchObject({
      rest: 'waived',
      owed_usd: '0.00',
      waived_usd: expect.stringMatching(/^4\.99\d+$/) as string,
    });
    expect(await read(dan)).toMatchObject({ balance_usd: '0.00', waived_usd: json['waived_usd'] });
    expect(await closedMail(dan)).toMatch(/have ended: 4\.99\d+ USD .*as requested with the closing/);
    expect(await owedOf(dan)).toBeUndefined();
    await checkBooks(dan);
    expect(await command('replay', dan.accountId)).toContain('The holder gives up the remaining paid credits.');
  });
});

describe('a termination with forfeiture', () => {
  it('takes what a request in progress leaves when it ends, to the nano-dollar', async () => {
    const eve = await customer('eve@example.com', '5.00');
    const wish = { maxTokens: 300, stream: true, simulate: { outputTokens: 300, tokenMs: 10 } };
    const stream = chat(house.gateway, eve.apiKey, wish);
    await expect.poll(() => stream.words(), SOON).toBeGreaterThan(1);
    await terminate(eve);
    const held = String((await read(eve))['held_usd']);
    expect(await read(eve)).toMatchObject({ status: 'closed', balance_usd: held, owed_usd: '0.00' });
    expect((await stream.answer).status).toBe(200);

    await untilAccount(eve, { balance_usd: '0.00', termination: { violation_id: 'vio_1', forfeited: true } });
    const { books } = await checkSettledBooks(house.gateway, eve.accountId);
    expect(books.charged).toBeGreaterThan(0n);
    expect(books.forfeited).toBe(5_000_000_000n - books.charged);
    await checkBooks(eve);
  });
});

/** Staff record a violation, as on another node. */
const terminate = async ({ accountId }: Person): Promise<void> => {
  const committer = createCommitter({ store: house.store });
  const accounts = createCommands({ store: house.store, committer, codec: journal, decider: accountDecider });
  const outcome = await accounts.execute(
    accountStream(accountId),
    {
      ...{ type: 'RecordViolation', violationId: 'vio_1', category: 'resale', evidence: [], reason: 'resold' },
      ...{ consequence: 'termination', forfeit: true },
    },
    { actor: 'test', commandId: randomUUID() },
  );
  expect(outcome.kind).toBe('accepted');
  await committer.close();
};

it('the audit agrees with all of it', async () => {
  await command('audit');
  await command('verify');
});
