import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approvalDecider } from '../../../src/domain/approvals/approvals.ts';
import { createIdentityDatabase } from '../../../src/identity/database.ts';
import { createTokens } from '../../../src/identity/tokens.ts';
import { executeAndDie } from '../../support/customers/appoint.ts';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { call, mailsTo } from '../../support/customers/person.ts';
import { hire, type StaffMember } from '../../support/customers/roles.ts';
import { ADMIN_TOKEN, createPremises, DATA_KEY, type Premises } from '../../support/gateway.ts';
import { startProcess, type Started } from '../../support/process.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';

/** Gateways in production, where the admin token has no privilege over persons. */
let smtp: TestSmtp;
let premises: Premises;
let url: string;
let second: string;
const processes: Started[] = [];
let place: { readonly url: string; readonly databaseUrl: string; readonly smtp: TestSmtp };
let owner: StaffMember;
let finance: StaffMember;
let accountId: string;

const signingKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const startInProduction = async (): Promise<string> => {
  const started = await startProcess(
    'src/main.ts',
    [],
    {
      ...{ NODE_ENV: 'production', PORT: '0', DATABASE_URL: premises.databaseUrl, KISSAPI_DATA: '/nonexistent' },
      ...{ KISSAPI_ADMIN_TOKEN: ADMIN_TOKEN, KISSAPI_KEY_PEPPER: 'p'.repeat(40), KISSAPI_DATA_KEY: DATA_KEY },
      ...{ KISSAPI_SIGNING_KEY: signingKey, PUBLIC_URL: 'https://api.example.com', OPENAI_API_KEY: '' },
      ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}?requireTLS=false`, MAIL_FROM: 'KissAPI <no-reply@example.com>' },
    },
    /"port":(\d+)[^\n]*the gateway is open/,
  );
  processes.push(started);
  return `http://127.0.0.1:${started.said}`;
};

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  url = await startInProduction();
  second = await startInProduction();
  place = { url, databaseUrl: premises.databaseUrl, smtp };
});
afterAll(async () => {
  await Promise.all(processes.map((one) => one.stop('SIGKILL')));
  await premises.close();
  await smtp.close();
});

const by = (token: string, method: string, path: string, body?: unknown, node = url) =>
  call(node, method, path, { token, body });
const grant = (token: string, usd: string, headers: Record<string, string> = {}) =>
  call(url, 'POST', `/accounts/${accountId}/grants`, { token, body: { usd, reason: 'sorry' }, headers });
const ask = async (token: string, usd = '500.00'): Promise<string> => {
  const asked = await grant(token, usd);
  expect(asked).toMatchObject({ status: 202, json: { status: 'waiting', act: { amount_usd: usd } } });
  return String(asked.json['approval_id']);
};
const give = (token: string, approvalId: string, node = url) =>
  by(token, 'POST', `/approvals/${approvalId}/give`, undefined, node);
const balance = async (): Promise<unknown> =>
  (await by(ADMIN_TOKEN, 'GET', `/accounts/${accountId}`)).json['balance_usd'];
const eventsOf = (where: string) =>
  query<{ data: Record<string, unknown>; metadata: Record<string, unknown> }>(
    premises.databaseUrl,
    `select data::jsonb as data, metadata::jsonb as metadata from events where ${where} order by position`,
  );

const createServiceToken = async (createdBy: string | null): Promise<string> => {
  const database = createIdentityDatabase(premises.databaseUrl);
  const tokens = createTokens({ database, now: () => new Date(), randomBytes });
  const endsAt = new Date(Date.now() + 3_600_000);
  const { secret } = await tokens.create({ kind: 'service', role: 'finance', name: 'x', createdBy, endsAt });
  await database.close();
  return secret;
};

