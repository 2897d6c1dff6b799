import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialAccount, type Account } from '../../../src/domain/account/account.ts';
import type { MemberRole } from '../../../src/domain/account/events.ts';
import type { StaffRole } from '../../../src/domain/identity/person-events.ts';
import { createManagementRouter, type ManagementDeps } from '../../../src/http/management/router/router.ts';
import { routes } from '../../../src/http/management/routes.ts';
import type { Session } from '../../../src/identity/sessions.ts';
import type { Token } from '../../../src/identity/tokens.ts';

/**
 * Each caller by a letter: (A)dmin; a (p)erson without an account; (o)wner, (b)illing, (d)eveloper of the account; management
 * tokens of the account with the scope (R)ead, (K)eys, (L)imits; staff (S)upport, (F)inance, (T)echnician of the operator,
 * o(W)ner; service tokens with these roles as (1), (2), (3), (4). `*` is everybody, also without a token.
 */
const table: Readonly<Record<string, string>> = {
  'POST /registrations': '*',
  'POST /registrations/{registration_id}/verify': '*',
  'POST /sign-in/codes': '*',
  'POST /sign-in/codes/{sign_in_id}/redeem': '*',
  'GET /terms': '*',
  'GET /me': 'pobdSFTW',
  'GET /me/sessions': 'pobdSFTW',
  'DELETE /me/sessions/{session_id}': 'pobdSFTW',
  'POST /me/sessions/revoke-others': 'pobdSFTW',
  'POST /me/sign-out': 'pobdSFTW',
  'POST /sign-in/passkey/options': '*',
  'POST /sign-in/passkey': '*',
  'POST /me/passkeys/options': 'pobdSFTW',
  'POST /me/passkeys': 'pobdSFTW',
  'GET /me/passkeys': 'pobdSFTW',
  'PUT /me/passkeys/{passkey_id}': 'pobdSFTW',
  'DELETE /me/passkeys/{passkey_id}': 'pobdSFTW',
  'POST /me/totp': 'pobdSFTW',
  'POST /me/totp/confirm': 'pobdSFTW',
  'DELETE /me/totp': 'pobdSFTW',
  'POST /me/recovery-codes': 'pobdSFTW',
  'POST /me/second-step/options': 'pobdSFTW',
  'POST /me/second-step': 'pobdSFTW',
  'POST /accounts/{account_id}/tokens': 'od',
  'GET /accounts/{account_id}/tokens': 'AodSTW134',
  'DELETE /accounts/{account_id}/tokens/{token_id}': 'AodSTW134',
  'POST /service-tokens': 'AW',
  'GET /service-tokens': 'AW',
  'DELETE /service-tokens/{token_id}': 'AW',
  'GET /me/data': 'pobdSFTW',
  'GET /me/events': 'pobdSFTW',
  'POST /me/accounts': 'pobdSFTW',
  'POST /me/erase': 'pobdSFTW',
  'PUT /me/name': 'pobdSFTW',
  'POST /me/address-changes': 'pobdSFTW',
  'POST /address-changes/{change_id}/confirm': '*',
  'POST /address-changes/{change_id}/undo': '*',
  'GET /persons/{person_id}': 'ASFTW1234',
  'POST /persons/{person_id}/address': 'ASW',
  'PUT /accounts/{account_id}/name': 'o',
  'PUT /accounts/{account_id}/low-balance': 'ob',
  'POST /low-balance-mails/{mail_id}/end': '*',
  'POST /accounts': 'ATW34',
  'GET /accounts/owed': 'ASFW124',
  'GET /accounts/{account_id}': 'AobdRSFTW1234',
  'GET /accounts/{account_id}/events': 'AobdRSFTW1234',
  'POST /accounts/{account_id}/terms': 'Ao',
  'POST /accounts/{account_id}/grants': 'AFW24',
  'POST /accounts/{account_id}/keys': 'AodK',
  'GET /accounts/{account_id}/keys': 'AobdRKSFTW1234',
  'PUT /accounts/{account_id}/keys/{key_id}/limits': 'AodLSW14',
  'POST /accounts/{account_id}/keys/{key_id}/rotate': 'AodK',
  'POST /accounts/{account_id}/keys/{key_id}/leak': 'AodKSTW134',
  'DELETE /accounts/{account_id}/keys/{key_id}': 'AodKSTW134',
  'PUT /accounts/{account_id}/limits': 'ASTW134',
  'POST /accounts/{account_id}/suspend': 'ASTW134',
  'POST /accounts/{account_id}/reinstate': 'ASTW134',
  'POST /accounts/{account_id}/violations': 'ASFTW1234',
  'GET /accounts/{account_id}/violations': 'ASFTW1234',
  'GET /signals': 'ASTW134',
  'GET /accounts/{account_id}/signals': 'ASTW134',
  'POST /accounts/{account_id}/resale': 'ATW34',
  'POST /accounts/{account_id}/resale/end': 'ATW34',
  'POST /accounts/{account_id}/close': 'ASTW134',
  'POST /accounts/{account_id}/erase': 'ASTW134',
  'GET /accounts/{account_id}/requests': 'AobdRSFTW1234',
  'GET /accounts/{account_id}/refusals': 'AobdRSFTW1234',
  'GET /requests/{request_id}': 'ASFTW1234',
  'GET /accounts/{account_id}/top-ups/options': 'AobSFTW1234',
  'POST /accounts/{account_id}/top-ups': 'Aob',
  'GET /accounts/{account_id}/payments': 'AobSFTW1234',
  'GET /accounts/{account_id}/payments/{payment_id}': 'AobSFTW1234',
  'GET /accounts/{account_id}/payments/{payment_id}/receipt': 'AobSFTW1234',
  'GET /accounts/{account_id}/payments/{payment_id}/receipt.pdf': 'AobSFTW1234',
  'POST /accounts/{account_id}/refunds': 'AobSFW124',
  'POST /accounts/{account_id}/payments/{payment_id}/refunds/{refund_id}/withdraw': 'ob',
  'GET /refunds': 'ASFTW1234',
  'POST /accounts/{account_id}/payments/{payment_id}/refunds/{refund_id}/approve': 'AFW24',
  'POST /accounts/{account_id}/payments/{payment_id}/refunds/{refund_id}/refuse': 'AFW24',
  'GET /disputes': 'ASFTW1234',
  'POST /accounts/{account_id}/payments/{payment_id}/disputes/{dispute_id}/close': 'AFW24',
  'GET /payments/quarantined': 'ASFTW1234',
  'POST /accounts/{account_id}/payments/{payment_id}/transactions/{transaction_id}/release': 'AFW24',
  'POST /accounts/{account_id}/payments/{payment_id}/transactions/{transaction_id}/reject': 'AFW24',
  'POST /accounts/{account_id}/generations/{generation_id}/reverse': 'ASFW124',
  'GET /accounts/{account_id}/debts': 'AobdRSFTW1234',
  'POST /accounts/{account_id}/debts/{lot_id}/write-off': 'AFW24',
  'POST /accounts/{account_id}/waive': 'ASFW124',
  'POST /accounts/{account_id}/forfeit': 'AFW24',
  'GET /accounts/{account_id}/members': 'AobdRSFTW1234',
  'PUT /accounts/{account_id}/members/{person_id}': 'o',
  'DELETE /accounts/{account_id}/members/{person_id}': 'obd',
  'POST /accounts/{account_id}/invitations': 'Ao',
  'GET /accounts/{account_id}/invitations': 'Ao',
  'DELETE /accounts/{account_id}/invitations/{invitation_id}': 'Ao',
  'POST /invitations/{invitation_id}/accept': '*',
  'GET /staff': 'ASFTW',
  'POST /staff/invitations': 'AW',
  'GET /staff/invitations': 'AW',
  'DELETE /staff/invitations/{invitation_id}': 'AW',
  'PUT /staff/{person_id}': 'W',
  'DELETE /staff/{person_id}': 'W',
  'POST /contact': '*',
  'POST /accounts/{account_id}/contact': 'obd',
  'GET /accounts/{account_id}/contact': 'obd',
  'GET /contacts': 'ASTW134',
  'GET /contacts/{contact_id}': 'ASTW134',
  'POST /contacts/{contact_id}/answer': 'ASTW134',
  'POST /contacts/{contact_id}/link': 'ASTW134',
  'POST /contacts/{contact_id}/close': 'ASTW134',
  'GET /approvals': 'FW',
  'GET /approvals/{approval_id}': 'FW',
  'POST /approvals/{approval_id}/give': 'FW',
  'POST /approvals/{approval_id}/refuse': 'FW',
  'POST /search': 'ASFTW1234',
  'GET /duplicates': 'ASFTW1234',
  'POST /accounts/{account_id}/duplicates/{other_id}/dismiss': 'ASW14',
  'POST /persons/{person_id}/second-account-approvals': 'ASW14',
  'POST /identities/entity-approvals': 'ASW14',
  'POST /persons/{person_id}/erase': 'ASW14',
  'GET /prices': '*',
  'GET /prices/history': '*',
  'GET /prices/proposals': 'AFTW234',
  'POST /prices': 'ATW34',
  'POST /prices/withdrawals': 'ATW34',
  'POST /terms': 'ATW34',
  'POST /terms/{document}/{version}/withdraw': 'ATW34',
  'POST /delistings': 'ATW34',
  'POST /relistings': 'ATW34',
  'GET /notices': 'ASTW134',
  'GET /notices/{announcement_id}': 'ASTW134',
  'GET /log/checkpoint': 'AFTW234',
};

