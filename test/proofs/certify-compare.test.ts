import { describe, expect, it } from 'vitest';
import { certificate, isCertified } from '../../proofs/certify/certificate.ts';
import { compare, type Findings } from '../../proofs/certify/compare.ts';
import type { Acknowledged } from '../../proofs/certify/record.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { customer, drawn, keyRevoked, released, reserved, settled, toppedUp } from '../domain/account/examples.ts';

const ADA = 'acc_ada';
/** A grant of 100, and a request that held 60 of it and cost 50. */
const history: readonly AccountEvent[] = [
  ...customer,
  toppedUp(100n),
  reserved(60n),
  settled(50, { held: 60n, charged: 50n, released: 10n, drawn: [drawn(50n)] }),
  keyRevoked(),
];

const completion: Acknowledged = {
  what: 'completion',
  accountId: ADA,
  generationId: 'req_1',
  costUsd: '0.00000005',
};
const grant: Acknowledged = { what: 'grant', accountId: ADA, reason: 'welcome', usd: '0.0000001' };
const key: Acknowledged = { what: 'key', accountId: ADA, name: 'laptop', keyId: 'key_1' };
const revocation: Acknowledged = { what: 'revocation', accountId: ADA, keyId: 'key_1' };
const all = [completion, grant, key, revocation];

const found = (record: readonly Acknowledged[], events: readonly AccountEvent[], accountId = ADA): Findings =>
  compare(record, new Map([[accountId, events]])).findings;
const nothing: Findings = { lost: [], doubled: [], differing: [], openHolds: [], broken: [] };
const without = (type: AccountEvent['type']): readonly AccountEvent[] => history.filter((event) => event.type !== type);

describe('a log that says what was acknowledged', () => {
  it('is found in order', () => expect(found(all, history)).toEqual(nothing));

  it('may say more, for an answer can be lost on its way', () => expect(found([], history)).toEqual(nothing));
});

describe('what was acknowledged and is not in the log', () => {
  it.each([
    ['HoldSettled', completion],
    ['CreditsToppedUp', grant],
    ['KeyIssued', key],
    ['KeyRevoked', revocation],
  ] as const)('is lost where %s is missing', (type, acknowledged) => {
    expect(found([acknowledged], without(type)).lost).toEqual([JSON.stringify(acknowledged)]);
  });

  it('is lost where a crash took the end of the log', () => {
    expect(found(all, history.slice(0, -2))).toMatchObject({
      lost: [JSON.stringify(completion), JSON.stringify(revocation)],
      openHolds: ['acc_ada: req_1'],
    });
  });

  it('is lost where another account has it', () => {
    expect(found(all, history, 'acc_eve').lost).toHaveLength(all.length);
  });
});

describe('what is in the log twice', () => {
  it.each([
    ['a charge', 5, 'charges: acc_ada req_1 is in the log 2 times'],
    ['a key', 2, 'keys: acc_ada laptop is in the log 2 times'],
    ['a revocation', 6, 'revocations: acc_ada key_1 is in the log 2 times'],
  ])('is doubled, were it %s', (_, n, what) => {
    expect(found(all, [...history, ...history.slice(n, n + 1)]).doubled).toEqual([what]);
  });

  it('is doubled, were it a grant of another lot, or one that nobody acknowledged', () => {
    const twice = [...history, toppedUp(100n, 'lot_2')];
    const what = 'grants: acc_ada welcome is in the log 2 times';
    expect(found(all, twice)).toEqual({ ...nothing, doubled: [what] });
    expect(found([], twice)).toEqual({ ...nothing, doubled: [what] });
  });

  it('breaks the books as well, were it a settlement', () => {
    const [broken] = found(all, [...history, ...history.slice(5, 6)]).broken;
    expect(broken).toContain('acc_ada: BrokenBooks: a hold ends once');
  });
});

describe('what the log says otherwise', () => {
  it.each([
    [{ ...completion, costUsd: '0.000000051' }, '0.00000005'],
    [{ ...grant, usd: '0.0000002' }, '0.0000001'],
    [{ ...key, keyId: 'key_2' }, 'key_1'],
  ])('differs: %j', (acknowledged, logged) => {
    expect(found([acknowledged], history)).toEqual({
      ...nothing,
      differing: [`${JSON.stringify(acknowledged)}, but the log says ${logged}`],
    });
  });
});

describe('a hold', () => {
  it('that has not ended is found', () => {
    const open = [...history.slice(0, 6), reserved(40n, 'req_2')];
    expect(found([], open)).toEqual({ ...nothing, openHolds: ['acc_ada: req_2'] });
    expect(found([], [...open, released(40n, 'req_2')])).toEqual(nothing);
  });
});

describe('the certificate', () => {
  const proofOf = (findings: Findings) => ({
    seed: 7,
    kills: {
      kills: ['gateway', 'session', 'gateway'] as const,
      nodes: 3,
      asked: 9,
      acknowledged: all,
      recordFile: 'record',
      findings,
      checks: 1,
      events: 8,
      charges: 1,
      orphans: 0,
      settledMs: 1234,
      answers: new Map([['200', 9]]),
      longestGapMs: 321,
    },
    diskFull: 'mount: permission denied',
  });

  it('says what was done, and what was not', () => {
    const proof = proofOf(nothing);
    expect(isCertified(proof)).toBe(true);
    const text = certificate(proof);
    expect(text).toContain('seed 7');
    expect(text).toContain('3: 2 × a gateway, 1 × the process of PostgreSQL that appends');
    expect(text).toMatch(/^disk full +SKIPPED, .*: mount: permission denied$/m);
    expect(text).toMatch(/^lost +0$/m);
    expect(text).toMatch(/\nCERTIFIED$/);
  });

  it.each(['lost', 'doubled', 'differing', 'openHolds', 'broken'] as const)(
    'is refused where something is %s',
    (sort) => {
      const proof = proofOf({ ...nothing, [sort]: ['such and such'] });
      expect(isCertified(proof)).toBe(false);
      expect(certificate(proof)).toMatch(/ 1\n[^]*: such and such\nNOT CERTIFIED$/);
    },
  );

  it('is refused where a full disk was not told of', () => {
    const checked = { findings: nothing, settledMs: 0, events: 1, charges: 0, orphans: 0 };
    const diskFull = { acknowledged: [], recordFile: 'record', broken: ['not told'], checked, recoveredMs: 1 };
    expect(isCertified({ ...proofOf(nothing), diskFull })).toBe(false);
  });
});
