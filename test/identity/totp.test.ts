import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DestroyedKey } from '../../src/eventstore/secrets/data-keys.ts';
import { query } from '../support/sql.ts';
import { onBoth, openNodes, type Nodes } from './nodes.ts';

let nodes: Nodes;
beforeAll(async () => void (nodes = await openNodes()));
afterAll(() => nodes.close());

const STEP_MS = 30_000;
/** What an authenticator app shows now, or some steps before or after. */
const codeOf = (secret: string, steps = 0): string =>
  generateSync({ secret, epoch: Math.floor((nodes.now().getTime() + steps * STEP_MS) / 1000) });
const wrong = (code: string): string => `${(Number(code[0]) + 1) % 10}${code.slice(1)}`;

const enrolled = async () => {
  const personId = nodes.person();
  const { secret } = await nodes.one.totp.enrol(personId, 'anna@example.com');
  expect(await nodes.one.totp.confirm(personId, codeOf(secret))).toBe(true);
  nodes.forward(STEP_MS);
  return { personId, secret };
};

describe('a TOTP seed', () => {
  it('has 160 bits, and is given with a URI for an authenticator app', async () => {
    const { secret, uri } = await nodes.one.totp.enrol(nodes.person(), 'anna@example.com');
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const { protocol, host, pathname, searchParams } = new URL(uri);
    expect([protocol, host, decodeURIComponent(pathname)]).toEqual(['otpauth:', 'totp', '/KissAPI:anna@example.com']);
    expect([searchParams.get('secret'), searchParams.get('issuer')]).toEqual([secret, 'KissAPI']);
  });

  it('counts only once a code of it has confirmed it', async () => {
    const personId = nodes.person();
    const { secret } = await nodes.one.totp.enrol(personId, 'label');
    expect(await nodes.one.totp.isEnrolled(personId)).toBe(false);
    expect(await nodes.one.totp.verify(personId, codeOf(secret))).toEqual({ kind: 'not_enrolled' });
    expect(await nodes.one.totp.confirm(personId, wrong(codeOf(secret)))).toBe(false);
    expect(await nodes.one.totp.confirm(personId, codeOf(secret))).toBe(true);
    expect(await nodes.other.totp.isEnrolled(personId)).toBe(true);
    expect(await nodes.one.totp.confirm(personId, codeOf(secret, 1))).toBe(false);
  });

  it('remains in force until the next one is confirmed', async () => {
    const { personId, secret } = await enrolled();
    const { secret: next } = await nodes.one.totp.enrol(personId, 'label');
    expect(await nodes.other.totp.verify(personId, codeOf(next))).toEqual({ kind: 'wrong' });
    expect(await nodes.other.totp.verify(personId, codeOf(secret))).toEqual({ kind: 'passed' });
    expect(await nodes.one.totp.confirm(personId, codeOf(next))).toBe(true);
    nodes.forward(STEP_MS);
    expect(await nodes.other.totp.verify(personId, codeOf(secret))).toEqual({ kind: 'wrong' });
    expect(await nodes.other.totp.verify(personId, codeOf(next))).toEqual({ kind: 'passed' });
  });

  it('is sealed for its person: it is not in a dump, cannot be moved, and ends with the data key', async () => {
    const [{ personId, secret }, { personId: stranger }] = [await enrolled(), await enrolled()];
    const [row] = await query<{ sealed: string }>(
      ...([
        nodes.url,
        `select encode(sealed, 'hex') as sealed from totp_seeds where person_id = $1`,
        [personId],
      ] as const),
    );
    expect(row?.sealed).toMatch(/^[0-9a-f]{96}$/);
    const seedHex = decodeBase32(secret).toString('hex');
    const dump = await nodes.dump();
    for (const text of [secret, seedHex]) expect(dump).not.toContain(text);

    await query(nodes.url, `update totp_seeds set sealed = decode($2, 'hex') where person_id = $1`, [
      ...[stranger, row?.sealed],
    ]);
    expect(await nodes.one.totp.verify(stranger, codeOf(secret))).toEqual({ kind: 'not_enrolled' });
    nodes.dataKeys.destroy(personId);
    expect(await nodes.one.totp.verify(personId, codeOf(secret))).toEqual({ kind: 'not_enrolled' });
    await expect(nodes.one.totp.enrol(personId, 'label')).rejects.toBeInstanceOf(DestroyedKey);
  });

  it('is removed', async () => {
    const { personId, secret } = await enrolled();
    expect(await nodes.one.totp.remove(personId)).toBe(true);
    expect(await nodes.one.totp.remove(personId)).toBe(false);
    expect(await nodes.other.totp.verify(personId, codeOf(secret))).toEqual({ kind: 'not_enrolled' });
  });
});

describe('a TOTP code', () => {
  it.each([
    [-2, 'wrong'],
    [-1, 'passed'],
    [0, 'passed'],
    [1, 'passed'],
    [2, 'wrong'],
  ] as const)('of a clock that is off by %i steps is %s', async (steps, kind) => {
    const { personId, secret } = await enrolled();
    nodes.forward(5 * STEP_MS);
    expect(await nodes.one.totp.verify(personId, codeOf(secret, steps))).toEqual({ kind });
  });

  it('is accepted once, and no older one after it', async () => {
    const { personId, secret } = await enrolled();
    nodes.forward(STEP_MS);
    const [before, code] = [codeOf(secret, -1), codeOf(secret)];
    expect(await nodes.one.totp.verify(personId, code)).toEqual({ kind: 'passed' });
    expect(await nodes.other.totp.verify(personId, code)).toEqual({ kind: 'wrong' });
    expect(await nodes.other.totp.verify(personId, before)).toEqual({ kind: 'wrong' });
    nodes.forward(STEP_MS);
    expect(await nodes.other.totp.verify(personId, codeOf(secret))).toEqual({ kind: 'passed' });
  });

  it('is not accepted a second time after it has confirmed the seed', async () => {
    const personId = nodes.person();
    const { secret } = await nodes.one.totp.enrol(personId, 'label');
    const code = codeOf(secret);
    await nodes.one.totp.confirm(personId, code);
    expect(await nodes.one.totp.verify(personId, code)).toEqual({ kind: 'wrong' });
  });

  it('is accepted by one of fifty requests on two nodes', async () => {
    const { personId, secret } = await enrolled();
    const results = await onBoth(nodes, 50, ({ totp }) => totp.verify(personId, codeOf(secret)));
    expect(results.filter(({ kind }) => kind === 'passed')).toHaveLength(1);
  });

  it.each(['', '12345', '1234567', 'abcdef', '１２３４５６', '-12345'])('is wrong if it is "%s"', async (code) => {
    const { personId } = await enrolled();
    expect(await nodes.one.totp.verify(personId, code)).toEqual({ kind: 'wrong' });
  });

  it('agrees with the test vectors of RFC 6238', async () => {
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'; // 12345678901234567890
    for (const [epoch, code] of [
      [59, '287082'],
      [1_111_111_109, '081804'],
      [20_000_000_000, '353130'],
    ] as const) {
      const personId = nodes.person();
      const then = await openNodes({
        now: () => new Date(epoch * 1000),
        dataKeys: nodes.dataKeys,
        randomBytes: () => decodeBase32(secret),
      });
      expect((await then.one.totp.enrol(personId, 'label')).secret).toBe(secret);
      expect(await then.one.totp.confirm(personId, code)).toBe(true);
      await then.close();
    }
  });
});

const decodeBase32 = (text: string): Buffer => {
  const bits = [...text].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
};