describe('the admin token in production', () => {
  it('is recorded with each request that may change something, without the ids in its path', async () => {
    owner = await hire(place, ADMIN_TOKEN, 'owner@example.com', 'owner');
    finance = await hire(place, owner.token, 'finance@example.com', 'finance');
    const created = await by(ADMIN_TOKEN, 'POST', '/accounts', {
      ...{ name: 'Ada', email: 'ada@example.com', adult: true, accept_terms: '2026-11-30' },
    });
    accountId = String(created.json['account_id']);
    await by(ADMIN_TOKEN, 'GET', `/accounts/${accountId}`);
    expect(await grant(ADMIN_TOKEN, '5.00')).toMatchObject({ status: 201 });
    const used = await eventsOf(`type = 'AdminTokenUsed'`);
    expect(used.map(({ data }) => data)).toEqual([
      { method: 'POST', path: '/staff/invitations' },
      { method: 'POST', path: '/accounts' },
      { method: 'POST', path: '/accounts/{account_id}/grants' },
    ]);
    for (const { metadata } of used) {
      expect(metadata).toMatchObject({ actor: 'admin', correlationId: expect.stringMatching(/^req_/) as string });
    }
  });

  it('is reported to the owners by mail, at most once in an hour', async () => {
    const reports = () =>
      mailsTo(smtp, owner.email).filter(({ subject }) => subject === 'The admin token of KissAPI was used');
    await expect.poll(() => reports().length, SOON).toBeGreaterThan(0);
    const hours = await eventsOf(`type = 'MailQueued' and data::jsonb ->> 'template' = 'admin_token_used'`);
    // Two if the hour has changed meanwhile.
    expect(hours.length).toBeLessThanOrEqual(2);
    expect(mailsTo(smtp, finance.email).map(({ subject }) => subject)).not.toContain(reports()[0]?.subject);
  });
});