const nameOf = ({ method, path }: (typeof routes)[number]): string => `${method.toUpperCase()} ${path}`;

const AT = new Date('2026-01-31T10:00:00Z');
const OWN = 'acc_own';
const FOREIGN = 'acc_foreign';
const ADMIN = 'admin-token-that-is-at-least-32-characters-long';

const members: Readonly<Record<string, MemberRole>> = { o: 'owner', b: 'billing', d: 'developer' };
const staff: Readonly<Record<string, StaffRole>> = { S: 'support', F: 'finance', T: 'operator', W: 'owner' };
const services: Readonly<Record<string, StaffRole>> = { 1: 'support', 2: 'finance', 3: 'operator', 4: 'owner' };
const scopes: Readonly<Record<string, string>> = { R: 'read', K: 'keys', L: 'limits' };
const callers = ['A', 'p', ...[members, scopes, staff, services].flatMap((one) => Object.keys(one))];
/** Staff that have not passed the second step. */
const unsafe = 'Ŵ';

const account = (): Account => ({
  ...initialAccount(),
  members: new Map(Object.entries(members).map(([letter, role]) => [`per_${letter}`, role])),
});

const sessionOf = (letter: string): Session | undefined =>
  letter === 'p' || letter in members || letter in staff || letter === unsafe
    ? {
        ...{
          id: 'ses_1',
          personId: `per_${letter}`,
          createdAt: AT,
          seenAt: AT,
          endsAt: AT,
          network: null,
          agent: null,
        },
        kind: letter in staff || letter === unsafe ? 'staff' : 'customer',
        secondStepAt: letter in staff ? AT : null,
      }
    : undefined;

