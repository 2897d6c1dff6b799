import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../support/sql.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, openNodes, type Nodes } from './nodes.ts';

let nodes: Nodes;
beforeAll(async () => void (nodes = await openNodes()));
afterAll(() => nodes.close());

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const signIn = (personId: string, kind: 'customer' | 'staff' = 'customer') =>
  nodes.one.sessions.create({ personId, kind, address: '203.0.113.77', userAgent: FIREFOX });

describe('a session', () => {
  it('is found by its token on every node, and has 256 random bits', async () => {
    const personId = nodes.person();
    const { token, session } = await signIn(personId);
    expect(token).toMatch(/^kiss_ses_[0-9A-Za-z]{49}$/);
    expect(session).toEqual({
      ...{ id: expect.stringMatching(/^ses_[0-9a-f]{24}$/) as string, personId, kind: 'customer' },
      ...{ createdAt: nodes.now(), seenAt: nodes.now(), endsAt: new Date(nodes.now().getTime() + 30 * DAY_MS) },
      ...{ secondStepAt: null, network: '203.0.113.0/24', agent: 'Firefox on Linux' },
    });
    expect(await nodes.other.sessions.find(token)).toEqual(session);
    expect((await signIn(personId)).token).not.toBe(token);
  });

  it('leaves neither its token nor the address and version of the browser in the table', async () => {
    const { token } = await signIn(nodes.person());
    const dump = await nodes.dump();
    expect(dump).toContain('203.0.113.0/24');
    for (const secret of [token, token.slice(9, 40), '203.0.113.77', '140.0']) expect(dump).not.toContain(secret);
  });

  it('is not found by another token, a token with a typing error, its id or its hash', async () => {
    const { token, session } = await signIn(nodes.person());
    const [row] = await query<{ hash: string }>(
      nodes.url,
      `select encode(hash, 'hex') as hash from sessions where id = $1`,
      [session.id],
    );
    const mistyped = token.slice(0, -7) + (token.at(-7) === 'a' ? 'b' : 'a') + token.slice(-6);
    for (const wrong of [mistyped, session.id, row?.hash ?? '', token.replace('_ses_', '_mgt_'), '', `${token} `]) {
      expect(await nodes.one.sessions.find(wrong)).toBeUndefined();
    }
  });

  it.each([
    ['customer', 30 * DAY_MS],
    ['staff', 12 * HOUR_MS],
  ] as const)('of %s ends after its lifetime, however much it is used', async (kind, lifetimeMs) => {
    const personId = nodes.person();
    const { token } = await signIn(personId, kind);
    nodes.forward(lifetimeMs - 1);
    expect(await nodes.one.sessions.find(token)).toBeDefined();
    nodes.forward(1);
    expect(await nodes.one.sessions.find(token)).toBeUndefined();
    expect(await nodes.one.sessions.list(personId)).toEqual([]);
    expect(await nodes.one.sessions.deleteExpired()).toBeGreaterThan(0);
    expect(await query(nodes.url, 'select id from sessions where person_id = $1', [personId])).toEqual([]);
  });

  it('writes when it was seen at most once a minute', async () => {
    const { token, session } = await signIn(nodes.person());
    const rowVersion = async () =>
      (await query<{ xmin: string }>(nodes.url, 'select xmin::text from sessions where id = $1', [session.id]))[0]
        ?.xmin;
    const before = await rowVersion();
    nodes.forward(MINUTE_MS - 1);
    expect((await nodes.one.sessions.find(token))?.seenAt).toEqual(session.seenAt);
    expect(await rowVersion()).toBe(before);
    nodes.forward(1);
    expect((await nodes.one.sessions.find(token))?.seenAt).toEqual(nodes.now());
    const touched = await rowVersion();
    expect(touched).not.toBe(before);
    expect((await nodes.other.sessions.find(token))?.seenAt).toEqual(nodes.now());
    expect(await rowVersion()).toBe(touched);
  });

  it('can pass the second step later, or at sign-in, as long as it has not ended', async () => {
    const later = await signIn(nodes.person(), 'staff');
    expect(await nodes.one.sessions.passSecondStep(later.session.id)).toBe(true);
    expect(await nodes.other.sessions.find(later.token)).toMatchObject({ secondStepAt: nodes.now() });
    const atOnce = { personId: nodes.person(), kind: 'staff', passesSecondStep: true } as const;
    const { session, token } = await nodes.one.sessions.create(atOnce);
    expect(session.secondStepAt).toEqual(nodes.now());
    expect(await nodes.other.sessions.find(token)).toMatchObject({ secondStepAt: nodes.now() });
    nodes.forward(12 * HOUR_MS);
    expect(await nodes.one.sessions.passSecondStep(session.id)).toBe(false);
  });
});

describe('the sessions of a person', () => {
  it('are listed with the last seen first, without those of others', async () => {
    const personId = nodes.person();
    const first = await signIn(personId);
    nodes.forward(HOUR_MS);
    const second = await signIn(personId);
    await signIn(nodes.person());
    const ids = async () => (await nodes.other.sessions.list(personId)).map(({ id }) => id);
    expect(await ids()).toEqual([second.session.id, first.session.id]);
    nodes.forward(HOUR_MS);
    await nodes.one.sessions.find(first.token);
    expect(await ids()).toEqual([first.session.id, second.session.id]);
  });

  it('are revoked one by one, only by their person, and at once on every node', async () => {
    const personId = nodes.person();
    const { token, session } = await signIn(personId);
    expect(await nodes.one.sessions.revoke(nodes.person(), session.id)).toBe(false);
    expect(await nodes.other.sessions.find(token)).toBeDefined();
    expect(await nodes.one.sessions.revoke(personId, session.id)).toBe(true);
    expect(await nodes.other.sessions.find(token)).toBeUndefined();
    expect(await nodes.one.sessions.revoke(personId, session.id)).toBe(false);
  });

  it('are revoked all at once, or all but one', async () => {
    const personId = nodes.person();
    const [kept, ...others] = await Promise.all([0, 1, 2].map(() => signIn(personId)));
    const stranger = await signIn(nodes.person());
    const revoked = await nodes.one.sessions.revokeAll(personId, kept?.session.id);
    expect(revoked.toSorted()).toEqual(others.map(({ session }) => session.id).toSorted());
    expect(await nodes.other.sessions.list(personId)).toHaveLength(1);
    expect(await nodes.one.sessions.revokeAll(personId)).toEqual([kept?.session.id]);
    expect(await nodes.other.sessions.list(personId)).toEqual([]);
    expect(await nodes.other.sessions.find(stranger.token)).toBeDefined();
  });

  it('can all be revoked that were created until a time', async () => {
    const personId = nodes.person();
    const [old, stranger] = [await signIn(personId), await signIn(nodes.person())];
    const until = nodes.now();
    nodes.forward(1);
    const fresh = await signIn(personId);
    await nodes.other.sessions.revokeBefore(personId, until);
    expect(await nodes.one.sessions.find(old.token)).toBeUndefined();
    for (const { token } of [fresh, stranger]) expect(await nodes.one.sessions.find(token)).toBeDefined();
  });
});
