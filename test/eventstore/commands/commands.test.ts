import { beforeEach, describe, expect, it } from 'vitest';
import { accountStream, initialAccount } from '../../../src/domain/account/account.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { available } from '../../../src/domain/account/wallet.ts';
import { LogWentBack, type ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { PAGE, StoreUnavailable, type Slice } from '../../../src/eventstore/event-store.ts';
import { createInMemoryLog, createInMemoryStore, type InMemoryLog } from '../../../src/eventstore/memory/in-memory.ts';
import { audit } from '../../reference/audit-history.ts';
import {
  customer,
  extend,
  extended,
  register,
  registered,
  reinstate,
  reinstated,
  reserve,
  reserved,
  settle,
  suspend,
  suspended,
  topUp,
  toppedUp,
} from '../../domain/account/examples.ts';
import { createFaultyStore, turns, type Fault } from './faulty-store.ts';
import { anEvent, numbers } from '../logs.ts';
import { createNode, happen, historyOf, metadataOf, type AccountOutcome, type Node } from '../nodes.ts';

let store: ChainedLog;
let node: Node;
/** The batches that were handed to the store. */
let batches: (readonly Slice[])[];

const recording = (inner: ChainedLog): ChainedLog => ({
  ...inner,
  append: (slices) => {
    batches.push(slices);
    return inner.append(slices);
  },
});

beforeEach(async () => {
  batches = [];
  store = createInMemoryStore();
  node = createNode(recording(store));
  await happen(store, 'ada', ...customer);
});

/** Something that the test waits for, or that waits for the test. */
const signal = (): [Promise<void>, () => void] => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return [promise, resolve];
};

const acceptedBy = (outcomes: readonly AccountOutcome[]) => outcomes.filter(({ kind }) => kind === 'accepted');
const refusalOf = (outcome: AccountOutcome) => (outcome.kind === 'accepted' ? undefined : outcome.refusal.code);
const repeated = (outcome: AccountOutcome) => outcome.kind === 'accepted' && outcome.repeated;

describe('a command', () => {
  it('that is accepted is in the log when it resolves', async () => {
    const outcome = await node.execute('ada', topUp(10n), 'cmd');
    expect(outcome).toEqual({ kind: 'accepted', events: [toppedUp(10n)], revision: 3, position: 4, repeated: false });
    const [stored] = await store.readStream(accountStream('ada'), 3, 10);
    expect(stored).toMatchObject({ type: 'CreditsToppedUp', position: 4, metadata: JSON.stringify(metadataOf('cmd')) });
  });

  it('may cause several events', async () => {
    await happen(store, 'ada', toppedUp(4n), reserved(4n));
    expect(await node.execute('ada', settle(9))).toMatchObject({
      kind: 'accepted',
      events: [{ type: 'HoldSettled' }, { type: 'UsageWrittenOff' }],
      revision: 6,
      position: 7,
    });
  });

  it('that is refused leaves nothing in the log', async () => {
    const outcome = await node.execute('ada', reserve(4n));
    expect(outcome).toEqual({
      kind: 'refused',
      refusal: { code: 'insufficient_credits', funds: { needed: 4n, available: 0n, held: 0n, withoutHolds: 0n } },
    });
    expect(await store.head()).toBe(3);
  });

  it('that changes nothing leaves nothing in the log', async () => {
    await happen(store, 'ada', suspended());
    const outcome = await node.execute('ada', suspend());
    expect(outcome).toEqual({ kind: 'accepted', events: [], revision: 3, position: undefined, repeated: false });
    expect(await store.head()).toBe(4);
  });

  it('starts the stream of an account', async () => {
    expect(await node.execute('bob', register())).toMatchObject({
      kind: 'accepted',
      events: [registered],
      revision: 0,
    });
  });

  it('that throws in the decider fails alone', async () => {
    await happen(store, 'ada', toppedUp(9n), reserved(4n));
    const impossible = node.execute('ada', settle(-1));
    const fine = node.execute('ada', reserve(5n, 'req_2'));
    await expect(impossible).rejects.toThrow('usage is never negative');
    expect(await fine).toMatchObject({ kind: 'accepted' });
  });

  it('folds a stream of many pages', async () => {
    for (const n of numbers(0, PAGE + 5)) await node.execute('ada', topUp(1n, `lot_${n}`));
    const fresh = createNode(store);
    expect(refusalOf(await fresh.execute('ada', reserve(BigInt(PAGE + 6))))).toBe('insufficient_credits');
    expect(await fresh.execute('ada', reserve(BigInt(PAGE + 5)))).toMatchObject({ kind: 'accepted' });
  });

  it('fails if an event of the stream cannot be read', async () => {
    await store.append([
      { stream: accountStream('ada'), expected: { revision: 2 }, events: [anEvent({ type: 'FromTheFuture' })] },
    ]);
    await expect(node.execute('ada', topUp(1n))).rejects.toThrow('FromTheFuture v1 at position 4');
    await expect(node.execute('ada', topUp(1n))).rejects.toThrow('FromTheFuture v1 at position 4');
  });
});

