import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { staffDecider } from '../../../src/domain/identity/staff.ts';
import { createIdentityDatabase } from '../../../src/identity/database.ts';
import { createTokens } from '../../../src/identity/tokens.ts';
import { executeAndDie } from '../../support/customers/appoint.ts';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { call, mailsTo, registerPerson, signIn } from '../../support/customers/person.ts';
import { accept, hire, invitedBy, signInAsStaff, type StaffMember } from '../../support/customers/roles.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';

let smtp: TestSmtp;
let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let url: string;
let place: { readonly url: string; readonly databaseUrl: string; readonly smtp: TestSmtp };
let owner: StaffMember;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const env = { SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' };
  nodes = [await premises.startGateway(env), await premises.startGateway(env)];
  url = nodes[0].url;
  place = { url, databaseUrl: premises.databaseUrl, smtp };
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

const by = (token: string, method: string, path: string, body?: unknown, node = url) =>
  call(node, method, path, { token, body });
const invite = (token: string, email: string, role: string) =>
  by(token, 'POST', '/staff/invitations', { email, role, reason: 'hired' });
const change = (token: string, personId: string, role: string, node = url) =>
  by(token, 'PUT', `/staff/${personId}`, { role, reason: 'new duties' }, node);
const dismiss = (token: string, personId: string, node = url) =>
  by(token, 'DELETE', `/staff/${personId}?reason=left`, undefined, node);

/** A service token that a person has created. */
const createServiceToken = async (createdBy: string | null): Promise<string> => {
  const database = createIdentityDatabase(premises.databaseUrl);
  const tokens = createTokens({ database, now: () => new Date(), randomBytes });
  const endsAt = new Date(Date.now() + 3_600_000);
  const { secret } = await tokens.create({ kind: 'service', role: 'support', name: 'x', createdBy, endsAt });
  await database.close();
  return secret;
};

describe('the staff', () => {
  it('begins with an owner whom the admin token invites', async () => {
    owner = await hire(place, ADMIN_TOKEN, 'owner@example.com', 'owner');
    const me = await by(owner.token, 'GET', '/me');
    expect(me.json).toMatchObject({ staff_role: 'owner', accounts: [], session: { kind: 'staff' } });
    const listed = await by(owner.token, 'GET', '/staff', undefined, nodes[1].url);
    expect(listed.json['data']).toMatchObject([{ person_id: owner.personId, role: 'owner', has_second_step: false }]);
  });

  it('is invited by owners', async () => {
    const support = await hire(place, owner.token, 'support@example.com', 'support');
    expect(await invite(support.token, 'x@example.com', 'support')).toMatchObject({ status: 403 });
    expect(await by(support.token, 'GET', '/staff')).toMatchObject({ status: 200 });
    const customer = await registerPerson(url, smtp, 'customer@example.com');
    expect(await by(customer.token, 'GET', '/staff')).toMatchObject({ status: 403, code: 'not_allowed' });
    const [appointed] = await query<{ metadata: { actor: string; correlationId: string } }>(
      premises.databaseUrl,
      `select metadata::jsonb as metadata from events where stream = 'staff'
       and data::jsonb ->> 'personId' = '${support.personId}'`,
    );
    expect(appointed?.metadata).toMatchObject({
      ...{ actor: `person:${support.personId}`, correlationId: expect.stringMatching(/^inv_/) as string },
    });
  });

  it('needs its second step', async () => {
    const token = await signIn(url, smtp, 'support@example.com');
    expect(await by(token, 'GET', '/staff')).toMatchObject({ status: 403, code: 'second_step_required' });
    expect(await by(token, 'GET', '/me')).toMatchObject({ status: 200 });
  });

  it('has open invitations, which can be revoked', async () => {
    const mail = await invitedBy(smtp, 'open@example.com', () => invite(owner.token, 'open@example.com', 'finance'));
    const { json } = await by(owner.token, 'GET', '/staff/invitations', undefined, nodes[1].url);
    const [open] = json['data'] as { invitation_id: string; invited_by: string; account_id: null }[];
    expect(open).toMatchObject({ account_id: null, invited_by: `staff:${owner.personId}`, role: 'finance' });
    const path = `/staff/invitations/${String(open?.invitation_id)}`;
    expect(await by(owner.token, 'DELETE', path)).toMatchObject({ status: 200 });
    expect(await accept(url, mail)).toMatchObject({ code: 'invitation_ended' });
  });

  it('keeps one owner, also if two are dismissed on two nodes at once', async () => {
    expect(await dismiss(owner.token, owner.personId)).toMatchObject({ status: 409, code: 'last_staff_owner' });
    expect(await change(owner.token, owner.personId, 'support')).toMatchObject({ code: 'last_staff_owner' });
    const second = await hire(place, owner.token, 'second@example.com', 'owner');
    const answers = await Promise.all([
      dismiss(owner.token, second.personId),
      dismiss(second.token, owner.personId, nodes[1].url),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const [row] = await query<{ n: number }>(
      premises.databaseUrl,
      `select count(*)::int as n from events where stream = 'staff' and type = 'StaffDismissed'`,
    );
    expect(row?.n).toBe(1);
    if (answers[1]?.status === 200) owner = second;
  });
});

describe('a staff member', () => {
  it('loses the sessions from before the appointment', async () => {
    const customer = await registerPerson(url, smtp, 'promoted@example.com');
    const mail = await invitedBy(smtp, 'promoted@example.com', () =>
      invite(owner.token, 'promoted@example.com', 'finance'),
    );
    expect(await accept(url, mail, {})).toMatchObject({ status: 200, json: { person_id: customer.personId } });
    expect(await by(customer.token, 'GET', '/me')).toMatchObject({ status: 401 });
    const token = await signInAsStaff(place, 'promoted@example.com');
    const { json } = await by(token, 'GET', '/me');
    const { created_at, ends_at } = json['session'] as { created_at: string; ends_at: string };
    expect(Date.parse(ends_at) - Date.parse(created_at)).toBe(12 * 3_600_000);
    expect(json['accounts']).toMatchObject([{ account_id: customer.accountId }]);
  });

  it('who gets another role or is dismissed loses sessions and service tokens, and keeps the person', async () => {
    const email = 'changes@example.com';
    const member = await hire(place, owner.token, email, 'owner');
    const service = await createServiceToken(member.personId);
    expect(await by(service, 'GET', '/accounts/acc_none')).toMatchObject({ code: 'account_not_found' });
    expect(await change(owner.token, member.personId, 'operator')).toMatchObject({ status: 200 });
    expect(await by(member.token, 'GET', '/me')).toMatchObject({ status: 401 });
    expect(await by(service, 'GET', '/accounts/acc_none')).toMatchObject({ status: 401 });
    const token = await signInAsStaff(place, email);
    const open = await invitedBy(smtp, email, () => invite(owner.token, email, 'owner'));
    expect(await dismiss(owner.token, member.personId)).toMatchObject({ status: 200, json: { dismissed: true } });
    expect(await by(token, 'GET', '/me', undefined, nodes[1].url)).toMatchObject({ status: 401 });
    expect(await accept(url, open, {})).toMatchObject({ status: 409, code: 'invitation_ended' });
    const again = await signIn(url, smtp, email);
    expect((await by(again, 'GET', '/me')).json).toMatchObject({ staff_role: null, session: { kind: 'customer' } });
    expect(await dismiss(owner.token, member.personId)).toMatchObject({ status: 404, code: 'staff_not_found' });
  });

  it('whose session was signed in before the process has followed keeps it', async () => {
    const email = 'process@example.com';
    const member = await hire(place, owner.token, email, 'support');
    await expect
      .poll(
        () =>
          query(
            premises.databaseUrl,
            `select from process_checkpoints where process = 'people'
             and position >= (select max(position) from events where stream = 'staff')`,
          ),
        SOON,
      )
      .toHaveLength(1);
    expect(await by(member.token, 'GET', '/staff')).toMatchObject({ status: 200 });
  });
});

describe('a node that dies after a dismissal', () => {
  it('leaves neither sessions nor service tokens', async () => {
    const member = await hire(place, owner.token, 'late@example.com', 'owner');
    const service = await createServiceToken(member.personId);
    const command = { type: 'DismissStaff', personId: member.personId, reason: 'left' } as const;
    await executeAndDie(premises.databaseUrl, staffDecider, 'staff', command);
    expect(await by(member.token, 'GET', '/staff')).not.toMatchObject({ status: 200 });
    const status = (token: string) => async () => (await by(token, 'GET', '/staff')).status;
    await expect.poll(status(member.token), SOON).toBe(401);
    expect(await by(service, 'GET', '/staff')).toMatchObject({ status: 401 });
    const left = () => query(premises.databaseUrl, `select from tokens where created_by = '${member.personId}'`);
    await expect.poll(left, SOON).toEqual([]);
  });
});

describe('the admin token', () => {
  it('leaves no record in development', async () => {
    const [row] = await query<{ n: number }>(
      premises.databaseUrl,
      `select count(*)::int as n from events where type = 'AdminTokenUsed'`,
    );
    expect(row?.n).toBe(0);
    expect(mailsTo(smtp, owner.email).map(({ subject }) => subject)).not.toContain(
      'The admin token of KissAPI was used',
    );
  });
});
