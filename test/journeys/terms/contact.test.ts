import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { dumpDatabase, isIn } from '../../support/canary.ts';
import { DAY_MS, forward } from '../../support/clock.ts';
import { call, mailTo, mailsTo, registerPerson, type Person } from '../../support/customers/person.ts';
import { hire, type StaffMember } from '../../support/customers/roles.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';

const SUPPORT = 'support@example.com';

let smtp: TestSmtp;
let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let support: StaffMember;
let ada: Person;
let eve: Person;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const env = {
    ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    ...{ SUPPORT_EMAIL: SUPPORT, KISSAPI_LOG: 'debug' },
  };
  nodes = [await premises.startGateway(env), await premises.startGateway(env)];
  const place = { url: nodes[0].url, databaseUrl: premises.databaseUrl, smtp };
  support = await hire(place, ADMIN_TOKEN, 'staff@example.com', 'support');
  ada = await registerPerson(nodes[0].url, smtp, 'ada@example.com');
  eve = await registerPerson(nodes[0].url, smtp, 'eve@example.com');
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

/** On the first node as a caller, and on the second as the staff, so that what follows is read on both. */
const by = (token: string | undefined, method: string, path: string, body?: unknown) =>
  call(nodes[0].url, method, path, { token, ...(body === undefined ? {} : { body }) });
const staff = (method: string, path: string, body?: unknown, token = support.token) =>
  call(nodes[1].url, method, path, { token, ...(body === undefined ? {} : { body }) });
/** Sessions of the staff end when the clock is moved. */
const operator = (method: string, path: string, body?: unknown) => staff(method, path, body, ADMIN_TOKEN);
const openContacts = async (query = ''): Promise<unknown> => (await operator('GET', `/contacts${query}`)).json['data'];
const typesOf = async (stream: string): Promise<readonly string[]> =>
  (
    await query<{ type: string }>(premises.databaseUrl, 'select type from events where stream = $1 order by revision', [
      stream,
    ])
  ).map(({ type }) => type);
const historyOf = async (accountId: string): Promise<readonly unknown[]> => {
  const { json } = await staff('GET', `/accounts/${accountId}/events?limit=100`);
  return (json['data'] as readonly { readonly type: string; readonly data: unknown }[])
    .filter(({ type }) => type.startsWith('Contact') && type !== 'ContactChanged')
    .map(({ type, data }) => [type, data]);
};
/** A word that is in nothing else. */
const canary = (): string => `canary${randomBytes(8).toString('hex')}`;
const isAnywhere = async (text: string): Promise<boolean> =>
  isIn(await dumpDatabase(premises.databaseUrl), text) || nodes.some(({ process }) => isIn(process.output(), text));

describe('a stranger', () => {
  const [word, answerWord, address] = [canary(), canary(), `${canary()}@example.org`];
  let contactId: string;

  it('writes, and support gets a mail without the text, and reads the text', async () => {
    const body = { name: 'Grace', email: address, topic: 'security', text: `My key leaked.\n${word}`, about: 'req_1' };
    const written = await by(undefined, 'POST', '/contact', body);
    expect(written).toMatchObject({ status: 201, json: { reply_by: expect.any(String) as string } });
    contactId = String(written.json['contact_id']);
    await expect.poll(() => mailsTo(smtp, SUPPORT).length, SOON).toBe(1);
    const mail = await mailTo(smtp, SUPPORT);
    expect(mail.text).toContain(contactId);
    expect(mail.text).not.toContain(word);
    expect(await openContacts()).toMatchObject([
      { contact_id: contactId, topic: 'security', account_id: null, overdue: false, age_hours: 0, status: 'open' },
    ]);
    expect(await staff('GET', `/contacts/${contactId}`)).toMatchObject({
      json: { text: `My key leaked.\n${word}`, email: address, name: 'Grace', about: 'req_1', answers: [] },
    });
    expect(mailsTo(smtp, address)).toEqual([]);
  });

  it('is not visible to customers, and its text is nowhere in clear text', async () => {
    expect(await by(ada.token, 'GET', `/contacts/${contactId}`)).toMatchObject({ status: 403 });
    for (const text of [word, address]) expect(await isAnywhere(text)).toBe(false);
  });

  it('gets the answer by mail once the contact is answered, and the account that it is linked to has it in its history', async () => {
    const link = (account_id: string) => staff('POST', `/contacts/${contactId}/link`, { account_id });
    expect(await link('acc_none')).toMatchObject({ status: 404, code: 'account_not_found' });
    expect(await link(eve.accountId)).toMatchObject({
      status: 200,
      json: { account_id: eve.accountId, is_linked: true },
    });
    expect(await link(ada.accountId)).toMatchObject({ status: 409, code: 'contact_of_account' });
    const answer = { how: 'mail', text: `Revoke it.\n\n${answerWord} & <more>` };
    expect(await staff('POST', `/contacts/${contactId}/answer`, answer)).toMatchObject({
      json: {
        status: 'answered',
        answers: [{ how: 'mail', text: answer.text, answered_by: `staff:${support.personId}` }],
      },
    });
    const mail = await mailTo(smtp, address);
    for (const text of ['Revoke it.', answerWord, contactId, SUPPORT]) expect(mail.text).toContain(text);
    await expect
      .poll(() => historyOf(eve.accountId), SOON)
      .toEqual([
        ['ContactNoted', expect.objectContaining({ contact_id: contactId, topic: 'security' })],
        ['ContactAnswerNoted', expect.objectContaining({ contact_id: contactId })],
      ]);
    expect(await openContacts()).toEqual([]);
    expect(await openContacts(`?state=answered&account_id=${eve.accountId}`)).toMatchObject([
      { contact_id: contactId },
    ]);
    expect(await isAnywhere(answerWord)).toBe(false);
    // The texts of a stranger are not those of the members.
    expect((await by(eve.token, 'GET', `/accounts/${eve.accountId}/contact`)).json['data']).toEqual([]);
  });

  it('cannot be read once the account is erased, and is closed', async () => {
    await nodes[0].manage('POST', `/accounts/${eve.accountId}/close`, { reason: 'asked by mail' });
    expect(await by(eve.token, 'POST', '/me/erase', { confirm: 'erase' })).toMatchObject({ status: 200 });
    const read = async () => (await staff('GET', `/contacts/${contactId}`)).json;
    await expect.poll(read, SOON).toMatchObject({
      ...{ status: 'closed', closed_for: 'expired', name: null, email: null, text: null, about: null },
      answers: [{ text: null }],
    });
    const late = await staff('POST', `/contacts/${contactId}/answer`, { how: 'mail', text: 'Late.' });
    expect(late.code).toBe('contact_closed');
  });
});