describe('a grant above the limit', () => {
  it('waits for a second person, on whose authority it is carried out', async () => {
    expect(await balance()).toBe('5.00');
    const approvalId = await ask(finance.token);
    expect(await balance()).toBe('5.00');
    const waiting = await by(owner.token, 'GET', '/approvals', undefined, second);
    expect(waiting.json['data']).toMatchObject([
      {
        ...{ approval_id: approvalId, reason: 'sorry', asked_by: `staff:${finance.personId}`, given_by: [] },
        act: { kind: 'grant', account_id: accountId },
      },
    ]);
    expect(await give(finance.token, approvalId)).toMatchObject({ status: 403, code: 'second_person_required' });
    expect(await give(owner.token, approvalId, second)).toMatchObject({
      json: { status: 'done', given_by: [owner.personId] },
    });
    expect(await balance()).toBe('505.00');
    expect(await give(owner.token, approvalId)).toMatchObject({ status: 200, json: { status: 'done' } });
    expect(await balance()).toBe('505.00');
    const [granted] = await eventsOf(
      `metadata::jsonb ->> 'correlationId' = '${approvalId}' and type = 'CreditsToppedUp'`,
    );
    expect(granted?.metadata).toMatchObject({ actor: `staff:${owner.personId}` });
    const [asked] = await eventsOf(`stream = 'approval-${approvalId}'`);
    expect(asked?.metadata).toMatchObject({ actor: `staff:${finance.personId}` });
    expect((await by(owner.token, 'GET', '/approvals')).json['data']).toEqual([]);
  });

  it('ends when it was asked to end', async () => {
    const ends_at = new Date(Date.now() + 3_600_000).toISOString();
    const body = { usd: '500.00', reason: 'sorry', ends_at };
    const asked = await by(finance.token, 'POST', `/accounts/${accountId}/grants`, body);
    expect(asked).toMatchObject({ status: 202, json: { act: { amount_usd: '500.00', ends_at } } });
    await give(owner.token, String(asked.json['approval_id']));
    const { json } = await by(owner.token, 'GET', `/accounts/${accountId}`);
    // It pays before the others, because it ends.
    expect(json['lots']).toMatchObject([{ ends_at, amount_usd: '500.00' }, ...Array(2).fill({ ends_at: null })]);
  });

  it('up to the limit is carried out at once', async () => {
    expect(await grant(finance.token, '100.00')).toMatchObject({ status: 201 });
  });

  it('is asked for once under an Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'once' };
    const [one, again] = [await grant(finance.token, '200.00', headers), await grant(finance.token, '200.00', headers)];
    expect(again.json).toEqual(one.json);
    expect(await grant(finance.token, '300.00', headers)).toMatchObject({ code: 'idempotency_key_reused' });
    const path = `/approvals/${String(one.json['approval_id'])}/refuse`;
    expect(await by(finance.token, 'POST', path, { reason: 'an error' })).toMatchObject({
      json: { status: 'refused', refused_by: finance.personId, failure: 'an error' },
    });
    expect(await give(owner.token, String(one.json['approval_id']))).toMatchObject({ code: 'approval_closed' });
  });

  it('by a program counts as asked for by the person who created the token, and no program gives it', async () => {
    const service = await createServiceToken(owner.personId);
    const approvalId = await ask(service);
    expect(await give(service, approvalId)).toMatchObject({ status: 403, code: 'not_allowed' });
    expect(await give(ADMIN_TOKEN, approvalId)).toMatchObject({ status: 403, code: 'not_allowed' });
    expect(await give(owner.token, approvalId)).toMatchObject({ code: 'second_person_required' });
    expect(await give(finance.token, approvalId)).toMatchObject({ json: { status: 'done' } });
  });

  it.each([
    ['the admin token', () => Promise.resolve(ADMIN_TOKEN)],
    ['a token that no person created', () => createServiceToken(null)],
  ])('by %s needs two persons', async (_, token) => {
    const approvalId = await ask(await token());
    const before = await balance();
    expect(await give(owner.token, approvalId)).toMatchObject({ json: { status: 'waiting' } });
    expect(await balance()).toBe(before);
    expect(await give(finance.token, approvalId)).toMatchObject({ json: { status: 'done' } });
    expect(await balance()).not.toBe(before);
  });

  it('is refused to an account that does not exist, and to staff of other roles', async () => {
    const body = { usd: '500.00', reason: 'sorry' };
    expect(await by(owner.token, 'POST', '/accounts/acc_none/grants', body)).toMatchObject({
      code: 'account_not_found',
    });
    const support = await hire(place, owner.token, 'support@example.com', 'support');
    expect(await grant(support.token, '500.00')).toMatchObject({ code: 'not_allowed' });
    expect(await by(support.token, 'GET', '/approvals')).toMatchObject({ code: 'not_allowed' });
    expect(await by(owner.token, 'GET', '/approvals/app_none')).toMatchObject({ code: 'approval_not_found' });
  });

  it('is carried out if the node dies that has taken the approval', async () => {
    const approvalId = await ask(finance.token, '7000.00');
    const command = { type: 'GiveApproval', personId: owner.personId, role: 'owner', at: 0 } as const;
    await executeAndDie(premises.databaseUrl, approvalDecider, `approval-${approvalId}`, command);
    const status = async () => (await by(owner.token, 'GET', `/approvals/${approvalId}`)).json['status'];
    await expect.poll(status, SOON).toBe('done');
    expect(await eventsOf(`type = 'CreditsToppedUp' and data::jsonb ->> 'amount' = '7000000000000'`)).toHaveLength(1);
  });

  it('that the account refuses has failed, with the code', async () => {
    const approvalId = `app_${randomBytes(12).toString('hex')}`;
    const act = { kind: 'grant', accountId: 'acc_none', amount: 500_000_000_000n } as const;
    const asked = { act, reason: 'sorry', by: 'admin', personId: finance.personId, until: Date.now() + 60_000 };
    const stream = `approval-${approvalId}`;
    await executeAndDie(premises.databaseUrl, approvalDecider, stream, { type: 'AskApproval', ...asked });
    expect(await give(owner.token, approvalId)).toMatchObject({
      json: { status: 'failed', failure: 'account_not_found' },
    });
  });
});
