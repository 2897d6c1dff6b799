import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountDecider } from '../../../src/domain/account/decide.ts';
import { invitationDecider } from '../../../src/domain/identity/invitations.ts';
import { executeAndDie, onPerson } from '../../support/customers/appoint.ts';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import { call, ENTITY, mailsTo, registerPerson, signIn, type Person } from '../../support/customers/person.ts';
import { accept, invitedBy, NEWCOMER } from '../../support/customers/roles.ts';
import { createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { query } from '../../support/sql.ts';

let smtp: TestSmtp;
let premises: Premises;
let nodes: readonly [RunningGateway, RunningGateway];
let url: string;
let owner: Person;

const entity = (number: string) => ({
  ...{ name: 'Example GmbH', declaration: ENTITY },
  entity: { country: 'DE', registration_number: number },
});
const members = () => `/accounts/${owner.accountId}/members`;
const invitations = () => `/accounts/${owner.accountId}/invitations`;
const invite = (email: string, role = 'developer', token = owner.token) =>
  call(url, 'POST', invitations(), { token, body: { email, role } });
const invited = (email: string, role?: string) => invitedBy(smtp, email, () => invite(email, role));
const streamOf = ({ linkId }: { readonly linkId: string }) => linkId.replace('invite-', 'invitation-');
const remove = (personId: string, token = owner.token) => call(url, 'DELETE', `${members()}/${personId}`, { token });

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const env = { SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' };
  nodes = [await premises.startGateway(env), await premises.startGateway(env)];
  url = nodes[0].url;
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

it('an entity has one member at first, who registered it', async () => {
  owner = await registerPerson(url, smtp, 'owner@example.com', entity('HRB 1'));
  const listed = await call(url, 'GET', members(), { token: owner.token });
  expect(listed.json['data']).toMatchObject([{ person_id: owner.personId, role: 'owner' }]);
});

const managementToken = (id: string, accountId: string, personId: string): string =>
  `insert into tokens (hash, id, kind, account_id, grants, created_by, name, hint, created_at, ends_at)
   select sha256('${id}'), '${id}', 'management', '${accountId}', '{read}', '${personId}', 'x', 'abcd', now(),
   now() + interval '1 day'`;

/** Invites a person who is new, and signs in. */
const join = async (email: string, role = 'developer') => {
  const accepted = await accept(url, await invited(email, role));
  expect(accepted).toMatchObject({ status: 200, json: { account_id: owner.accountId, role } });
  return { personId: String(accepted.json['person_id']), token: await signIn(url, smtp, email) };
};

describe('an invitation', () => {
  it('makes a new person a member, with the evidence of the declaration, and without an account', async () => {
    const { personId, token } = await join('grace@example.com');
    const me = await call(nodes[1].url, 'GET', '/me', { token });
    expect(me.json).toMatchObject({
      ...{ person_id: personId, name: 'Grace Hopper', email: 'grace@example.com' },
      accounts: [{ account_id: owner.accountId, role: 'developer' }],
    });
    expect(await call(url, 'GET', `/accounts/${owner.accountId}`, { token })).toMatchObject({ status: 200 });
    const listed = await call(url, 'GET', members(), { token });
    expect(listed.json['data']).toMatchObject([
      { person_id: owner.personId, role: 'owner' },
      { person_id: personId, role: 'developer', name: 'Grace Hopper', email: 'grace@example.com' },
    ]);
    const [event] = await query<{ data: unknown }>(
      premises.databaseUrl,
      `select data::jsonb as data from events where type = 'InvitationAccepted'
       and data::jsonb ->> 'personId' = '${personId}'`,
    );
    expect(event?.data).toMatchObject({ newPerson: { termsVersion: '2026-11-30', declared: { adult: true } } });
  });

  it('needs no details of a person who is known, and is answered alike when it is sent', async () => {
    const known = await registerPerson(url, smtp, 'known@example.com');
    const answers = [await invite('known@example.com'), await invite('unknown@example.com')];
    const shapes = answers.map(({ status, json }) => [status, Object.keys(json).sort()]);
    expect(shapes[0]).toEqual(shapes[1]);
    await expect.poll(() => mailsTo(smtp, 'known@example.com').length, SOON).toBe(2);
    await expect.poll(() => mailsTo(smtp, 'unknown@example.com').length, SOON).toBe(1);
    const [, mail] = mailsTo(smtp, 'known@example.com');
    const [toNewcomer] = mailsTo(smtp, 'unknown@example.com');
    if (!mail || !toNewcomer) throw new Error('both mails are sent');
    expect(mail.text).toContain('Example GmbH');
    expect(await accept(url, toNewcomer, {})).toMatchObject({ status: 400, code: 'newcomer_details_required' });
    expect(await accept(url, toNewcomer, { ...NEWCOMER, accept_terms: '2020' })).toMatchObject({
      code: 'terms_not_in_force',
    });
    expect(await accept(url, mail, {})).toMatchObject({ status: 200, json: { person_id: known.personId } });
    const { json } = await call(url, 'GET', '/me', { token: known.token });
    expect(json['accounts']).toEqual([
      { account_id: known.accountId, role: 'owner' },
      { account_id: owner.accountId, role: 'developer' },
    ]);
  });

  it('is accepted once, may be repeated, and makes no second person on two nodes', async () => {
    const mail = await invited('twice@example.com', 'billing');
    const all = await Promise.all([0, 1, 0, 1].map((n) => accept(nodes[n === 0 ? 0 : 1].url, mail)));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(all.map(({ json }) => json['person_id'])).size).toBe(1);
    expect(await accept(url, mail)).toMatchObject({ status: 200 });
    expect(await accept(url, await invited('twice@example.com'))).toMatchObject({ status: 409, code: 'role_exists' });
    // The old link is no way back in.
    expect(await remove(String(all[0]?.json['person_id']))).toMatchObject({ status: 200 });
    expect(await accept(url, mail)).toMatchObject({ status: 409, code: 'invitation_ended' });
  });

  it('that was accepted beside another one is no way back in either', async () => {
    const { personId } = await registerPerson(url, smtp, 'two-links@example.com');
    const [first, second] = [await invited('two-links@example.com'), await invited('two-links@example.com')];
    expect(await accept(url, first, {})).toMatchObject({ status: 200 });
    // A node has decided on the second one before the role was there.
    const command = { type: 'AcceptInvitation', personId, at: 0 } as const;
    await executeAndDie(premises.databaseUrl, invitationDecider, streamOf(second), command);
    expect(await accept(url, second, {})).toMatchObject({ status: 200 });
    expect(await remove(personId)).toMatchObject({ status: 200 });
    for (const mail of [first, second]) expect(await accept(url, mail, {})).toMatchObject({ code: 'invitation_ended' });
  });

  it('that is open ends with the role of its recipient, and a later one does not', async () => {
    const { personId } = await join('open-link@example.com');
    const open = await invited('open-link@example.com', 'owner');
    const command = { type: 'RemoveMember', personId, reason: 'left' } as const;
    await executeAndDie(premises.databaseUrl, accountDecider, `account-${owner.accountId}`, command);
    const types = () => query(premises.databaseUrl, `select type from events where stream = '${streamOf(open)}'`);
    await expect.poll(types, SOON).toContainEqual({ type: 'InvitationRevoked' });
    expect(await accept(url, open, {})).toMatchObject({ status: 409, code: 'invitation_ended' });
    expect(await accept(url, await invited('open-link@example.com'), {})).toMatchObject({ status: 200 });
    const another = await invited('open-link@example.com');
    expect(await remove(personId)).toMatchObject({ status: 200 });
    expect(await accept(url, another, {})).toMatchObject({ status: 409, code: 'invitation_ended' });
  });

  it('gives no role to a person who was erased', async () => {
    const { personId, accountId } = await registerPerson(url, smtp, 'gone@example.com');
    const stream = streamOf(await invited('gone@example.com'));
    const erase = { type: 'ErasePerson', reason: 'x', cause: 'own_wish', ended: [accountId] } as const;
    await onPerson(premises.databaseUrl, personId, erase);
    await executeAndDie(premises.databaseUrl, invitationDecider, stream, {
      ...{ type: 'AcceptInvitation', personId, at: 0 },
    });
    const data = () =>
      query(premises.databaseUrl, `select data::jsonb as data from events where stream = '${stream}' and revision = 2`);
    await expect.poll(data, SOON).toEqual([{ data: { personId, given: false } }]);
  });

  it('is listed while it is open, and of no use once it is revoked or its link is changed', async () => {
    const mail = await invited('revoked@example.com');
    expect(await accept(url, { ...mail, linkSecret: `${mail.linkSecret}x` })).toMatchObject({ code: 'code_wrong' });
    const { json } = await call(nodes[1].url, 'GET', invitations(), { token: owner.token });
    const open = (json['data'] as { email: string; invitation_id: string }[]).find(
      ({ email }) => email === 'revoked@example.com',
    );
    const path = `${invitations()}/${String(open?.invitation_id)}`;
    expect(await call(url, 'DELETE', path, { token: owner.token })).toMatchObject({ status: 200 });
    const after = await call(url, 'GET', invitations(), { token: owner.token });
    expect(JSON.stringify(after.json)).not.toContain('revoked@example.com');
    expect(await accept(url, mail)).toMatchObject({ status: 409, code: 'invitation_ended' });
  });

  it('ends with the role of its sender', async () => {
    const second = await join('second-owner@example.com', 'owner');
    const mail = await invitedBy(smtp, 'friend@example.com', () => invite('friend@example.com', 'owner', second.token));
    expect(await remove(second.personId)).toMatchObject({ status: 200 });
    expect(await accept(url, mail)).toMatchObject({ status: 409, code: 'invitation_ended' });
  });

  it('is sent by owners only, and only to accounts of entities', async () => {
    const { token } = await join('developer@example.com');
    expect(await invite('x@example.com', 'developer', token)).toMatchObject({ status: 403, code: 'not_allowed' });
    const alone = await registerPerson(url, smtp, 'alone@example.com');
    const path = `/accounts/${alone.accountId}/invitations`;
    const body = { email: 'x@example.com', role: 'owner' };
    expect(await call(url, 'POST', path, { token: alone.token, body })).toMatchObject({ code: 'personal_account' });
    expect(await invite('x@example.com', 'developer', alone.token)).toMatchObject({ code: 'account_not_found' });
    expect(await invite('x@mailinator.com')).toMatchObject({ status: 400, code: 'disposable_address' });
  });

  it('leaves neither an address nor a name in the log', async () => {
    const rows = await query<{ text: string }>(premises.databaseUrl, 'select events::text as text from events');
    const log = rows.map(({ text }) => text).join('\n');
    expect(log).toContain('PersonInvited');
    for (const personal of ['grace@', 'Hopper']) expect(log).not.toContain(personal);
  });
});

describe('a member', () => {
  it('gets another role from an owner, and only an owner changes roles', async () => {
    const { personId, token } = await join('changes@example.com');
    const change = (by: string, role: string, who = personId) =>
      call(url, 'PUT', `${members()}/${who}`, { token: by, body: { role } });
    expect(await change(token, 'owner')).toMatchObject({ status: 403 });
    expect(await change(owner.token, 'billing')).toMatchObject({ status: 200, json: { changed: true } });
    expect(await change(owner.token, 'billing')).toMatchObject({ json: { changed: false } });
    expect(await change(owner.token, 'billing', owner.personId)).toMatchObject({ status: 409, code: 'last_owner' });
    expect(await change(owner.token, 'billing', 'per_none')).toMatchObject({ status: 404, code: 'member_not_found' });
  });

  it('who is removed loses the account and the tokens of it', async () => {
    const { personId, token } = await join('removed@example.com');
    await query(premises.databaseUrl, managementToken('tok_here', owner.accountId, personId));
    await query(premises.databaseUrl, managementToken('tok_elsewhere', 'acc_elsewhere', personId));
    expect(await remove(personId)).toMatchObject({ status: 200, json: { removed: true } });
    expect(await call(url, 'GET', members(), { token })).toMatchObject({ status: 404, code: 'account_not_found' });
    expect((await call(url, 'GET', '/me', { token })).json['accounts']).toEqual([]);
    const left = () => query(premises.databaseUrl, `select id from tokens where created_by = '${personId}'`);
    await expect.poll(left, SOON).toEqual([{ id: 'tok_elsewhere' }]);
  });

  it('can leave, and removes no other member', async () => {
    const [one, other] = [await join('leaves@example.com'), await join('stays@example.com', 'billing')];
    expect(await remove(other.personId, one.token)).toMatchObject({ status: 403, code: 'not_allowed' });
    expect(await remove(one.personId, one.token)).toMatchObject({ status: 200 });
    expect(await remove(owner.personId)).toMatchObject({ status: 409, code: 'last_owner' });
  });
});

it('the address of an invitation is erased once it is accepted or revoked', async () => {
  const kept = () =>
    query(
      premises.databaseUrl,
      `select k.account_id from data_keys k join events e on e.stream = 'invitation-' || k.account_id
       where e.type in ('InvitationAccepted', 'InvitationRevoked') and k.wrapped is not null`,
    );
  await expect.poll(kept, SOON).toEqual([]);
});

describe('a node that dies', () => {
  it('after a newcomer has accepted leaves a member', async () => {
    const mail = await invited('crash@example.com');
    const accepting = accept(nodes[1].url, mail).catch(() => undefined);
    const where = `stream = '${mail.linkId.replace('invite-', 'invitation-')}' and type = 'InvitationAccepted'`;
    const accepted = () => query(premises.databaseUrl, `select from events where ${where}`);
    await expect.poll(async () => (await accepted()).length, { timeout: 20_000, interval: 1 }).toBe(1);
    await nodes[1].process.stop('SIGKILL');
    await accepting;
    await expect.poll(list, SOON).toContain('crash@example.com');
  });

  it('after a person has accepted leaves a member, whose list of accounts follows', async () => {
    const known = await registerPerson(url, smtp, 'late@example.com');
    const { linkId } = await invited('late@example.com');
    const command = { type: 'AcceptInvitation', personId: known.personId, at: 0 } as const;
    const stream = linkId.replace('invite-', 'invitation-');
    await executeAndDie(premises.databaseUrl, invitationDecider, stream, command);
    await expect.poll(list, SOON).toContain('late@example.com');
    const me = async () => (await call(url, 'GET', '/me', { token: known.token })).json['accounts'];
    await expect.poll(me, SOON).toHaveLength(2);
  });

  it('after a member was removed leaves none of the tokens', async () => {
    const { personId } = await join('late-removal@example.com');
    await query(premises.databaseUrl, managementToken('tok_late', owner.accountId, personId));
    const command = { type: 'RemoveMember', personId, reason: 'left' } as const;
    await executeAndDie(premises.databaseUrl, accountDecider, `account-${owner.accountId}`, command);
    const left = () => query(premises.databaseUrl, `select id from tokens where created_by = '${personId}'`);
    await expect.poll(left, SOON).toEqual([]);
  });
});

const list = async (): Promise<string> =>
  JSON.stringify((await call(url, 'GET', members(), { token: owner.token })).json);