const tokenOf = (letter: string): Token | undefined => {
  const base = { id: 'tok_1', name: 'x', hint: 'xxxx', createdBy: null, createdAt: AT, endsAt: AT, usedAt: null };
  const [scope, role] = [scopes[letter], services[letter]];
  if (scope !== undefined) return { ...base, kind: 'management', accountId: OWN, scopes: [scope] };
  return role === undefined ? undefined : { ...base, kind: 'service', role };
};

/** Only the guards: the handlers answer 200. */
const startGuards = async () => {
  const deps = {
    adminToken: ADMIN,
    newId: () => '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d',
    termsInForce: () => '2026-01-01',
    publicUrl: () => 'https://api.example.com',
    networkOf: () => undefined,
    sessions: { find: (token: string) => Promise.resolve(sessionOf(decodeURIComponent(token))) },
    tokens: { find: (token: string) => Promise.resolve(tokenOf(token)) },
    attemptLimits: { allow: () => Promise.resolve({ kind: 'allowed' }) },
    readStaff: () => {
      const roles = [...Object.entries(staff), [unsafe, 'owner'] as const];
      return Promise.resolve(new Map(roles.map(([letter, role]) => [`per_${letter}`, role])));
    },
    commands: {
      read: (stream: string) =>
        Promise.resolve({ state: stream === `account-${OWN}` ? account() : initialAccount(), revision: 0 }),
    },
  } as unknown as ManagementDeps;
  const answering = routes.map((route) => ({
    ...route,
    success: { ...route.success, status: 200 as const },
    run: () => Promise.resolve({ answer: {} }),
  }));
  const server = createServer(express().use('/api', createManagementRouter(deps, answering)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`, server };
};

let guards: Awaited<ReturnType<typeof startGuards>>;
beforeAll(async () => (guards = await startGuards()));
afterAll(() => new Promise((resolve) => guards.server.close(resolve)));

const call = async ({ method, path, body }: (typeof routes)[number], token: string | undefined, accountId: string) => {
  const response = await fetch(guards.url + path.replace('{account_id}', accountId).replaceAll(/\{\w+\}/g, 'x'), {
    method: method.toUpperCase(),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${encodeURIComponent(token)}` }),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: '{}' } : {}),
  });
  const json = (await response.json()) as { readonly error?: { readonly code: string } };
  return response.status === 200 ? 200 : `${response.status} ${json.error?.code}`;
};