describe('many commands on one account', () => {
  it('are decided one after another without waiting for the log', async () => {
    await happen(store, 'ada', toppedUp(60n));
    const outcomes = await Promise.all(numbers(0, 100).map((n) => node.execute('ada', reserve(1n, `req_${n}`))));
    expect(acceptedBy(outcomes)).toHaveLength(60);
    expect(outcomes.findIndex(({ kind }) => kind === 'refused')).toBe(60);
    expect(batches).toHaveLength(1);
    expect(audit(await historyOf(store, 'ada')).holds.size).toBe(60);
  });

  it('return the position of each', async () => {
    const outcomes = await Promise.all(
      numbers(0, 10).flatMap((n) =>
        ['ada', 'bob'].map((who) => node.execute(who, who === 'ada' ? topUp(1n, `lot_${n}`) : register())),
      ),
    );
    for (const outcome of outcomes) {
      if (outcome.kind === 'refused' || outcome.position === undefined) continue;
      const [stored] = await store.readAll(outcome.position - 1, 1);
      expect(stored).toMatchObject({ revision: outcome.revision, type: outcome.events[0]?.type });
    }
  });

  it('are decided on earlier commands that are not durable yet', async () => {
    const [, first, second, third] = await Promise.all([
      node.execute('ada', topUp(10n)),
      node.execute('ada', reserve(6n, 'req_1')),
      node.execute('ada', reserve(6n, 'req_2')),
      node.execute('ada', reserve(4n, 'req_3')),
    ]);
    expect(first.kind).toBe('accepted');
    expect(refusalOf(second)).toBe('credits_held_by_concurrent_requests');
    expect(third.kind).toBe('accepted');
  });
});

describe('an outcome without events', () => {
  it('waits for the appends that it rests on', async () => {
    await happen(store, 'ada', toppedUp(10n));
    const [held, letGo] = signal();
    const slow = createNode(createFaultyStore(store, [{}, { meanwhile: () => held }]));
    await slow.execute('ada', reserve(1n, 'req_0'));
    const answers: string[] = [];
    const holding = slow.execute('ada', reserve(9n)).then(() => answers.push('held'));
    const refused = slow.execute('ada', reserve(1n, 'req_2')).then(() => answers.push('refused'));
    const already = slow.execute('ada', reserve(9n)).then(() => answers.push('held already'));
    for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toEqual([]);
    letGo();
    await Promise.all([holding, refused, already]);
    expect(answers.toSorted()).toEqual(['held', 'held already', 'refused']);
  });

  it('is not returned if those appends failed', async () => {
    await happen(store, 'ada', toppedUp(10n));
    const broken = createNode(
      createFaultyStore(store, [{}, ...numbers(0, 4).map(() => ({ breaks: 'before' }) as const)]),
    );
    await broken.execute('ada', reserve(1n, 'req_0'));
    const [holding, refused] = await Promise.allSettled([
      broken.execute('ada', reserve(9n)),
      broken.execute('ada', reserve(1n, 'req_2')),
    ]);
    expect([holding.status, refused.status]).toEqual(['rejected', 'rejected']);
    expect(await broken.execute('ada', reserve(1n, 'req_2'))).toMatchObject({ kind: 'accepted' });
  });

  it('does not rest on a state that another node has changed since', async () => {
    const other = createNode(store);
    expect(refusalOf(await node.execute('ada', reserve(4n)))).toBe('insufficient_credits');
    await other.execute('ada', topUp(4n));
    expect(await node.execute('ada', reserve(4n))).toMatchObject({ kind: 'accepted', events: [reserved(4n)] });
  });

  it('does not rest on it either if the command changes nothing', async () => {
    const other = createNode(store);
    await node.execute('ada', suspend());
    await other.execute('ada', reinstate());
    expect(await node.execute('ada', suspend())).toMatchObject({ kind: 'accepted', events: [suspended()] });
    expect(await historyOf(store, 'ada')).toEqual([...customer, suspended(), reinstated(), suspended()]);
  });
});

