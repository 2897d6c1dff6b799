import { describe, expect, it } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import type { ApprovalEvent } from '../../src/domain/approvals/approvals.ts';
import type { InvitationEvent } from '../../src/domain/identity/invitations.ts';
import type { PriceEntry, PriceEvent } from '../../src/domain/prices/events.ts';
import { linesOf } from '../../src/domain/prices/lines.ts';
import { createKeyOwners } from '../../src/projections/views/key-owners.ts';
import { createOpenMatters } from '../../src/projections/views/open-matters.ts';
import { createPriceList } from '../../src/projections/views/price-list.ts';
import {
  closed,
  duplicateDismissed,
  duplicateSuspected,
  keyIssued,
  keyRehashed,
  keyRevoked,
  limitsSet,
  rates,
  registered,
  toppedUp,
} from '../domain/account/examples.ts';
import { createLog } from './log.ts';

describe('open matters', () => {
  const invited = (accountId: string | null, until = 10): InvitationEvent => ({
    ...{ type: 'PersonInvited', personal: 'v1.c2VhbGVk', by: 'admin', until },
    to: accountId === null ? { kind: 'staff', role: 'owner' } : { kind: 'member', accountId, role: 'owner' },
  });
  const asked = (until: number): ApprovalEvent => ({
    ...{ type: 'ApprovalAsked', act: { kind: 'grant', accountId: 'acc_1', amount: 1n }, reason: 'x' },
    ...{ by: 'admin', personId: null, until },
  });

  it('are invitations by account until they are accepted, revoked or over', async () => {
    const log = createLog();
    for (const id of ['inv_1', 'inv_2', 'inv_3']) await log.append(`invitation-${id}`, invited('acc_1'));
    await log.append('invitation-inv_4', invited('acc_1', 5));
    await log.append('invitation-inv_5', invited('acc_2'));
    await log.append('invitation-inv_6', invited(null));
    await log.append('invitation-inv_2', { type: 'InvitationAccepted', personId: 'per_1' });
    await log.append('invitation-inv_3', { type: 'InvitationRevoked', reason: 'typo' });
    const open = createOpenMatters();
    expect(open.apply(await log.recorded(), 8, 0)).toBe(8);
    expect(open.invitations('acc_1', new Date(4))).toEqual(['inv_1', 'inv_4']);
    expect(open.invitations('acc_1', new Date(5))).toEqual(['inv_1']);
    expect(open.invitations(null, new Date(5))).toEqual(['inv_6']);
  });

  it('are approvals until they are given, refused or over', async () => {
    const log = createLog();
    for (const id of ['app_1', 'app_2', 'app_3']) await log.append(`approval-${id}`, asked(10));
    await log.append('approval-app_1', { type: 'ApprovalGiven', personId: 'per_1' });
    await log.append('approval-app_2', { type: 'ActApproved', personId: 'per_1' });
    await log.append('approval-app_3', { type: 'ApprovalRefused', personId: 'per_1', reason: 'no' });
    const open = createOpenMatters();
    await open.apply(await log.recorded(), 6, 0);
    expect(open.approvals(new Date(9))).toEqual(['app_1']);
    expect(open.approvals(new Date(10))).toEqual([]);
  });

  it('are suspected duplicates, the newest first, until they are dismissed or the newer account is closed', async () => {
    const log = createLog();
    await log.append(accountStream('acc_2'), registered, duplicateSuspected('acc_1'));
    await log.append(accountStream('acc_3'), registered, duplicateSuspected('acc_1'), duplicateSuspected('acc_2'));
    await log.append(accountStream('acc_4'), registered, duplicateSuspected('acc_1'));
    await log.append(accountStream('acc_3'), duplicateDismissed('acc_1'));
    const pairs = () => open.duplicates().map(({ accountId, other }) => [accountId, other]);
    const open = createOpenMatters();
    await open.apply(await log.recorded(), 8, 0);
    expect(pairs()).toEqual([
      ['acc_4', 'acc_1'],
      ['acc_3', 'acc_2'],
      ['acc_2', 'acc_1'],
    ]);
    expect(open.duplicates()[0]).toMatchObject({
      signal: 'same_name_and_domain',
      suspectedAt: expect.any(Date) as Date,
    });
    await log.append(accountStream('acc_4'), closed());
    await log.append(accountStream('acc_1'), closed());
    await open.apply(await log.recorded(), 10, 8);
    expect(pairs()).toEqual([
      ['acc_3', 'acc_2'],
      ['acc_2', 'acc_1'],
    ]);
  });
});

