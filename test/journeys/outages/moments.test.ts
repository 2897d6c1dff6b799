import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountStream, evolveAccount, initialAccount } from '../../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand } from '../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { formatUsd } from '../../../src/domain/money.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { journal } from '../../../src/eventstore/journal/codec.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { createVault, readPlain, type PersonalData } from '../../../src/eventstore/journal/personal-data.ts';
import { createDataKeys } from '../../../src/eventstore/secrets/data-keys.ts';
import { secretKey } from '../../../src/eventstore/secrets/sealed-bytes.ts';
import { openLog } from '../../support/stores/log.ts';
import { viewAccount, type AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import { createDatabase, type Database } from '../../../src/projections/database.ts';
import { projections } from '../../../src/projections/rows/live.ts';
import { LIVE } from '../../../src/projections/projection.ts';
import { rebuild } from '../../../src/projections/rebuild/rebuild.ts';
import { digest } from '../../../src/projections/rows/rows.ts';
import { delivery, price, request } from '../../domain/account/examples.ts';
import {
  amountsOfRow,
  checkProjections,
  checkSettledBooks,
  foldHistory,
  isCharge,
  projectionsCaughtUp,
  readHistory,
  type Told,
} from '../../support/events/account-history.ts';
import { createPremises, DATA_KEY, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { SOON } from '../../support/soon.ts';
import { query, terminateSessions } from '../../support/sql.ts';
import { chat, type Wish } from '../../support/traffic.ts';

type Type = AccountEvent['type'];
/** Everything that can happen to an account before it is closed. */
const everyTypeOfLife = {
  AccountRegistered: true,
  TermsAccepted: true,
  AccountSuspended: true,
  AccountReinstated: true,
  ContactChanged: true,
  MemberAdded: true,
  MemberRoleChanged: true,
  MemberRemoved: true,
  TokenCreated: true,
  TokenRevoked: true,
  DuplicateSuspected: true,
  DuplicateDismissed: true,
  KeyLeakReported: true,
  KeyIssued: true,
  KeyRehashed: true,
  KeyRevoked: true,
  KeyLimitsSet: true,
  AccountLimitsSet: true,
  LowBalanceThresholdSet: true,
  BalanceBelowThreshold: true,
  CreditsToppedUp: true,
  CreditsReserved: true,
  HoldExtended: true,
  HoldSettled: true,
  HoldReleased: true,
  LateUsageCharged: true,
  UsageWrittenOff: true,
  LotExpired: true,
  CreditsHeldForRefund: true,
  RefundHoldReleased: true,
  CreditsRefunded: true,
  LotFrozen: true,
  LotUnfrozen: true,
  CreditsChargedBack: true,
  ChargebackReversed: true,
  DebtIncurred: true,
  DebtRepaid: true,
  DebtWrittenOff: true,
  ChargeReversed: true,
  NoticeQueued: true,
  NoticeAnswered: true,
  ResaleAuthorized: true,
  ResaleAuthorizationEnded: true,
  ViolationRecorded: true,
  ContactNoted: true,
  ContactAnswerNoted: true,
} as const;
const everyType = {
  ...everyTypeOfLife,
  AccountTerminated: true,
  AccountClosed: true,
  CreditsForfeited: true,
  CreditsWaived: true,
  PersonalDataErased: true,
} satisfies Record<Type, true>;

let premises: Premises;
let gateway: RunningGateway;
let store: ChainedLog;
let database: Database;
beforeAll(async () => {
  premises = await createPremises();
  gateway = await premises.startGateway();
  store = openLog(premises.databaseUrl);
  database = createDatabase(premises.databaseUrl);
});
afterAll(async () => {
  await store.close();
  await database.$pool.end();
  await premises.close();
});

/** Another node, as far as the log can tell: for what the gateway does not do by itself. */
const onAnotherNode = async (accountId: string, commands: readonly AccountCommand[]): Promise<void> => {
  const committer = createCommitter({ store });
  const accounts = createCommands({ store, committer, codec: journal, decider: accountDecider });
  for (const command of commands) {
    const outcome = await accounts.execute(accountStream(accountId), command, {
      actor: 'test',
      commandId: randomUUID(),
    });
    expect(outcome.kind).toBe('accepted');
  }
  await committer.close();
};

const contactOf = async (accountId: string): Promise<string> => {
  const committer = createCommitter({ store });
  const accounts = createCommands({ store, committer, codec: journal, decider: accountDecider });
  const { state } = await accounts.read(accountStream(accountId));
  await committer.close();
  return state.standing.registration?.personal ?? '';
};

/** As the gateways seal it. */
const seal = async (accountId: string, data: PersonalData): Promise<string> => {
  const keys = createDataKeys(premises.databaseUrl, [{ id: '1', key: secretKey(Buffer.from(DATA_KEY, 'hex')) }]);
  return createVault(keys).seal(accountId, data).finally(keys.close);
};

/** A life with everything in it. */
const liveFully = async (): Promise<string> => {
  const { accountId, apiKey, keyId } = await gateway.openAccount('0.01', 'entity');
  const manage = (path: string, body: unknown): Promise<unknown> =>
    gateway.manage('POST', `/accounts/${accountId}${path}`, body);
  const ask = async (status: number, wish: Wish): Promise<void> =>
    expect((await chat(gateway, apiKey, wish).answer).status).toBe(status);

  await onAnotherNode(accountId, [{ type: 'SetLowBalanceThreshold', amount: 10_000_000n }]);
  await ask(200, { maxTokens: 50 });
  await manage('/grants', { usd: '0.02', reason: 'more' });
  await ask(200, { maxTokens: 50, stream: true });
  await ask(502, { maxTokens: 50, simulate: { status: 500 } });
  await ask(400, { maxTokens: 50, simulate: { status: 400 } });
  await ask(200, { maxTokens: 50, stream: true, simulate: { outputTokens: 40, breakAfter: 9 } });
  await manage('/suspend', { reason: 'looked at' });
  await ask(403, {});
  await manage('/reinstate', { reason: 'all is well' });
  const leaver = chat(gateway, apiKey, { maxTokens: 500, stream: true, simulate: { outputTokens: 500, tokenMs: 20 } });
  await expect.poll(() => leaver.words(), SOON).toBeGreaterThan(1);
  leaver.leave();
  const holds = async (): Promise<unknown> =>
    (await gateway.manage<AccountView>('GET', `/accounts/${accountId}`)).open_holds;
  await expect.poll(holds, SOON).toEqual([]);

  const spare = await gateway.manage<{ key_id: string }>('POST', `/accounts/${accountId}/keys`, { name: 'spare' });
  await gateway.manage('DELETE', `/accounts/${accountId}/keys/${spare.key_id}`);
  await gateway.manage('PUT', `/accounts/${accountId}/limits`, {
    requests_per_minute: 1000,
    spending_usd: { day: '5.00' },
  });
  await gateway.manage('PUT', `/accounts/${accountId}/keys/${keyId}/limits`, {
    concurrent_requests: 10,
    models: ['simulated-chat', price.model],
  });
  const of = (requestId: string) => ({ requestId, keyId });
  const hold = { at: Date.now(), amount: 1000n, runId: 'run_elsewhere', price, request };
  const usage = { input: 7, cachedInput: 0, cacheWrite: 0, output: 5, reasoning: 0 };
  await onAnotherNode(accountId, [
    {
      type: 'ChangeContact',
      from: await contactOf(accountId),
      personal: await seal(accountId, { name: 'Ada Ltd', email: 'office@example.com' }),
    },
    { type: 'AddMember', personId: 'per_1', role: 'owner' },
    { type: 'AddMember', personId: 'per_2', role: 'billing' },
    { type: 'ChangeMemberRole', personId: 'per_2', role: 'developer' },
    { type: 'RemoveMember', personId: 'per_2', reason: 'left' },
    { type: 'CreateToken', tokenId: 'tok_1', by: 'per_1', scopes: ['read'], endsAt: hold.at },
    { type: 'RevokeToken', tokenId: 'tok_1', reason: 'unused' },
    { type: 'SuspectDuplicate', other: 'acc_older', signal: 'same_entity_name' },
    { type: 'DismissDuplicate', other: 'acc_older', reason: 'a branch' },
    { type: 'ReportKeyLeak', keyId: spare.key_id, since: hold.at },
    { type: 'RehashKey', keyId, hash: 'hash', pepperId: '2' },
    { type: 'ReserveCredits', ...of('gen-extended'), ...hold },
    { type: 'ExtendHold', requestId: 'gen-extended', by: 500n, at: hold.at, tokens: 5 },
    { type: 'SettleHold', requestId: 'gen-extended', usage, delivery },
    { type: 'ReserveCredits', ...of('gen-orphaned'), ...hold },
    { type: 'ReleaseHold', requestId: 'gen-orphaned', reason: 'orphaned', detail: 'run run_elsewhere died' },
    { type: 'ChargeLateUsage', ...of('gen-orphaned'), price, usage, delivery },
    ...conductOf(accountId),
  ]);
  await onAnotherNode(accountId, moneyGoesBack(await chargeOf(accountId, 'gen-extended')));
  // Far more than is there: the balance pays what it can.
  await ask(200, { maxTokens: 50, simulate: { promptTokens: 100_000 } });
  return accountId;
};

/** A notice, whose id is its own as those of the gateway are, an authorisation, a violation without consequences and a contact. */
const conductOf = (accountId: string): readonly AccountCommand[] => [
  { type: 'QueueNotice', noticeId: `ntc_${accountId}`, about: { kind: 'price', model: price.model, version: 2 } },
  { type: 'AnswerNotice', noticeId: `ntc_${accountId}`, outcome: 'accepted' },
  { type: 'AuthorizeResale', reason: 'contract' },
  { type: 'EndResaleAuthorization', reason: 'it ended' },
  {
    ...{ type: 'RecordViolation', violationId: 'vio_1', category: 'circumvention', evidence: ['gen-extended'] },
    ...{ consequence: 'warning', reason: 'many keys', forfeit: false },
  },
  { type: 'NoteContact', contactId: 'con_1', topic: 'billing' },
  { type: 'NoteContactAnswer', contactId: 'con_1' },
];

const pay = (lotId: string, amount: bigint): AccountCommand => ({
  ...{ type: 'TopUp', lotId, amount, source: { kind: 'payment', reference: lotId.replace('lot_', 'pay_') } },
});

/** A refund, a dispute that is won, one that is lost and then won, the debt in between, a reversal, and the end of a grant. */
const moneyGoesBack = ({ requestId, charged, drawn }: Charge): readonly AccountCommand[] => {
  const at = Date.now();
  return [
    pay('lot_a', 5_000_000n),
    {
      ...{ type: 'HoldForRefund', reason: 'by_mistake' },
      refunds: [{ refundId: 'ref_1', lotId: 'lot_a', amount: 1_000_000n }],
    },
    { type: 'ReleaseRefundHold', refundId: 'ref_1', reason: 'refused' },
    { type: 'RecordRefund', lotId: 'lot_a', reference: 'tran_1', refundId: null, amount: 1_000_000n },
    { type: 'FreezeLot', lotId: 'lot_a', disputeId: 'disp_1' },
    { type: 'UnfreezeLot', lotId: 'lot_a', disputeId: 'disp_1' },
    pay('lot_b', 2_000_000n),
    { type: 'FreezeLot', lotId: 'lot_b', disputeId: 'disp_2' },
    { type: 'RecordChargeback', lotId: 'lot_b', disputeId: 'disp_2', amount: 3_000_000n },
    { type: 'WriteOffDebt', lotId: 'lot_b', amount: 200_000n, reason: 'too small' },
    pay('lot_c', 600_000n),
    { type: 'ReverseChargeback', lotId: 'lot_b', disputeId: 'disp_2' },
    { type: 'ReverseCharge', requestId, amount: 5n, reason: 'wrong model', charged, drawn, chargedAt: at, at },
    {
      ...{ type: 'TopUp', lotId: 'lot_ending', amount: 1_000_000n, source: { kind: 'grant', reason: 'short' } },
      endsAt: at,
    },
    { type: 'ExpireLots', at },
  ];
};

type Charge = Extract<AccountEvent, { type: 'HoldSettled' }>;
const chargeOf = async (accountId: string, requestId: string): Promise<Charge> => {
  const events = (await readHistory(gateway, accountId)).map(({ event }) => event);
  const charge = events.find((event) => event.type === 'HoldSettled' && event.requestId === requestId);
  if (charge?.type !== 'HoldSettled') throw new Error('It was charged.');
  return charge;
};

const rebuildAll = async () => {
  const rebuilt = [];
  for (const projection of projections) {
    rebuilt.push(await rebuild({ database, store, projection, progress: () => undefined }));
  }
  return rebuilt;
};

const digests = (): Promise<unknown[]> =>
  Promise.all(projections.map((projection) => digest(database, projection, LIVE)));

describe('an account', () => {
  let accountId: string;
  let history: readonly Told[];
  let isErased = false;
  const foldedTo = (revision: number): AccountView => {
    const past = history.slice(0, revision + 1);
    const account = foldHistory(past.map(({ event }) => event));
    const [registeredAt, lastEventAt] = [history[0]?.time, past.at(-1)?.time];
    if (!registeredAt || !lastEventAt) throw new Error('An account begins with an event.');
    const personal = isErased ? undefined : readPlain(accountId, account.standing.registration?.personal ?? '');
    return viewAccount(accountId, { account, revision, registeredAt, lastEventAt }, personal);
  };

  it('has seen everything that can happen', async () => {
    accountId = await liveFully();
    history = await readHistory(gateway, accountId);
    expect(new Set(history.map(({ event }) => event.type))).toEqual(new Set(Object.keys(everyTypeOfLife)));
    await checkSettledBooks(gateway, accountId);
  });

  it('can be read as it was at each revision', async () => {
    for (const { revision } of history) {
      const then = await gateway.manage<AccountView>('GET', `/accounts/${accountId}?revision=${revision}`);
      expect(then).toEqual(foldedTo(revision));
    }
    expect(await gateway.manage('GET', `/accounts/${accountId}`)).toEqual(foldedTo(history.length - 1));
  });

  it('can be read as it was at each moment', async () => {
    for (const { time } of history) {
      for (const at of [time, new Date(time.getTime() - 1)]) {
        const revision = history.findLastIndex((told) => told.time <= at);
        if (revision < 0) continue;
        const then = await gateway.manage('GET', `/accounts/${accountId}?at=${at.toISOString()}`);
        expect(then).toEqual(foldedTo(revision));
      }
    }
    const now = await gateway.manage('GET', `/accounts/${accountId}?at=${new Date().toISOString()}`);
    expect(now).toEqual(foldedTo(history.length - 1));
    const before = new Date((history[0]?.time.getTime() ?? 0) - 1).toISOString();
    await expect(gateway.manage('GET', `/accounts/${accountId}?at=${before}`)).rejects.toThrow('404');
  });

  it('was what it was: what comes later changes no moment of the past', async () => {
    const last = history.length - 1;
    const then = await gateway.manage('GET', `/accounts/${accountId}?revision=${last}`);
    await gateway.manage('POST', `/accounts/${accountId}/grants`, { usd: '1.00', reason: 'later' });
    expect(await gateway.manage('GET', `/accounts/${accountId}?revision=${last}`)).toEqual(then);
    expect(await gateway.manage('GET', `/accounts/${accountId}?revision=0`)).toEqual(foldedTo(0));
  });

  it('is closed while a request is in progress, and erased, and can still be read as it was, without a name', async () => {
    const [keyId = ''] = history.flatMap(({ event }) => (event.type === 'KeyIssued' ? [event.keyId] : []));
    const hold = { at: Date.now(), amount: 700n, runId: 'run_elsewhere', price, request };
    const usage = { input: 7, cachedInput: 0, cacheWrite: 0, output: 5, reasoning: 0 };
    await onAnotherNode(accountId, [
      ...[pay('lot_waived', 1_000_000n), pay('lot_paid', 5_000_000n)],
      { type: 'ReserveCredits', requestId: 'gen-last', keyId, ...hold },
    ]);
    await gateway.manage('POST', `/accounts/${accountId}/close`, { reason: 'asked' });
    await expect(gateway.manage('POST', `/accounts/${accountId}/erase`, { reason: 'asked' })).rejects.toThrow('409');
    await onAnotherNode(accountId, [
      { type: 'SettleHold', requestId: 'gen-last', usage, delivery },
      { type: 'WaiveCredits', lotId: 'lot_waived', reason: 'asked' },
      {
        ...{ type: 'RecordViolation', violationId: 'vio_2', category: 'resale', evidence: [], reason: 'resale' },
        ...{ consequence: 'termination', forfeit: false },
      },
      { type: 'ForfeitCredits', reason: 'resale' },
    ]);
    await gateway.manage('POST', `/accounts/${accountId}/erase`, { reason: 'asked' });
    const first = async (): Promise<string | null> =>
      (await gateway.manage<AccountView>('GET', `/accounts/${accountId}?revision=0`)).name;
    await expect.poll(first, SOON).toBeNull();

    isErased = true;
    history = await readHistory(gateway, accountId);
    expect(new Set(history.map(({ event }) => event.type))).toEqual(new Set(Object.keys(everyType)));
    for (const { revision } of history) {
      expect(await gateway.manage('GET', `/accounts/${accountId}?revision=${revision}`)).toEqual(foldedTo(revision));
    }
    const checked = await checkSettledBooks(gateway, accountId);
    expect(checked.books).toMatchObject({ lots: new Map() });
    expect(checked.account.wallet).toMatchObject({ balance: 0n, waived: 1_000_000n, forfeited: 11_600_000n });
    await checkProjections(premises.databaseUrl, accountId, checked);
  });
});

describe('the projections', () => {
  const cli = async (...args: readonly string[]): Promise<string> => {
    const env = { ...process.env, DATABASE_URL: premises.databaseUrl };
    return (await promisify(execFile)('npm', ['run', '--silent', 'rebuild', '--', ...args], { env })).stdout;
  };

  it('rebuilt are the live ones, byte for byte', async () => {
    await liveFully();
    await projectionsCaughtUp(premises.databaseUrl);
    const live = await digests();
    expect((await rebuildAll()).map(({ same }) => same)).toEqual(projections.map(() => true));
    expect(await digests()).toEqual(live);
    const said = await cli('--all');
    expect(said.match(/the same as the live rows/g)).toHaveLength(projections.length);
    expect(await digests()).toEqual(live);
  });

  it('know of every account what a fold of its events says', async () => {
    await projectionsCaughtUp(premises.databaseUrl);
    const streams = new Map<string, AccountEvent[]>();
    for (const [accountId, events] of await allHistories()) streams.set(accountId, [...events]);
    const rows = await query<Record<string, unknown>>(premises.databaseUrl, `select * from ${LIVE}.balances`);
    expect(rows.map((row) => row['account_id']).toSorted()).toEqual([...streams.keys()].toSorted());
    for (const row of rows) {
      const { wallet } = (streams.get(String(row['account_id'])) ?? []).reduce(evolveAccount, initialAccount());
      expect(row).toMatchObject({
        topped_up: String(wallet.toppedUp),
        charged: String(wallet.charged),
        expired: String(wallet.expired),
        ...amountsOfRow(wallet),
        held: String(wallet.held),
        open_holds: wallet.holds.size,
      });
      const told = await gateway.manage<AccountView>('GET', `/accounts/${String(row['account_id'])}`);
      expect(told.balance_usd).toBe(formatUsd(wallet.balance));
    }
  });

  const allHistories = async (): Promise<ReadonlyMap<string, readonly AccountEvent[]>> => {
    const ids = await query<{ id: string }>(
      premises.databaseUrl,
      `select substring(stream from 9) as id from events where stream like 'account-%' and revision = 0`,
    );
    const histories = ids.map(async ({ id }) => {
      const events = (await readHistory(gateway, id)).map(({ event }) => event);
      return [id, events] as const;
    });
    return new Map(await Promise.all(histories));
  };

  /** Keeps an account busy until told to stop; tells how many requests were served. */
  const traffic = (apiKey: string): { stop(): Promise<number> } => {
    let stopped = false;
    let served = 0;
    const wishes: readonly Wish[] = [
      { maxTokens: 30 },
      { maxTokens: 30, stream: true },
      { maxTokens: 30, simulate: { status: 500 } },
      { maxTokens: 30, stream: true, simulate: { outputTokens: 20, breakAfter: 3 } },
    ];
    const workers = Array.from({ length: 8 }, async (_, n) => {
      for (let turn = n; !stopped; turn++) {
        const { status } = await chat(gateway, apiKey, wishes[turn % wishes.length]).answer;
        if (status === 200) served++;
      }
    });
    return {
      stop: async () => {
        stopped = true;
        await Promise.all(workers);
        return served;
      },
    };
  };

  it('rebuilt while traffic runs are the live ones', async () => {
    const { accountId, apiKey } = await gateway.openAccount();
    const { stop } = traffic(apiKey);
    const rebuilt = [...(await rebuildAll()), ...(await rebuildAll())];
    const said = await cli('balances');
    expect(await stop()).toBeGreaterThan(20);
    expect(rebuilt.map(({ same }) => same)).toEqual(rebuilt.map(() => true));
    expect(said).toContain('the same as the live rows');
    await checkProjections(premises.databaseUrl, accountId, await checkSettledBooks(gateway, accountId));
    expect((await rebuildAll()).map(({ same }) => same)).toEqual(projections.map(() => true));
  });

  it('go on from half way where a rebuild was stopped', async () => {
    const [first] = projections;
    if (!first) throw new Error('There are projections.');
    const stopHalfWay = (position: number): void => {
      if (position > 0) throw new Error('stopped');
    };
    await expect(rebuild({ database, store, projection: first, progress: stopHalfWay })).rejects.toThrow('stopped');
    const half = await query(premises.databaseUrl, `select position from rebuild_${first.name}.checkpoints`);
    expect(Number(half[0]?.['position'])).toBeGreaterThan(0);
    const { apiKey } = await gateway.openAccount();
    expect((await chat(gateway, apiKey).answer).status).toBe(200);
    expect(await cli(first.name)).toContain('the same as the live rows');
  });

  /** Ends sessions every so often while an account is busy. */
  const interrupt = async (...names: readonly string[]): Promise<void> => {
    const { accountId, apiKey } = await gateway.openAccount();
    const { stop } = traffic(apiKey);
    let ended = 0;
    for (let n = 0; n < 12; n++) {
      await sleep(100);
      ended += await terminateSessions(premises.databaseUrl, ...names);
    }
    expect(await stop()).toBeGreaterThan(10);
    expect(ended).toBeGreaterThan(5);
    await expect
      .poll(async () => (await gateway.manage<AccountView>('GET', `/accounts/${accountId}`)).open_holds, SOON)
      .toEqual([]);
    const checked = await checkSettledBooks(gateway, accountId);
    expect(checked.events.filter(isCharge).length).toBeGreaterThan(10);
    await checkProjections(premises.databaseUrl, accountId, checked);
    expect((await rebuildAll()).map(({ same }) => same)).toEqual(projections.map(() => true));
    await expect.poll(async () => (await fetch(`${gateway.url}/health`)).status, SOON).toBe(200);
  };

  it('lose and double nothing when their connections break', () =>
    interrupt('kissapi-projections', 'kissapi-reads', 'kissapi-listens'));

  it('lose and double nothing when every connection breaks', () =>
    interrupt('kissapi-projections', 'kissapi-reads', 'kissapi-listens', 'kissapi-commits', 'kissapi-runs'));
});