it('every route is in the table', () => {
  expect(Object.keys(table).toSorted()).toEqual(routes.map(nameOf).toSorted());
});

describe.each(routes.map((route) => [nameOf(route), route] as const))('%s', (name, route) => {
  const allowed = table[name] ?? '';
  const isPublic = allowed === '*';
  const ofAccount = route.path.includes('{account_id}');
  const isKnownTo = (letter: string): boolean => 'A1234'.includes(letter) || letter in staff;

  it('401 without a token, and with one that is not valid', async () => {
    const unknown = route.principals.includes('admin') ? '401 invalid_admin_token' : '401 not_signed_in';
    for (const token of [undefined, 'wrong', 'kiss_live_x', `${ADMIN}x`]) {
      expect(await call(route, token, OWN)).toBe(isPublic ? 200 : unknown);
    }
  });

  it.each(callers)('as in the table for %s', async (letter) => {
    const isAllowed = isPublic || allowed.includes(letter);
    const token = letter === 'A' ? ADMIN : letter;
    const isForeign = ofAccount && letter === 'p';
    expect(await call(route, token, OWN)).toBe(
      isAllowed ? 200 : isForeign ? '404 account_not_found' : '403 not_allowed',
    );
    if (!ofAccount) return;
    // Members and tokens cannot distinguish a foreign account from one that does not exist.
    const expected = isKnownTo(letter) ? (isAllowed ? 200 : '403 not_allowed') : '404 account_not_found';
    expect(await call(route, token, FOREIGN)).toBe(expected);
  });

  it('403 for staff before the second step, unless every person may call it', async () => {
    const open = isPublic || allowed.includes('p');
    const staffMay = allowed.includes('W');
    const refused = staffMay ? '403 second_step_required' : '403 not_allowed';
    expect(await call(route, unsafe, OWN)).toBe(open ? 200 : refused);
  });
});
