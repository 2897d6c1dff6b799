import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CodePurpose } from '../../src/identity/one-time-codes.ts';
import { query } from '../support/sql.ts';
import { DAY_MS, MINUTE_MS, onBoth, openNodes, type Nodes } from './nodes.ts';

let nodes: Nodes;
beforeAll(async () => void (nodes = await openNodes()));
afterAll(() => nodes.close());

type Issued = { readonly id: string; readonly subject: string; readonly nonce: string };

const issue = async (purpose: CodePurpose = 'sign_in', given: Partial<Issued> & { ttlMs?: number } = {}) => {
  const issued = { id: `mail_${randomUUID()}`, subject: nodes.person(), nonce: randomUUID(), ...given };
  await nodes.one.oneTimeCodes.issue({ purpose, ...issued });
  const { code, linkSecret } = nodes.one.oneTimeCodes.secretsOf(issued.id);
  const [byCode, byLink] = [
    { purpose, ...issued, code },
    { purpose, ...issued, linkSecret },
  ];
  return { ...issued, code, linkSecret, byCode, byLink };
};
/** Another code than this one. */
const other = (code: string): string => `${(Number(code[0]) + 1) % 10}${code.slice(1)}`;
const redeem = (...[given]: Parameters<Nodes['one']['oneTimeCodes']['redeem']>) =>
  nodes.other.oneTimeCodes.redeem(given);

describe('a one-time code', () => {
  it('has eight digits, and is the same on every node that derives it from the id', async () => {
    const { id, code, linkSecret } = await issue();
    expect(code).toMatch(/^\d{8}$/);
    expect(linkSecret).toMatch(/^[\w-]{43}$/);
    expect(nodes.other.oneTimeCodes.secretsOf(id)).toEqual({ code, linkSecret });
    const codes = Array.from({ length: 500 }, (_, n) => nodes.one.oneTimeCodes.secretsOf(`mail_${n}`));
    expect(codes.filter((one) => !/^\d{8}$/.test(one.code))).toEqual([]);
    expect(new Set(codes.map((one) => one.code)).size).toBeGreaterThan(490);
    expect(new Set(codes.map((one) => one.linkSecret)).size).toBe(500);
  });

  it('cannot be derived without the secret that the nodes share', async () => {
    const strangers = await openNodes({ oneTimeCodesSecret: 'another-secret' });
    const { id, code, linkSecret } = await issue();
    const derived = strangers.one.oneTimeCodes.secretsOf(id);
    expect(derived.code).not.toBe(code);
    expect(derived.linkSecret).not.toBe(linkSecret);
    await strangers.close();
  });

  it('is in no table, and neither is its link', async () => {
    const { code, linkSecret, nonce } = await issue();
    const dump = await nodes.dump();
    const hex = (text: string): string => Buffer.from(text).toString('hex');
    const asBytes = Buffer.from(linkSecret, 'base64url').toString('hex');
    for (const secret of [code, linkSecret, nonce, hex(code), asBytes]) expect(dump).not.toContain(secret);
  });

  it('is redeemed once, also when it is typed with spaces', async () => {
    const { byCode, code, subject } = await issue();
    const spaced = { ...byCode, code: ` ${code.slice(0, 4)} ${code.slice(4)}` };
    expect(await redeem(spaced)).toEqual({ kind: 'redeemed', subject, sameBrowser: true });
    expect(await redeem(byCode)).toEqual({ kind: 'used_up' });
  });

  it.each(['byCode', 'byLink'] as const)('is redeemed by one of fifty requests on two nodes (%s)', async (way) => {
    const issued = await issue();
    const results = await onBoth(nodes, 50, ({ oneTimeCodes }) => oneTimeCodes.redeem(issued[way]));
    expect(results.filter(({ kind }) => kind === 'redeemed')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'used_up')).toHaveLength(49);
  });

  it('is either typed or followed, and not both', async () => {
    const { byCode, byLink } = await issue();
    expect(await redeem(byLink)).toMatchObject({ kind: 'redeemed' });
    expect(await redeem(byCode)).toEqual({ kind: 'used_up' });
  });

  it('may be tried five times', async () => {
    const { byCode, code } = await issue();
    for (const triesLeft of [4, 3, 2, 1, 0]) {
      expect(await redeem({ ...byCode, code: other(code) })).toEqual({ kind: 'wrong', triesLeft });
    }
    expect(await redeem(byCode)).toEqual({ kind: 'used_up' });
  });

  it('may be tried five times by fifty requests on two nodes', async () => {
    const { byCode, code } = await issue();
    const results = await onBoth(nodes, 50, ({ oneTimeCodes }) =>
      oneTimeCodes.redeem({ ...byCode, code: other(code) }),
    );
    const left = results.flatMap((result) => (result.kind === 'wrong' ? [result.triesLeft] : []));
    expect(left.toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect(results.filter(({ kind }) => kind === 'used_up')).toHaveLength(45);
  });

  it('ends after ten minutes, or after the time that it was issued for', async () => {
    const [usual, long] = [await issue(), await issue('undo_change', { ttlMs: 7 * DAY_MS })];
    nodes.forward(10 * MINUTE_MS - 1);
    expect(await redeem({ ...usual.byCode, code: other(usual.code) })).toMatchObject({ kind: 'wrong' });
    nodes.forward(1);
    expect(await redeem(usual.byCode)).toEqual({ kind: 'expired' });
    expect(await redeem(usual.byLink)).toEqual({ kind: 'expired' });
    nodes.forward(6 * DAY_MS);
    expect(await redeem(long.byLink)).toMatchObject({ kind: 'redeemed' });
  });

  it('is refused for another purpose and another id', async () => {
    const [one, two] = [await issue('sign_in'), await issue('sign_in')];
    expect(await redeem({ ...one.byLink, purpose: 'change_address' })).toEqual({ kind: 'expired' });
    expect(await redeem({ ...one.byCode, purpose: 'verify_address' })).toEqual({ kind: 'expired' });
    expect(await redeem({ ...one.byLink, linkSecret: two.linkSecret })).toMatchObject({ kind: 'wrong' });
    expect(await redeem({ ...one.byCode, code: two.code })).toMatchObject({ kind: 'wrong' });
    expect(await redeem({ ...one.byLink, id: 'mail_unknown' })).toEqual({ kind: 'expired' });
    expect(await redeem(one.byCode)).toMatchObject({ kind: 'redeemed' });
  });

  it('is deleted a day after its end', async () => {
    const { id } = await issue();
    const rows = () => query(nodes.url, 'select id from one_time_codes where id = $1', [id]);
    nodes.forward(10 * MINUTE_MS);
    await nodes.one.oneTimeCodes.deleteExpired();
    expect(await rows()).toHaveLength(1);
    nodes.forward(DAY_MS);
    expect(await nodes.one.oneTimeCodes.deleteExpired()).toBeGreaterThan(0);
    expect(await rows()).toEqual([]);
  });
});

