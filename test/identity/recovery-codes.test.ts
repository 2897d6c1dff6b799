import { afterAll, beforeAll, expect, it } from 'vitest';
import { onBoth, openNodes, type Nodes } from './nodes.ts';

let nodes: Nodes;
beforeAll(async () => void (nodes = await openNodes()));
afterAll(() => nodes.close());

const withCodes = async () => {
  const personId = nodes.person();
  const codes = await nodes.one.recoveryCodes.renew(personId);
  return { personId, codes, first: codes[0] ?? '' };
};

it('recovery codes are ten, different, and in no table', async () => {
  const { personId, codes } = await withCodes();
  expect(codes).toHaveLength(10);
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
  expect(await nodes.other.recoveryCodes.count(personId)).toBe(10);
  const dump = await nodes.dump();
  for (const code of codes) {
    expect(dump).not.toContain(code);
    expect(dump).not.toContain(code.replaceAll('-', ''));
  }
});

it('a recovery code is accepted once, by its person only', async () => {
  const { personId, first } = await withCodes();
  const { personId: stranger } = await withCodes();
  expect(await nodes.one.recoveryCodes.redeem(stranger, first)).toBe(false);
  expect(await nodes.one.recoveryCodes.redeem(personId, first)).toBe(true);
  expect(await nodes.other.recoveryCodes.redeem(personId, first)).toBe(false);
  expect(await nodes.other.recoveryCodes.count(personId)).toBe(9);
});

it('a recovery code is accepted by one of fifty requests on two nodes', async () => {
  const { personId, first } = await withCodes();
  const results = await onBoth(nodes, 50, ({ recoveryCodes }) => recoveryCodes.redeem(personId, first));
  expect(results.filter(Boolean)).toHaveLength(1);
});

it('a recovery code may be typed in small letters, without dashes, and with letters that look like digits', async () => {
  const { personId, codes } = await withCodes();
  for (const code of codes) {
    const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l');
    expect(await nodes.one.recoveryCodes.redeem(personId, typed)).toBe(true);
  }
});

it('new recovery codes make the earlier ones invalid, also if two are asked for at once', async () => {
  const { personId, first } = await withCodes();
  const sets = await onBoth(nodes, 6, ({ recoveryCodes }) => recoveryCodes.renew(personId));
  expect(await nodes.one.recoveryCodes.redeem(personId, first)).toBe(false);
  expect(await nodes.one.recoveryCodes.count(personId)).toBe(10);
  const accepted: boolean[] = [];
  for (const codes of sets) accepted.push(await nodes.one.recoveryCodes.redeem(personId, codes[3] ?? ''));
  expect(accepted.filter(Boolean)).toHaveLength(1);
});