describe('a customer', () => {
  const word = canary();
  const ofAccount = (path = '') => `/accounts/${ada.accountId}/contact${path}`;
  let contactId: string;

  it('writes once under one Idempotency-Key, receives a confirmation, and finds the contact in the history of the account', async () => {
    const write = (text: string) =>
      call(nodes[0].url, 'POST', ofAccount(), {
        ...{ token: ada.token, headers: { 'idempotency-key': 'first' }, body: { topic: 'billing', text } },
      });
    const written = await write(`Why? ${word}`);
    expect(written.status).toBe(201);
    contactId = String(written.json['contact_id']);
    expect(await write(`Why? ${word}`)).toMatchObject({ status: 201, json: written.json });
    expect(await write('Something else')).toMatchObject({ status: 409, code: 'idempotency_key_reused' });
    await expect
      .poll(() => mailsTo(smtp, 'ada@example.com').map(({ text }) => text.includes(contactId)), SOON)
      .toContain(true);
    await expect.poll(() => historyOf(ada.accountId), SOON).toMatchObject([['ContactNoted', { topic: 'billing' }]]);
    expect(await typesOf(`contact-${contactId}`)).toEqual(['ContactOpened']);
    expect(await staff('GET', `/contacts/${contactId}`)).toMatchObject({
      json: { account_id: ada.accountId, person_id: ada.personId, name: 'Ada Lovelace', email: 'ada@example.com' },
    });
    expect(await isAnywhere(word)).toBe(false);
  });

  it('is overdue after three business days without an answer', async () => {
    const metrics = async (): Promise<string> => {
      const response = await fetch(`${nodes[1].url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
      return response.text();
    };
    await expect.poll(metrics, SOON).toContain('kissapi_contacts_open{overdue="false"} 1');
    await forward(premises.databaseUrl, 5 * DAY_MS, nodes);
    expect(await openContacts()).toMatchObject([{ contact_id: contactId, overdue: true, age_hours: 120 }]);
    expect(await metrics()).toContain('kissapi_contacts_open{overdue="true"} 1');
  });

  it('reads the answer, which other customers cannot', async () => {
    const answer = { how: 'elsewhere', text: 'Explained on the telephone.' };
    expect(await operator('POST', `/contacts/${contactId}/answer`, answer)).toMatchObject({ status: 200 });
    expect((await by(ada.token, 'GET', ofAccount())).json).toMatchObject({
      data: [{ contact_id: contactId, status: 'answered', text: `Why? ${word}`, answers: [answer] }],
      next: null,
    });
    const own = await by(ada.token, 'GET', '/me/data');
    expect(own.json['contacts']).toMatchObject([{ contact_id: contactId, text: `Why? ${word}`, answers: [answer] }]);
    const sent = mailsTo(smtp, 'ada@example.com').map(({ text }) => text);
    expect(sent.join('\n')).not.toContain('Explained on the telephone.');
    const bob = await registerPerson(nodes[0].url, smtp, 'bob@example.com');
    expect(await by(bob.token, 'GET', ofAccount())).toMatchObject({ status: 404 });
    expect(await by(bob.token, 'POST', ofAccount(), { topic: 'other', text: 'x' })).toMatchObject({ status: 404 });
    const closed = await operator('POST', `/contacts/${contactId}/close`, { reason: 'answered' });
    expect(closed).toMatchObject({ status: 200, json: { status: 'closed', closed_for: 'answered' } });
  });
});

it('an error that asks a customer to contact support names the address and the page', async () => {
  const { accountId, apiKey } = await nodes[0].openAccount('1.00');
  await nodes[0].manage('POST', `/accounts/${accountId}/suspend`, { reason: 'looked at' });
  const response = await fetch(`${nodes[0].url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'simulated-chat', messages: [{ role: 'user', content: 'Hi' }] }),
  });
  expect(await response.json()).toMatchObject({
    error: {
      code: 'account_suspended',
      message: `This account is suspended by a decision of the operator. Contact support: ${SUPPORT} or http://localhost:${new URL(nodes[0].url).port}/contact.`,
    },
  });
});

it('the texts of a stranger are erased after a year, on every node', async () => {
  const body = { email: 'grace@example.org', topic: 'other', text: 'Hello' };
  const written = await by(undefined, 'POST', '/contact', body);
  const path = `/contacts/${String(written.json['contact_id'])}`;
  const read = async () => (await operator('GET', path)).json;
  expect(await read()).toMatchObject({ text: 'Hello', overdue: false });
  await forward(premises.databaseUrl, 364 * DAY_MS, nodes);
  expect(await read()).toMatchObject({ text: 'Hello', overdue: true });
  await forward(premises.databaseUrl, 2 * DAY_MS, nodes);
  await expect.poll(read, SOON).toMatchObject({ status: 'closed', closed_for: 'expired', text: null, email: null });
});