describe('two nodes on one account', () => {
  it('decide again if the other was first', async () => {
    await happen(store, 'ada', toppedUp(10n));
    const other = createNode(store);
    expect(await node.execute('ada', reserve(6n, 'req_1'))).toMatchObject({ kind: 'accepted' });
    expect(refusalOf(await other.execute('ada', reserve(6n, 'req_2')))).toBe('credits_held_by_concurrent_requests');
    expect(await other.execute('ada', reserve(4n, 'req_3'))).toMatchObject({ kind: 'accepted' });
    expect(refusalOf(await node.execute('ada', reserve(1n, 'req_4')))).toBe('credits_held_by_concurrent_requests');
  });

  it('never hold more than the balance in a race', async () => {
    await happen(store, 'ada', toppedUp(100n));
    const nodes = [node, createNode(store), createNode(store)];
    const outcomes = await Promise.all(
      numbers(0, 300).map((n) => (nodes[n % 3] ?? node).execute('ada', reserve(1n, `req_${n}`))),
    );
    expect(acceptedBy(outcomes)).toHaveLength(100);
    expect(audit(await historyOf(store, 'ada')).holds.size).toBe(100);
  });

  /** A node whose second append is on its way until told otherwise, and clashes then with what another node did. */
  const racing = (account: string, ...rivals: AccountEvent[]) => {
    const [arrived, arrive] = signal();
    const [released, letGo] = signal();
    const meanwhile = async (): Promise<void> => {
      arrive();
      await released;
      await happen(store, account, ...rivals);
    };
    return { ...createNode(createFaultyStore(store, [{}, { meanwhile }])), arrived, letGo };
  };

  it('void what was decided on top of a clash, even if it would fit the stream by accident', async () => {
    await happen(store, 'ada', toppedUp(10n));
    // The other node takes all there is, in two events: just as many as were decided here.
    const raced = racing('ada', reserved(5n, 'rival_1'), reserved(5n, 'rival_2'));
    await raced.execute('ada', reserve(0n, 'req_0'));
    const first = [raced.execute('ada', reserve(1n, 'req_1')), raced.execute('ada', reserve(1n, 'req_2'))];
    await raced.arrived;
    const queued = raced.execute('ada', reserve(1n, 'req_3'));
    raced.letGo();
    for (const outcome of await Promise.all([...first, queued])) {
      expect(refusalOf(outcome)).toBe('credits_held_by_concurrent_requests');
    }
    expect([...audit(await historyOf(store, 'ada')).holds.keys()]).toEqual(['req_0', 'rival_1', 'rival_2']);
  });

  it('void it at any moment of the clash', async () => {
    for (const moment of numbers(0, 100)) {
      const account = `account_${moment}`;
      await happen(store, account, ...customer, toppedUp(10n));
      const raced = racing(account, reserved(10n, 'rival'));
      await raced.execute(account, reserve(0n, 'req_0'));
      const first = raced.execute(account, reserve(1n, 'req_1'));
      await raced.arrived;
      raced.letGo();
      await turns(moment);
      expect(acceptedBy(await Promise.all([first, raced.execute(account, reserve(1n, 'req_2'))]))).toEqual([]);
      audit(await historyOf(store, account));
    }
  });

  it('may be in one process and share a committer', async () => {
    await happen(store, 'ada', toppedUp(100n));
    const twin = createNode(store, { committer: node.committer });
    const outcomes = await Promise.all(
      numbers(0, 300).map((n) => (n % 3 ? node : twin).execute('ada', reserve(1n, `req_${n}`))),
    );
    expect(acceptedBy(outcomes)).toHaveLength(100);
    expect(audit(await historyOf(store, 'ada')).holds.size).toBe(100);
  });
});