describe('key owners', () => {
  it('are found by the hash of a key, revoked ones too', async () => {
    const log = createLog();
    await log.append(accountStream('acc_1'), registered, keyIssued('key_1'), keyIssued('key_2'));
    await log.append(accountStream('acc_2'), registered, keyIssued('key_3'));
    await log.append(accountStream('acc_1'), keyRevoked('key_1'));
    const owners = createKeyOwners();
    expect(owners.apply(await log.recorded(), 6, 0)).toBe(6);
    expect(owners.find('hash of key_1')).toEqual({
      accountId: 'acc_1',
      keyId: 'key_1',
      revoked: true,
      expiresAtMs: null,
      pepperIds: ['pepper_1'],
    });
    expect(owners.find('hash of key_2')).toEqual({
      accountId: 'acc_1',
      keyId: 'key_2',
      revoked: false,
      expiresAtMs: null,
      pepperIds: ['pepper_1'],
    });
    expect(owners.find('hash of key_3')).toEqual({
      accountId: 'acc_2',
      keyId: 'key_3',
      revoked: false,
      expiresAtMs: null,
      pepperIds: ['pepper_1'],
    });
    expect(owners.find('hash of key_4')).toBeUndefined();
  });

  it('know when a key expires, as it was set last', async () => {
    const log = createLog();
    const expiresAt = '2027-01-01T00:00:00.000Z';
    await log.append(
      accountStream('acc_1'),
      ...[registered, keyIssued('key_1'), keyIssued('key_2'), keyIssued('key_3')],
      ...[limitsSet({ expiresAt }), limitsSet({ expiresAt }, 'key_2'), limitsSet({ expiresAt }, 'key_3')],
      ...[limitsSet({ requestsPerMinute: 1 }, 'key_2'), keyRevoked('key_3')],
    );
    const owners = createKeyOwners();
    await owners.apply(await log.recorded(), 9, 0);
    const expiresAtMs = Date.parse(expiresAt);
    expect(owners.find('hash of key_1')).toMatchObject({ revoked: false, expiresAtMs });
    expect(owners.find('hash of key_2')).toMatchObject({ revoked: false, expiresAtMs: null });
    expect(owners.find('hash of key_3')).toMatchObject({ revoked: true, expiresAtMs });
  });

  it('are found by every hash of a key, and revoked under all of them', async () => {
    const log = createLog();
    await log.append(accountStream('acc_1'), registered, keyIssued('key_1'), keyRehashed('pepper_2'));
    const owners = createKeyOwners();
    await owners.apply(await log.recorded(), 3, 0);
    const [before, after] = [owners.find('hash of key_1'), owners.find('pepper_2 hash of key_1')];
    expect(before).toMatchObject({ keyId: 'key_1', pepperIds: ['pepper_1', 'pepper_2'] });
    expect(after).toEqual(before);
    await log.append(accountStream('acc_1'), keyRevoked());
    await owners.apply(await log.recorded(), 4, 3);
    for (const hash of ['hash of key_1', 'pepper_2 hash of key_1']) expect(owners.find(hash)?.revoked).toBe(true);
  });

  it('do not mix up keys of two accounts that have the same id', async () => {
    const log = createLog();
    const other = { ...keyIssued('key_1'), hash: 'hash of another' };
    await log.append(accountStream('acc_1'), registered, keyIssued('key_1'));
    await log.append(accountStream('acc_2'), registered, other, keyRevoked('key_1'));
    const owners = createKeyOwners();
    await owners.apply(await log.recorded(), 5, 0);
    expect(owners.find('hash of key_1')).toMatchObject({ accountId: 'acc_1', revoked: false });
    expect(owners.find('hash of another')).toMatchObject({ accountId: 'acc_2', revoked: true });
  });

  it('are counted by the pepper that they depend on, unless they were revoked or have expired', async () => {
    const log = createLog();
    await log.append(
      accountStream('acc_1'),
      ...[registered, keyIssued('key_1'), keyIssued('key_2'), keyIssued('key_3'), keyIssued('key_4')],
      ...[keyRehashed('pepper_2', 'key_1'), keyRevoked('key_3')],
      ...[limitsSet({ expiresAt: '2027-01-01T00:00:00.000Z' }, 'key_4')],
    );
    const owners = createKeyOwners();
    await owners.apply(await log.recorded(), 8, 0);
    const counted = (ids: readonly string[], at: string) =>
      [...owners.byPepper(ids, new Date(at))].map(([id, keys]) => [id, keys.map(({ keyId }) => keyId)]);
    expect(counted(['pepper_2', 'pepper_1'], '2026-12-31')).toEqual([
      ['pepper_2', ['key_1']],
      ['pepper_1', ['key_2', 'key_4']],
    ]);
    // To a node that accepts the old pepper alone, all of them are keys of that one; to a node of none they are not.
    expect(counted(['pepper_1'], '2027-01-01')).toEqual([['pepper_1', ['key_1', 'key_2']]]);
    expect(counted(['pepper_3'], '2027-01-01')).toEqual([
      ['pepper_3', []],
      ['pepper_2', ['key_1']],
      ['pepper_1', ['key_2']],
    ]);
  });

  it('are not brought back to life by a batch that comes twice', async () => {
    const log = createLog();
    await log.append(accountStream('acc_1'), registered, keyIssued(), keyRevoked());
    const owners = createKeyOwners();
    const events = await log.recorded();
    await owners.apply(events, 3, 0);
    await owners.apply(events.slice(0, 2), 2, 0);
    expect(owners.find('hash of key_1')?.revoked).toBe(true);
    expect(owners.position()).toBe(3);
  });

  it('are as far as the batch, though nothing in it was about keys', async () => {
    const log = createLog();
    await log.append(accountStream('acc_1'), registered, toppedUp(1n));
    const owners = createKeyOwners();
    await owners.apply([], 2, 0);
    expect(owners.position()).toBe(2);
    expect([...(owners.types ?? [])]).toEqual(['KeyIssued', 'KeyRehashed', 'KeyRevoked', 'KeyLimitsSet']);
  });
});