describe('a mail with a code', () => {
  const isOpen = (id: string) => nodes.other.oneTimeCodes.isOpen(id);

  it('is obsolete once the code is redeemed, revoked, replaced or ended', async () => {
    const [redeemed, revoked, replaced] = [await issue(), await issue(), await issue('change_address')];
    for (const { id } of [redeemed, revoked, replaced]) expect(await isOpen(id)).toBe(true);
    await redeem(redeemed.byCode);
    await nodes.one.oneTimeCodes.revoke(revoked.subject, 'sign_in');
    const newest = await issue('change_address', { subject: replaced.subject });
    for (const { id } of [redeemed, revoked, replaced]) expect(await isOpen(id)).toBe(false);
    expect(await isOpen(newest.id)).toBe(true);
    nodes.forward(10 * MINUTE_MS);
    expect(await isOpen(newest.id)).toBe(false);
    expect(await isOpen('mail_unknown')).toBe(false);
  });
});

describe('the browser that asked', () => {
  it('is the only one in which the code may be typed, and a try elsewhere costs nothing', async () => {
    const { byCode, code } = await issue();
    const strangers = [randomUUID(), undefined, ''];
    for (const nonce of [...strangers, ...strangers]) {
      expect(await redeem({ ...byCode, nonce })).toEqual({ kind: 'expired' });
      expect(await redeem({ ...byCode, nonce, code: other(code) })).toEqual({ kind: 'expired' });
    }
    expect(await redeem({ ...byCode, code: other(code) })).toEqual({ kind: 'wrong', triesLeft: 4 });
    expect(await redeem(byCode)).toMatchObject({ kind: 'redeemed' });
  });

  it('is distinguished from others that follow the link', async () => {
    const [here, there] = [await issue('verify_address'), await issue('verify_address')];
    expect(await redeem(here.byLink)).toMatchObject({ kind: 'redeemed', sameBrowser: true });
    expect(await redeem({ ...there.byLink, nonce: randomUUID() })).toEqual({
      ...{ kind: 'redeemed', subject: there.subject, sameBrowser: false },
    });
  });

  it('can make its own code invalid by five tries, and not the link in the mail', async () => {
    const { byCode, byLink, code, linkSecret } = await issue();
    for (let n = 0; n < 5; n++) await redeem({ ...byCode, code: other(code) });
    for (let n = 0; n < 10; n++) {
      expect(await redeem({ ...byLink, linkSecret: `${linkSecret}x` })).toEqual({ kind: 'wrong', triesLeft: 0 });
    }
    expect(await redeem(byLink)).toMatchObject({ kind: 'redeemed' });
  });

  it('is not needed if no browser asked', async () => {
    const subject = nodes.person();
    const code = { purpose: 'invite', id: `mail_${randomUUID()}` } as const;
    await nodes.one.oneTimeCodes.issue({ ...code, subject });
    const secrets = nodes.one.oneTimeCodes.secretsOf(code.id);
    const given = { ...code, code: secrets.code };
    expect(await redeem(given)).toEqual({ kind: 'redeemed', subject, sameBrowser: false });
  });
});