describe('a command whose id belongs to a command on another stream', () => {
  it('is refused after two appends, and does not fail the appends of others without end', async () => {
    await node.execute('ada', topUp(10n), 'cmd');
    let appends = 0;
    const counting = recording(store);
    const other = createNode({
      ...counting,
      append: (slices) => {
        appends++;
        return counting.append(slices);
      },
    });
    await happen(store, 'bob', ...customer);
    await expect(other.execute('bob', topUp(10n), 'cmd')).rejects.toMatchObject({ code: 'command_id_taken' });
    expect(appends).toBe(2);
  });
});

describe('the same command again', () => {
  const again = { mayRepeat: true };

  it('returns the first outcome and writes nothing', async () => {
    await happen(store, 'ada', toppedUp(4n), reserved(4n));
    const first = await node.execute('ada', settle(9), 'cmd', again);
    expect(first).toMatchObject({ kind: 'accepted', repeated: false });
    await node.execute('ada', topUp(1n, 'lot_2'));
    const head = await store.head();
    expect(await node.execute('ada', settle(9), 'cmd', again)).toEqual({ ...first, repeated: true });
    expect(await createNode(store).execute('ada', settle(9), 'cmd', again)).toEqual({ ...first, repeated: true });
    expect(await store.head()).toBe(head);
  });

  it('is decided anew if it was refused', async () => {
    expect(refusalOf(await node.execute('ada', reserve(4n), 'cmd', again))).toBe('insufficient_credits');
    await node.execute('ada', topUp(4n));
    expect(await node.execute('ada', reserve(4n), 'cmd', again)).toMatchObject({ kind: 'accepted', repeated: false });
  });

  it.each([
    ['that adds up', extend(1n)],
    ['that would be refused', settle(2)],
  ])('at the same time, %s, happens once', async (_, command) => {
    await happen(store, 'ada', toppedUp(9n), reserved(4n));
    const outcomes = await Promise.all(numbers(0, 5).map(() => node.execute('ada', command, 'cmd', again)));
    expect(outcomes.map(repeated)).toEqual([false, true, true, true, true]);
    for (const outcome of outcomes) expect(outcome).toEqual({ ...outcomes[0], repeated: repeated(outcome) });
    expect(await historyOf(store, 'ada')).toHaveLength(customer.length + 3);
  });

  it.each([
    ['that adds up', extend(1n)],
    ['that would be refused', settle(2)],
  ])('on several nodes at the same time, %s, happens once', async (_, command) => {
    await happen(store, 'ada', toppedUp(9n), reserved(4n));
    const nodes = numbers(0, 4).map(() => createNode(store));
    const outcomes = await Promise.all(nodes.map((one) => one.execute('ada', command, 'cmd', again)));
    expect(outcomes.filter(repeated)).toHaveLength(3);
    for (const outcome of outcomes) expect(outcome).toEqual({ ...outcomes[0], repeated: repeated(outcome) });
    expect(await historyOf(store, 'ada')).toHaveLength(customer.length + 3);
  });

  it('returns the outcome of another node that executed it between look-up and decision', async () => {
    await happen(store, 'ada', toppedUp(9n), reserved(4n));
    const other = createNode(store);
    const late = createNode({
      ...store,
      findEvent: async (...asked) => {
        const found = await store.findEvent(...asked);
        await other.execute('ada', settle(2), 'cmd', again);
        return found;
      },
    });
    const outcome = await late.execute('ada', settle(2), 'cmd', again);
    expect(outcome).toMatchObject({ kind: 'accepted', events: [{ type: 'HoldSettled', charged: 2n }], repeated: true });
  });

  it('is executed once, even without mayRepeat', async () => {
    await happen(store, 'ada', toppedUp(9n), reserved(4n));
    const first = await node.execute('ada', extend(1n), 'cmd');
    const appends = batches.length;
    const bystander = node.execute('ada', topUp(1n, 'lot_2'));
    expect(await node.execute('ada', extend(1n), 'cmd')).toEqual({ ...first, repeated: true });
    expect(await bystander).toMatchObject({ kind: 'accepted' });
    expect(batches.length - appends).toBeLessThan(6);
  });
});

