import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewToken } from '../../src/identity/tokens.ts';
import { query } from '../support/sql.ts';
import { DAY_MS, MINUTE_MS, onBoth, openNodes, type Nodes } from './nodes.ts';

let nodes: Nodes;
beforeAll(async () => void (nodes = await openNodes()));
afterAll(() => nodes.close());

const anAccount = (): string => nodes.person().replace('per_', 'acc_');
const endsAt = (): Date => new Date(nodes.now().getTime() + DAY_MS);
const management = (given: Partial<Extract<NewToken, { kind: 'management' }>> = {}) =>
  nodes.one.tokens.create({
    ...{ kind: 'management', accountId: anAccount(), scopes: ['keys:write', 'usage:read'] },
    ...{ name: 'Deploy', createdBy: nodes.person(), endsAt: endsAt(), ...given },
  });
const service = () =>
  nodes.one.tokens.create({ kind: 'service', role: 'finance', name: 'Books', createdBy: null, endsAt: endsAt() });

describe('a token', () => {
  it('of an account has a prefix, scopes and an end, and is found on every node', async () => {
    const { secret, token } = await management();
    expect(secret).toMatch(/^kiss_mgt_[0-9A-Za-z]{38}$/);
    expect(token).toMatchObject({
      ...{ kind: 'management', scopes: ['keys:write', 'usage:read'], name: 'Deploy', hint: secret.slice(-4) },
      ...{ id: expect.stringMatching(/^tok_[0-9a-f]{24}$/) as string, createdAt: nodes.now(), endsAt: endsAt() },
      ...{ usedAt: null, createdBy: expect.stringMatching(/^per_/) as string },
    });
    expect(await nodes.other.tokens.find(secret)).toEqual({ ...token, usedAt: nodes.now() });
  });

  it('of a service has a prefix, a role and an end', async () => {
    const { secret, token } = await service();
    expect(secret).toMatch(/^kiss_svc_[0-9A-Za-z]{38}$/);
    expect(token).toMatchObject({ kind: 'service', role: 'finance', createdBy: null });
    expect(await nodes.other.tokens.find(secret)).toMatchObject({ id: token.id, kind: 'service', role: 'finance' });
  });

  it('is in no table, and is not found by its hash, its id, with a typing error or under the other prefix', async () => {
    const { secret, token } = await management();
    const dump = await nodes.dump();
    expect(dump).toContain(token.id);
    expect(dump).not.toContain(secret);
    expect(dump).not.toContain(secret.slice(9, -4));
    const [row] = await query<{ hash: string }>(
      ...([nodes.url, `select encode(hash, 'hex') as hash from tokens where id = $1`, [token.id]] as const),
    );
    const mistyped = secret.slice(0, -7) + (secret.at(-7) === 'a' ? 'b' : 'a') + secret.slice(-6);
    for (const wrong of [row?.hash ?? '', token.id, mistyped, secret.replace('_mgt_', '_svc_'), `${secret} `, '']) {
      expect(await nodes.one.tokens.find(wrong)).toBeUndefined();
    }
  });

  it('ends, and is deleted then', async () => {
    const { secret, token } = await management();
    nodes.forward(DAY_MS - 1);
    expect(await nodes.one.tokens.find(secret)).toBeDefined();
    nodes.forward(1);
    expect(await nodes.one.tokens.find(secret)).toBeUndefined();
    expect(await nodes.one.tokens.deleteExpired()).toBeGreaterThan(0);
    expect(await query(nodes.url, 'select id from tokens where id = $1', [token.id])).toEqual([]);
  });

  it('writes when it was used at most once a minute', async () => {
    const { secret, token } = await management();
    const used = async () =>
      (await query<{ used_at: Date | null }>(nodes.url, 'select used_at from tokens where id = $1', [token.id]))[0]
        ?.used_at;
    expect(await used()).toBeNull();
    await nodes.one.tokens.find(secret);
    const first = nodes.now();
    expect(await used()).toEqual(first);
    nodes.forward(MINUTE_MS - 1);
    await nodes.other.tokens.find(secret);
    expect(await used()).toEqual(first);
    nodes.forward(1);
    await nodes.other.tokens.find(secret);
    expect(await used()).toEqual(nodes.now());
  });
});

describe('a token with a given id', () => {
  it('is created once', async () => {
    const token = { kind: 'service', role: 'finance', name: 'Books', createdBy: null, endsAt: endsAt() } as const;
    const id = nodes.person().replace('per_', 'tok_');
    const created = await onBoth(nodes, 6, (node) => node.tokens.createOnce(id, token));
    const [only, ...others] = created.filter((one) => one !== undefined);
    expect(others).toEqual([]);
    expect(await nodes.other.tokens.find(only?.secret ?? '')).toMatchObject({ id, name: 'Books' });
  });
});

describe('revoking tokens', () => {
  it('works on every node at once, and only for the account that has the token', async () => {
    const accountId = anAccount();
    const { secret, token } = await management({ accountId });
    expect(await nodes.one.tokens.revokeOfAccount(anAccount(), token.id)).toBe(false);
    expect(await nodes.one.tokens.revokeOfService(token.id)).toBe(false);
    expect(await nodes.other.tokens.find(secret)).toBeDefined();
    expect(await nodes.one.tokens.revokeOfAccount(accountId, token.id)).toBe(true);
    expect(await nodes.other.tokens.find(secret)).toBeUndefined();
  });

  it('of a service is separate', async () => {
    const { secret, token } = await service();
    expect((await nodes.one.tokens.listOfServices()).map(({ id }) => id)).toContain(token.id);
    expect(await nodes.one.tokens.revokeOfService(token.id)).toBe(true);
    expect(await nodes.other.tokens.find(secret)).toBeUndefined();
    expect((await nodes.one.tokens.listOfServices()).map(({ id }) => id)).not.toContain(token.id);
  });

  it('of a whole account leaves those of others', async () => {
    const accountId = anAccount();
    const [older, newer] = [await management({ accountId }), (nodes.forward(1), await management({ accountId }))];
    const stranger = await management();
    expect((await nodes.one.tokens.listOfAccount(accountId)).map(({ id }) => id)).toEqual([
      newer.token.id,
      older.token.id,
    ]);
    const revoked = await nodes.one.tokens.revokeAllOfAccount(accountId);
    expect(revoked.toSorted()).toEqual([older.token.id, newer.token.id].toSorted());
    expect(await nodes.one.tokens.listOfAccount(accountId)).toEqual([]);
    expect(await nodes.other.tokens.find(stranger.secret)).toBeDefined();
  });

  it('of one creator can be limited to an account', async () => {
    const createdBy = nodes.person();
    const [here, there] = [await management({ createdBy }), await management({ createdBy })];
    const accountId = here.token.kind === 'management' ? here.token.accountId : '';
    expect(await nodes.one.tokens.revokeCreatedBy(createdBy, accountId)).toEqual([here.token.id]);
    expect(await nodes.one.tokens.revokeCreatedBy(createdBy)).toEqual([there.token.id]);
  });
});
