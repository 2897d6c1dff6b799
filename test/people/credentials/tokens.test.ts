import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand } from '../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { personDecider } from '../../../src/domain/identity/decide-person.ts';
import { type PersonCommand } from '../../../src/domain/identity/person-commands.ts';
import { personStream } from '../../../src/domain/identity/person.ts';
import { STAFF_STREAM, staffDecider, type StaffCommand, type StaffEvent } from '../../../src/domain/identity/staff.ts';
import { serviceTokenDecider, serviceTokenStream } from '../../../src/domain/identity/service-tokens.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { decodeEvent, journal } from '../../../src/eventstore/journal/codec.ts';
import { createInMemoryLog, createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import { revokeAfter } from '../../../src/people/credentials/ended-roles.ts';
import { MAX_TOKENS } from '../../../src/people/credentials/token-events.ts';
import { createPeopleTokens, type TokenRequest } from '../../../src/people/credentials/tokens.ts';
import type { PeopleOptions } from '../../../src/people/people-options.ts';
import { DAY_MS, onBoth, openNodes, type Nodes } from '../../identity/nodes.ts';

const AT = new Date('2026-01-31T12:00:00Z');

let nodes: Nodes;
beforeAll(async () => void (nodes = await openNodes()));
afterAll(() => nodes.close());

/** The tokens of two nodes on one log, with an entity's account that has an owner and a developer. */
const open = async () => {
  const store = createInMemoryStore(createInMemoryLog(() => nodes.now()));
  const committer = createCommitter({ store });
  const writing = { store, committer, codec: journal };
  const accounts = createCommands({ ...writing, decider: accountDecider });
  const persons = createCommands({ ...writing, decider: personDecider });
  const serviceTokens = createCommands({ ...writing, decider: serviceTokenDecider });
  const staff = createCommands({ ...writing, decider: staffDecider });
  const tokensOf = (identity: Nodes['one']) =>
    createPeopleTokens({
      accounts,
      persons,
      serviceTokens,
      staff,
      store,
      identity,
      now: () => nodes.now(),
    } as unknown as PeopleOptions);
  const [owner, developer] = [nodes.person(), nodes.person()];
  const accountId = nodes.person().replace('per_', 'acc_');
  const metadata = () => ({ actor: 'test', commandId: randomUUID() });
  const inAccount = (command: AccountCommand) => accounts.execute(accountStream(accountId), command, metadata());
  const byPerson = (personId: string, command: PersonCommand) =>
    persons.execute(personStream(personId), command, metadata());
  await inAccount({ type: 'RegisterAccount', holder: 'entity', personal: 'v1.c2VhbGVk', adult: true, owner });
  await inAccount({ type: 'AddMember', personId: developer, role: 'developer' });
  await byPerson(owner, { type: 'RegisterPerson', personal: 'v1.c2VhbGVk', how: 'operator' });
  await byPerson(owner, { type: 'VerifyAddress', how: 'code' });
  const inStaff = (command: StaffCommand) => staff.execute(STAFF_STREAM, command, metadata());
  for (const personId of [owner, 'per_other']) {
    await inStaff({ type: 'AppointStaff', personId, role: 'owner', reason: 'first' });
  }
  const eventsOf = async (stream: string) =>
    (await store.readStream(stream, 0, 1000)).map(decodeEvent).filter(({ type }) => type.includes('Token'));
  return { tokens: tokensOf(nodes.one), other: tokensOf(nodes.other), owner, developer, accountId, inAccount, inStaff, eventsOf }; // prettier-ignore
};

const by = (personId: string, commandId: string = randomUUID()): TokenRequest & { readonly personId: string } => ({
  ...{ actor: `person:${personId}`, personId, commandId, mayRepeat: true, requestId: 'req_1' },
});
const wish = (given = {}) => ({
  ...{ name: 'Deploy', scopes: ['read'], endsAt: new Date(nodes.now().getTime() + DAY_MS) },
  ...given,
});

describe('creating a token', () => {
  it('that is repeated on two nodes makes one, and shows its secret once', async () => {
    const { tokens, other, owner, accountId, eventsOf } = await open();
    const request = by(owner);
    const asked = wish();
    const all = await onBoth(nodes, 6, (node) =>
      (node === nodes.one ? tokens : other).createOfAccount(accountId, asked, request),
    );
    const created = all.map((one) => (one.kind === 'created' ? one : expect.fail(one.code)));
    expect(created.filter(({ secret }) => secret !== null)).toHaveLength(1);
    expect(new Set(created.map(({ token }) => token.id)).size).toBe(1);
    expect(await eventsOf(accountStream(accountId))).toHaveLength(1);
  });

  it('is completed by a repetition, if the node stopped between the event and the row', async () => {
    const { tokens, owner, accountId } = await open();
    const request = by(owner);
    const asked = wish();
    const first = await tokens.createOfAccount(accountId, asked, request);
    if (first.kind !== 'created') return expect.fail(first.code);
    await nodes.one.tokens.revokeOfAccount(accountId, first.token.id);
    const second = await tokens.createOfAccount(accountId, asked, request);
    expect(second).toMatchObject({ kind: 'created', token: { id: first.token.id }, secret: expect.any(String) });
    expect(await tokens.find((second as typeof first).secret ?? '')).toMatchObject({ id: first.token.id });
  });

  it('is not repeated after its revocation, nor with other content', async () => {
    const { tokens, owner, accountId } = await open();
    const request = by(owner);
    const asked = wish();
    const first = await tokens.createOfAccount(accountId, asked, request);
    if (first.kind !== 'created') return expect.fail(first.code);
    const reused = { kind: 'refused', code: 'idempotency_key_reused' };
    expect(await tokens.createOfAccount(accountId, wish({ ...asked, scopes: ['keys'] }), request)).toEqual(reused);
    expect(await tokens.createOfAccount(accountId, wish({ ...asked, name: 'Other' }), request)).toEqual(reused);
    expect(await tokens.revokeOfAccount(accountId, first.token.id, 'unused', by(owner))).toBe(true);
    expect(await tokens.createOfAccount(accountId, asked, request)).toEqual({
      ...{ kind: 'refused', code: 'token_not_found' },
    });
  });

  it('without an end lasts 90 days, also in a repetition a moment later', async () => {
    const { tokens, owner, accountId } = await open();
    const request = by(owner);
    const endsAt = new Date(nodes.now().getTime() + 90 * DAY_MS);
    const create = () => tokens.createOfAccount(accountId, wish({ endsAt: undefined }), request);
    expect(await create()).toMatchObject({ kind: 'created', token: { endsAt } });
    nodes.forward(1);
    expect(await create()).toMatchObject({ kind: 'created', token: { endsAt }, secret: null });
  });

  it('needs an end within a year, and is refused beyond a number', async () => {
    const { tokens, owner, accountId } = await open();
    const at = nodes.now().getTime();
    const end = (ms: number) => tokens.createOfAccount(accountId, wish({ endsAt: new Date(at + ms) }), by(owner));
    const invalid = { kind: 'refused', code: 'invalid_end' };
    expect(await end(0)).toEqual(invalid);
    expect(await end(366 * DAY_MS + 1)).toEqual(invalid);
    for (let n = 0; n < MAX_TOKENS; n++) expect((await end(366 * DAY_MS)).kind).toBe('created');
    expect(await end(DAY_MS)).toEqual({ kind: 'refused', code: 'too_many_tokens' });
  });
});

describe('a token', () => {
  it('is valid as long as its account is open', async () => {
    const { tokens, owner, accountId, inAccount } = await open();
    const created = await tokens.createOfAccount(accountId, wish(), by(owner));
    await inAccount({ type: 'CloseAccount', reason: 'asked for' });
    expect(await tokens.find(created.kind === 'created' ? (created.secret ?? '') : '')).toBeUndefined();
  });

  it('of a member is valid as long as the member may have tokens', async () => {
    const { tokens, developer, accountId, inAccount } = await open();
    const created = await tokens.createOfAccount(accountId, wish(), by(developer));
    const secret = created.kind === 'created' ? (created.secret ?? '') : '';
    expect(await tokens.find(secret)).toMatchObject({ kind: 'management', accountId });
    await inAccount({ type: 'ChangeMemberRole', personId: developer, role: 'billing' });
    expect(await tokens.find(secret)).toBeUndefined();
    expect(await tokens.listOfAccount(accountId)).toEqual([]);
  });

  it('of a service is valid as long as its creator is an owner of the staff', async () => {
    const { tokens, owner, inStaff, eventsOf } = await open();
    const asked = { name: 'Books', role: 'finance', endsAt: wish().endsAt } as const;
    const created = await tokens.createOfService(asked, by(owner));
    const ofAdmin = await tokens.createOfService(asked, { ...by(owner), personId: null });
    if (created.kind !== 'created' || ofAdmin.kind !== 'created') return expect.fail('refused');
    expect(await tokens.find(created.secret ?? '')).toMatchObject({ kind: 'service', role: 'finance' });
    await inStaff({ type: 'ChangeStaffRole', personId: owner, role: 'support', reason: 'less' });
    expect(await tokens.find(created.secret ?? '')).toBeUndefined();
    expect(await tokens.find(ofAdmin.secret ?? '')).toMatchObject({ id: ofAdmin.token.id });
    expect(await tokens.revokeOfService(ofAdmin.token.id, 'unused', by(owner))).toBe(true);
    expect(await tokens.revokeOfService(ofAdmin.token.id, 'unused', by(owner))).toBe(false);
    expect((await eventsOf(serviceTokenStream(ofAdmin.token.id))).map(({ type }) => type)).toEqual([
      ...['ServiceTokenCreated', 'ServiceTokenRevoked'],
    ]);
  });
});

describe('the tokens of a person who loses a role', () => {
  it('end with an event each: those of the account, or those of the staff', async () => {
    const { tokens, owner, accountId, eventsOf } = await open();
    const service = { name: 'Books', role: 'finance', endsAt: wish().endsAt } as const;
    const [own, ofStaff] = [
      await tokens.createOfAccount(accountId, wish(), by(owner)),
      await tokens.createOfService(service, by(owner)),
    ];
    if (own.kind !== 'created' || ofStaff.kind !== 'created') return expect.fail('refused');
    expect(await tokens.revokeOf(owner, 'acc_other')).toEqual([]);
    expect(await tokens.revokeOf(owner)).toEqual([ofStaff.token.id]);
    expect(await tokens.find(own.secret ?? '')).toBeDefined();
    expect(await tokens.revokeOf(owner, accountId)).toEqual([own.token.id]);
    expect(await tokens.revokeOf(owner, accountId)).toEqual([]);
    expect(await tokens.find(own.secret ?? '')).toBeUndefined();
    expect(await eventsOf(accountStream(accountId))).toMatchObject([
      { type: 'TokenCreated', tokenId: own.token.id },
      { type: 'TokenRevoked', tokenId: own.token.id },
    ]);
  });

  it('stay if they were created after the person has got the role back', async () => {
    const { tokens, developer, accountId, inAccount } = await open();
    const before = await tokens.createOfAccount(accountId, wish(), by(developer));
    const lostAt = new Date(nodes.now());
    await inAccount({ type: 'RemoveMember', personId: developer, reason: 'left' });
    await inAccount({ type: 'AddMember', personId: developer, role: 'developer' });
    nodes.forward(1);
    const after = await tokens.createOfAccount(accountId, wish(), by(developer));
    if (before.kind !== 'created' || after.kind !== 'created') return expect.fail('refused');
    expect(await tokens.revokeOf(developer, accountId, lostAt)).toEqual([before.token.id]);
    expect(await tokens.find(after.secret ?? '')).toBeDefined();
  });

  it.each<[string, string, AccountEvent | StaffEvent, readonly unknown[] | undefined]>([
    ['a closed account', 'account-acc_1', { type: 'AccountClosed', reason: 'x' }, ['acc_1', 'the account was closed']],
    ['a removed member', 'account-acc_1', { type: 'MemberRemoved', personId: 'per_1', reason: 'x' }, ['per_1', 'acc_1', AT]], // prettier-ignore
    ['a member with a smaller role', 'account-acc_1', { type: 'MemberRoleChanged', personId: 'per_1', role: 'billing' }, ['per_1', 'acc_1', AT]], // prettier-ignore
    ['a member who may still have tokens', 'account-acc_1', { type: 'MemberRoleChanged', personId: 'per_1', role: 'developer' }, undefined], // prettier-ignore
    ['dismissed staff', 'staff', { type: 'StaffDismissed', personId: 'per_1', reason: 'x' }, ['per_1', undefined, AT]],
    ['an owner of the staff with a smaller role', 'staff', { type: 'StaffAppointed', personId: 'per_1', role: 'support', reason: 'x' }, ['per_1', undefined, AT]], // prettier-ignore
    [
      'a new owner of the staff',
      'staff',
      { type: 'StaffAppointed', personId: 'per_1', role: 'owner', reason: 'x' },
      undefined,
    ],
  ])('are revoked after the event of %s, if it ends the role', async (_, stream, event, expected) => {
    const calls: unknown[] = [];
    const record = (...given: readonly unknown[]) => Promise.resolve((calls.push(given), []));
    await revokeAfter({ revokeOf: record, revokeAllOfAccount: record }, { event, stream, time: AT })?.();
    expect(calls).toEqual(expected === undefined ? [] : [expected]);
  });

  it('of a closed account end as well', async () => {
    const { tokens, owner, developer, accountId, eventsOf, inAccount } = await open();
    for (const personId of [owner, developer]) await tokens.createOfAccount(accountId, wish(), by(personId));
    expect(await tokens.revokeAllOfAccount(accountId, 'the account was closed')).toHaveLength(2);
    expect(await tokens.listOfAccount(accountId)).toEqual([]);
    expect(await eventsOf(accountStream(accountId))).toHaveLength(4);
    await inAccount({ type: 'CloseAccount', reason: 'asked for' });
    expect(await tokens.createOfAccount(accountId, wish(), by(owner))).toEqual({
      ...{ kind: 'refused', code: 'account_closed' },
    });
  });
});