describe('an unknown outcome', () => {
  const cases: [string, Fault[]][] = [
    ['written, and the connection broke', [{ breaks: 'after' }]],
    ['not written', [{ breaks: 'before' }]],
    ['written, and the connection stayed broken for a while', [{ breaks: 'after' }, { breaks: 'before' }]],
    ['not written, then written, and broken both times', [{ breaks: 'before' }, { breaks: 'after' }]],
  ];

  it.each(cases)('%s: neither lost nor doubled', async (_, faults) => {
    await happen(store, 'ada', toppedUp(9n), reserved(4n));
    const broken = createNode(createFaultyStore(store, faults));
    const outcomes = await Promise.all([
      broken.execute('ada', extend(1n)),
      broken.execute('ada', extend(2n)),
      broken.execute('bob', register()),
    ]);
    expect(outcomes).toMatchObject([
      { kind: 'accepted', events: [extended(1n)], revision: 5 },
      { kind: 'accepted', events: [extended(2n)], revision: 6 },
      { kind: 'accepted', events: [registered], revision: 0 },
    ]);
    expect(await historyOf(store, 'ada')).toEqual([
      ...customer,
      toppedUp(9n),
      reserved(4n),
      extended(1n),
      extended(2n),
    ]);
    expect(await historyOf(store, 'bob')).toEqual([registered]);
    expect(await broken.execute('ada', extend(2n))).toMatchObject({ kind: 'accepted', revision: 7 });
  });

  it('is found if another node appended before the next try', async () => {
    await happen(store, 'ada', toppedUp(9n), reserved(4n));
    const broken = createNode(
      createFaultyStore(store, [{ breaks: 'after' }, { meanwhile: () => happen(store, 'ada', suspended()) }]),
    );
    const outcome = await broken.execute('ada', extend(1n));
    expect(outcome).toMatchObject({ kind: 'accepted', events: [extended(1n)], revision: 5 });
    expect(await historyOf(store, 'ada')).toEqual([...customer, toppedUp(9n), reserved(4n), extended(1n), suspended()]);
  });

  it.each([
    ['before' as const, 0],
    ['after' as const, 1],
  ])('for good, %s the write: whoever asked is told, and may ask again', async (breaks, written) => {
    await happen(store, 'ada', toppedUp(9n), reserved(4n));
    const broken = createNode(
      createFaultyStore(
        store,
        numbers(0, 4).map(() => ({ breaks })),
      ),
    );
    await expect(broken.execute('ada', extend(1n), 'cmd')).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await historyOf(store, 'ada')).toHaveLength(customer.length + 2 + written);
    const retried = await broken.execute('ada', extend(1n), 'cmd', { mayRepeat: true });
    expect(retried).toMatchObject({ kind: 'accepted', events: [extended(1n)], revision: 5, repeated: written === 1 });
    expect(await broken.execute('ada', extend(5n))).toMatchObject({ kind: 'refused' });
    expect(await broken.execute('ada', extend(4n))).toMatchObject({ kind: 'accepted', revision: 6 });
  });

  it('is not confused with a state that was never read', async () => {
    const unread = createNode({ ...store, readStream: () => Promise.reject(new StoreUnavailable('gone')) });
    await expect(unread.execute('ada', topUp(1n))).rejects.toBeInstanceOf(StoreUnavailable);
    expect(unread.commands.lastKnown(accountStream('ada'))).toBeUndefined();
  });
});