describe('the price list', () => {
  const entry: PriceEntry = {
    ...{
      model: 'm',
      kind: 'chat',
      ownedBy: 'o',
      upstream: 'u',
      upstreamModel: 'm',
      lines: linesOf(rates),
      cost: null,
      source: 's',
      asOf: '2026-01-01',
    },
    ...{ contextTokens: 100, maxOutputTokens: 10 },
  };
  const listed = (version: number, effectiveFrom: string, of: Partial<PriceEntry> = {}): PriceEvent => ({
    ...{ type: 'PriceListed', version, effectiveFrom: new Date(effectiveFrom), entry: { ...entry, ...of } },
  });

  it('knows the price in force at a moment, and none before the first', async () => {
    const log = createLog();
    await log.append(
      'prices',
      listed(1, '2026-01-01'),
      listed(2, '2026-02-01'),
      listed(1, '2026-03-01', { model: 'n' }),
    );
    const prices = createPriceList();
    const events = await log.recorded();
    await prices.apply(events, 3, 0);
    await prices.apply(events, 3, 0);
    const versionAt = (moment: string) => prices.find('m', new Date(moment))?.version;
    expect(versionAt('2025-12-31T23:59:59.999Z')).toBeUndefined();
    expect(versionAt('2026-01-01')).toBe(1);
    expect(versionAt('2026-01-31T23:59:59.999Z')).toBe(1);
    expect(versionAt('2026-02-01')).toBe(2);
    expect(prices.all(new Date('2026-02-15')).map(({ model, version }) => [model, version])).toEqual([['m', 2]]);
    expect(prices.all(new Date('2026-03-01')).map(({ model }) => model)).toEqual(['m', 'n']);
    expect(prices.position()).toBe(3);
  });
});
