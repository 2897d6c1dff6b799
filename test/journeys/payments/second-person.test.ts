import { createCreemStandIn, type CreemStandIn } from '@kissapi/creem-stand-in';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { call, mailsTo, registerPerson, type Person } from '../../support/customers/person.ts';
import { hire, type StaffMember } from '../../support/customers/roles.ts';
import { ADMIN_TOKEN } from '../../support/gateway.ts';
import { createHouse, type House } from '../../support/house.ts';
import { SOON } from '../../support/soon.ts';

/** A customer and the staff, each with a session, on a gateway that is connected to the stand-in of the partner. */
let smtp: TestSmtp;
let standIn: CreemStandIn;
let house: House;
let customer: Person;
let stranger: Person;
let finance: StaffMember;
let owner: StaffMember;

beforeAll(async () => {
  smtp = await createTestSmtp();
  const [apiKey, webhookSecret] = ['creem_test_of_two_persons', 'whsec_of_two_persons'];
  standIn = createCreemStandIn({ apiKey, webhookSecret, seed: 'two persons', now: Date.now });
  house = await createHouse({
    ...{ CREEM_API_KEY: apiKey, CREEM_WEBHOOK_SECRET: webhookSecret, CREEM_PRODUCT_ID: standIn.productId },
    ...{ CREEM_API_URL: await standIn.listen(), MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
  });
  const { url } = house.gateway;
  standIn.control.deliverTo(`${url}/webhooks/creem`);
  const place = { url, databaseUrl: house.premises.databaseUrl, smtp };
  owner = await hire(place, ADMIN_TOKEN, 'owner@example.com', 'owner');
  finance = await hire(place, owner.token, 'finance@example.com', 'finance');
  customer = await registerPerson(url, smtp, 'ada@example.com');
  stranger = await registerPerson(url, smtp, 'eve@example.com');
});
afterAll(async () => {
  await house.close();
  await standIn.close();
  await smtp.close();
});

const by = ({ token }: { readonly token: string }, method: string, path: string, body?: unknown) =>
  call(house.gateway.url, method, path, { token, ...(body === undefined ? {} : { body }) });
const ofAccount = (path: string) => `/accounts/${customer.accountId}${path}`;

/** The customer pays, and asks for a refund of all of it. */
const askedFor = async (amount_usd: string): Promise<{ readonly path: string; readonly paymentId: string }> => {
  const { json } = await by(customer, 'POST', ofAccount('/top-ups'), { amount_usd });
  standIn.control.pay(String(json['checkout_url']).split('/').at(-1) ?? '', { email: 'ada@example.com' });
  await standIn.control.deliverDue();
  const paymentId = String(json['payment_id']);
  // The credits follow the webhook.
  await expect
    .poll(async () => (await by(customer, 'GET', ofAccount(''))).json['available_usd'], SOON)
    .toBe(amount_usd);
  const asked = await by(customer, 'POST', ofAccount('/refunds'), { payment_id: paymentId, reason: 'not_needed' });
  expect(asked).toMatchObject({ status: 201, json: { amount_usd } });
  const [{ refund_id }] = asked.json['data'] as [{ refund_id: string }];
  await expect.poll(() => refundsOf(paymentId), SOON).toMatchObject([{ status: 'requested' }]);
  return { path: ofAccount(`/payments/${paymentId}/refunds/${refund_id}`), paymentId };
};
const refundsOf = async (paymentId: string): Promise<unknown> =>
  (await by(customer, 'GET', ofAccount(`/payments/${paymentId}`))).json['refunds'];

it('a customer withdraws a request, and others neither see the payment nor pay', async () => {
  const { path, paymentId } = await askedFor('10.00');
  expect(await by(stranger, 'GET', ofAccount(`/payments/${paymentId}`))).toMatchObject({ status: 404 });
  expect((await by(stranger, 'POST', `${path}/withdraw`)).code).toBe('account_not_found');
  expect((await by(customer, 'POST', `${path}/approve`, { reason: 'mine' })).code).toBe('not_allowed');
  expect(await by(customer, 'POST', `${path}/withdraw`)).toMatchObject({ status: 200, json: { status: 'refused' } });
  await expect
    .poll(async () => (await by(customer, 'GET', ofAccount(''))).json['held_for_refund_usd'], SOON)
    .toBe('0.00');
  // The next test begins without credits.
  const [transaction] = standIn.control.transactions();
  standIn.control.refund(transaction?.id ?? '');
  await standIn.control.deliverDue();
  await expect.poll(async () => (await by(customer, 'GET', ofAccount(''))).json['balance_usd'], SOON).toBe('0.00');
});

it('a refund above the limit is ordered from the partner once a second person has approved it', async () => {
  const { path, paymentId } = await askedFor('150.00');
  const waiting = await by(finance, 'POST', `${path}/approve`, { reason: 'within 14 days' });
  expect(waiting).toMatchObject({ status: 202, json: { status: 'waiting', act: { kind: 'refund' } } });
  const approvalId = String(waiting.json['approval_id']);
  expect((await by(finance, 'GET', '/refunds')).json).toMatchObject({
    data: [{ payment_id: paymentId, status: 'requested', made_by: 'gateway', approval_id: approvalId }],
  });
  expect((await by(finance, 'POST', `/approvals/${approvalId}/give`)).code).toBe('second_person_required');
  expect(await by(owner, 'POST', `/approvals/${approvalId}/give`)).toMatchObject({
    status: 200,
    json: { status: 'done' },
  });
  await expect.poll(() => refundsOf(paymentId), SOON).toMatchObject([{ status: 'sent' }]);
  await standIn.control.deliverDue();
  await expect.poll(() => refundsOf(paymentId), SOON).toMatchObject([{ status: 'completed' }]);
  await expect.poll(async () => (await by(customer, 'GET', ofAccount(''))).json['balance_usd'], SOON).toBe('0.00');
  await expect
    .poll(
      () =>
        mailsTo(smtp, 'ada@example.com')
          .map(({ text }) => text)
          .join('\n'),
      SOON,
    )
    .toContain('150.00');
});