describe('the cache of accounts', () => {
  it('is bounded, and other accounts are read again', async () => {
    const small = createNode(store, { cacheSize: 2 });
    const who = numbers(0, 5).map((n) => `account_${n}`);
    for (const round of numbers(0, 3)) {
      for (const account of who) await small.execute(account, round === 0 ? register() : topUp(1n, `lot_${round}`));
    }
    const known = who.filter((account) => small.commands.lastKnown(accountStream(account)));
    expect(known).toEqual(who.slice(-2));
    for (const account of who) expect(audit(await historyOf(store, account)).toppedUp).toBe(2n);
  });

  it('forgets the least recently used account first', async () => {
    const small = createNode(store, { cacheSize: 2 });
    for (const account of ['a', 'b', 'a', 'c']) await small.execute(account, register());
    const known = ['a', 'b', 'c'].filter((account) => small.commands.lastKnown(accountStream(account)));
    expect(known).toEqual(['a', 'c']);
  });

  it('has one entry per account and reads it once, even if more accounts are in use than fit', async () => {
    const who = numbers(0, 4).map((n) => `account_${n}`);
    for (const account of who) await happen(store, account, ...customer, toppedUp(10n));
    const reads: string[] = [];
    const readStream: ChainedLog['readStream'] = (stream, ...rest) => {
      reads.push(stream);
      return store.readStream(stream, ...rest);
    };
    const tiny = createNode({ ...store, readStream }, { cacheSize: 1 });
    const outcomes = await Promise.all(
      numbers(0, 80).map((n) => tiny.execute(who[n % 4] ?? '', reserve(1n, `req_${n}`))),
    );
    expect(acceptedBy(outcomes)).toHaveLength(40);
    for (const account of who) expect(audit(await historyOf(store, account)).holds.size).toBe(10);
    expect(reads).toEqual(who.map(accountStream));
  });
});

describe('read', () => {
  it('returns the initial state of an unknown account', async () => {
    expect(await node.commands.read(accountStream('nobody'))).toEqual({ state: initialAccount(), revision: -1 });
  });

  it('returns what other nodes wrote', async () => {
    const other = createNode(store);
    await node.execute('ada', topUp(10n));
    await other.execute('ada', reserve(4n));
    const { state, revision } = await node.commands.read(accountStream('ada'));
    expect(revision).toBe(4);
    expect(available(state.wallet)).toBe(6n);
    expect(await createNode(store).commands.read(accountStream('ada'))).toEqual({ state, revision });
  });

  it('returns a copy that is independent of the cache', async () => {
    await node.execute('ada', topUp(10n));
    const { state } = await node.commands.read(accountStream('ada'));
    const before = structuredClone(state);
    await node.execute('ada', reserve(4n));
    expect(state).toEqual(before);
    (state.wallet.lots as Map<string, unknown>).clear();
    (state.keys as Map<string, unknown>).clear();
    expect(await node.execute('ada', settle(4))).toMatchObject({ kind: 'accepted', events: [{ charged: 4n }] });
  });

  it('returns nothing that is not durable yet', async () => {
    await node.execute('ada', topUp(10n));
    const holding = node.execute('ada', reserve(4n));
    const { state } = await node.commands.read(accountStream('ada'));
    await holding;
    expect(available(state.wallet)).toBe(10n);
  });
});

describe('lastKnown', () => {
  const known = (account: string) => node.commands.lastKnown(accountStream(account));

  it('is undefined until the account was read', async () => {
    expect(known('ada')).toBeUndefined();
    const first = node.execute('ada', topUp(10n));
    expect(known('ada')).toBeUndefined();
    await first;
    expect(known('ada')?.wallet.balance).toBe(10n);
  });

  it('is the last durable state that this process has seen', async () => {
    await node.execute('ada', topUp(10n));
    const holding = node.execute('ada', reserve(4n));
    expect(known('ada')?.wallet.held).toBe(0n);
    await holding;
    expect(known('ada')?.wallet.held).toBe(4n);
    await createNode(store).execute('ada', topUp(1n, 'lot_2'));
    expect(known('ada')?.wallet.balance).toBe(10n);
  });
});