describe('a newer code', () => {
  it('replaces the older of the same purpose and subject, with tries of its own', async () => {
    const older = await issue('change_address');
    await redeem({ ...older.byCode, code: other(older.code) });
    const newer = await issue('change_address', { subject: older.subject });
    const elsewhere = await issue('undo_change', { subject: older.subject });
    expect(await redeem(older.byCode)).toEqual({ kind: 'expired' });
    expect(await redeem(older.byLink)).toEqual({ kind: 'expired' });
    expect(await redeem({ ...newer.byCode, code: other(newer.code) })).toEqual({ kind: 'wrong', triesLeft: 4 });
    expect(await redeem(newer.byCode)).toMatchObject({ kind: 'redeemed' });
    expect(await redeem(elsewhere.byLink)).toMatchObject({ kind: 'redeemed' });
  });

  it('for sign-in replaces only that of the same browser, so that strangers cannot keep a person out', async () => {
    const mine = await issue('sign_in');
    const again = await issue('sign_in', { subject: mine.subject, nonce: mine.nonce });
    await issue('sign_in', { subject: mine.subject });
    expect(await redeem(mine.byCode)).toEqual({ kind: 'expired' });
    expect(await redeem(again.byCode)).toMatchObject({ kind: 'redeemed' });
  });

  it('is one also when many are issued at once', async () => {
    const subject = nodes.person();
    const ids = Array.from({ length: 20 }, () => `mail_${randomUUID()}`);
    const rest = [...ids];
    await onBoth(nodes, ids.length, ({ oneTimeCodes }) =>
      oneTimeCodes.issue({ purpose: 'verify_address', subject, id: rest.pop() ?? '' }),
    );
    const redeemed = await Promise.all(
      ids.map((id) => redeem({ purpose: 'verify_address', id, ...nodes.one.oneTimeCodes.secretsOf(id) })),
    );
    expect(redeemed.filter(({ kind }) => kind === 'redeemed')).toHaveLength(1);
  });
});

describe('a code that is issued again', () => {
  it('is the same code: neither tries nor time begin anew', async () => {
    const { byCode, code, ...issued } = await issue();
    await redeem({ ...byCode, code: other(code) });
    nodes.forward(5 * MINUTE_MS);
    const again = { purpose: 'sign_in', ...issued } as const;
    await onBoth(nodes, 10, ({ oneTimeCodes }) => oneTimeCodes.issue(again));
    expect(await redeem({ ...byCode, code: other(code) })).toEqual({ kind: 'wrong', triesLeft: 3 });
    nodes.forward(5 * MINUTE_MS);
    expect(await redeem(byCode)).toEqual({ kind: 'expired' });
  });

  it('does not become redeemable again', async () => {
    const { byCode, ...issued } = await issue();
    expect(await redeem(byCode)).toMatchObject({ kind: 'redeemed' });
    await nodes.one.oneTimeCodes.issue({ purpose: 'sign_in', ...issued });
    expect(await redeem(byCode)).toEqual({ kind: 'used_up' });
  });

  it('may be issued at the same time on two nodes', async () => {
    const code = { purpose: 'sign_in', subject: nodes.person(), id: `mail_${randomUUID()}`, nonce: 'n' } as const;
    await onBoth(nodes, 20, ({ oneTimeCodes }) => oneTimeCodes.issue(code));
    expect(await redeem({ ...code, ...nodes.one.oneTimeCodes.secretsOf(code.id) })).toMatchObject({ kind: 'redeemed' });
  });
});

it('the open codes of a subject are revoked by purpose', async () => {
  const signIn = await issue('sign_in');
  const undo = await issue('undo_change', { subject: signIn.subject });
  await nodes.one.oneTimeCodes.revoke(signIn.subject, 'sign_in', 'change_address');
  expect(await redeem(signIn.byCode)).toEqual({ kind: 'expired' });
  expect(await redeem(signIn.byLink)).toEqual({ kind: 'expired' });
  expect(await redeem(undo.byLink)).toMatchObject({ kind: 'redeemed' });
});

describe('the check of a link', () => {
  const check = (purpose: CodePurpose, id: string, linkSecret: string) =>
    nodes.other.oneTimeCodes.check({ purpose, id, linkSecret });

  it('redeems nothing, and finds a link also after it was redeemed', async () => {
    const { id, subject, linkSecret, byLink } = await issue('undo_change');
    const valid = { kind: 'valid', subject };
    expect(await check('undo_change', id, linkSecret)).toEqual(valid);
    expect(await redeem(byLink)).toMatchObject({ kind: 'redeemed' });
    expect(await check('undo_change', id, linkSecret)).toEqual(valid);
  });

  it('finds no link with another secret or of another purpose, and none that has ended', async () => {
    const { id, linkSecret } = await issue('undo_change');
    expect(await check('undo_change', id, `${linkSecret}x`)).toMatchObject({ kind: 'wrong' });
    expect(await check('sign_in', id, linkSecret)).toEqual({ kind: 'expired' });
    nodes.forward(10 * MINUTE_MS);
    expect(await check('undo_change', id, linkSecret)).toEqual({ kind: 'expired' });
  });
});