describe('a log that went back in time', () => {
  let log: InMemoryLog;
  let nodes: readonly [Node, Node];
  const stores: ChainedLog[] = [];
  beforeEach(async () => {
    log = createInMemoryLog();
    stores.splice(0, Infinity, createInMemoryStore(log), createInMemoryStore(log));
    nodes = stores.map((each) => createNode(each)) as unknown as readonly [Node, Node];
    await happen(createInMemoryStore(log), 'ada', ...customer, toppedUp(10n));
  });
  /** As a gateway does once it has noticed. */
  const dropMemory = (n: 0 | 1): void => {
    nodes[n].commands.recheckAll();
    stores[n]?.forgetHistory();
  };
  const balanceSeenBy = async (node: Node): Promise<bigint> =>
    (await node.commands.read(accountStream('ada'))).state.wallet.balance;

  it('does not decide on a lost balance, even if the stream has the same length again', async () => {
    const [first, second] = nodes;
    await first.execute('ada', topUp(100n, 'lot_lost'));
    const { length } = log.events;
    log.goBackTo(length - 1);
    await second.execute('ada', suspend());
    expect(log.events).toHaveLength(length);
    await expect(first.execute('ada', reserve(50n))).rejects.toBeInstanceOf(LogWentBack);
    dropMemory(0);
    expect(refusalOf(await first.execute('ada', reserve(50n)))).toBe('account_suspended');
    await second.execute('ada', reinstate());
    expect(refusalOf(await first.execute('ada', reserve(50n)))).toBe('insufficient_credits');
    expect(await balanceSeenBy(first)).toBe(10n);
  });

  it('folds an account anew after a clash without newer events', async () => {
    const [first] = nodes;
    for (let n = 0; n < 5; n++) await first.execute('ada', topUp(1n, `lot_lost_${n}`));
    log.goBackTo(log.events.length - 5);
    // Without a word to the commands: what is expected of the stream is compared with each append.
    stores[0]?.forgetHistory();
    expect(await first.execute('ada', topUp(2n, 'lot_2'))).toMatchObject({ kind: 'accepted' });
    expect(await balanceSeenBy(first)).toBe(12n);
  });

  it('is not mixed with pages that were read of the lost history', async () => {
    const [first] = nodes;
    await first.execute('ada', topUp(100n, 'lot_lost'));
    log.goBackTo(log.events.length - 1);
    dropMemory(0);
    expect(await balanceSeenBy(first)).toBe(10n);
    expect(first.commands.lastKnown(accountStream('ada'))).toBeUndefined();
    await first.execute('ada', topUp(1n, 'lot_2'));
    expect(first.commands.lastKnown(accountStream('ada'))?.wallet.balance).toBe(11n);
  });

  it('executes a lost command again', async () => {
    const [first] = nodes;
    await first.execute('ada', topUp(100n, 'lot_lost'), 'cmd');
    log.goBackTo(log.events.length - 1);
    dropMemory(0);
    const again = await first.execute('ada', topUp(100n, 'lot_lost'), 'cmd', { mayRepeat: true });
    expect(again).toMatchObject({ kind: 'accepted', repeated: false });
    expect(await balanceSeenBy(first)).toBe(110n);
  });

  it('does not return half of an outcome if it goes back during a look-up', async () => {
    const log = createInMemoryLog();
    const sure = createInMemoryStore(log);
    await happen(sure, 'ada', ...customer, toppedUp(4n), reserved(4n));
    const { length } = log.events;
    await createNode(createInMemoryStore(log)).execute('ada', settle(9), 'cmd');
    const inner = createInMemoryStore(log);
    const findEvent: ChainedLog['findEvent'] = async (...asked) => {
      const found = await inner.findEvent(...asked);
      if (log.events.length > length) log.goBackTo(length);
      inner.forgetHistory();
      return found;
    };
    const outcome = await createNode({ ...inner, findEvent }).execute('ada', settle(9), 'cmd', { mayRepeat: true });
    expect(outcome).toMatchObject({ repeated: false, events: [{ type: 'HoldSettled' }, { type: 'UsageWrittenOff' }] });
  });
});
