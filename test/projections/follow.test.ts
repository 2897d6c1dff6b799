import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import { EMPTY_STREAM, PAGE } from '../../src/eventstore/event-store.ts';
import { decodeFact, type Recorded } from '../../src/eventstore/journal/codec.ts';
import { followLog, together, type Consumer, type Follower, type FollowOptions } from '../../src/projections/follow.ts';
import { keyIssued, registered, toppedUp } from '../domain/account/examples.ts';
import { createLog, type Log } from './log.ts';

/** Keeps what it was given, once each, as every consumer must; `fails` says what goes wrong with a batch, if anything. */
const createConsumer = (over: Partial<Consumer> = {}) => {
  const seen: number[] = [];
  const batches: (readonly number[])[] = [];
  let position = 0;
  const consumer = {
    name: 'test',
    seen,
    batches,
    fails: (_events: readonly Recorded[]): Error | undefined => undefined,
    position: () => position,
    apply: (events: readonly Recorded[], upTo: number) => {
      const error = consumer.fails(events);
      if (error) throw error;
      batches.push(events.map((event) => event.position));
      for (const event of events) if (event.position > position) seen.push(event.position);
      position = Math.max(position, upTo);
      return position;
    },
    ...over,
  };
  return consumer;
};

const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

let log: Log;
let revision: number;
const append = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await log.append(accountStream('acc_1'), toppedUp(1n, `lot_${revision++}`));
};
/** An event that no version of this software can read. */
const appendUnreadable = (): Promise<unknown> =>
  log.store.append([
    {
      stream: `unknown-${randomUUID()}`,
      expected: EMPTY_STREAM,
      events: [{ id: randomUUID(), type: 'Unheard', version: 1, data: '{}', metadata: '{}' }],
    },
  ]);

const followers: Follower[] = [];
const failures: unknown[] = [];
const follow = (
  consumer: Consumer,
  { gatherMs = 0, skim = false, store = log.store as FollowOptions['store'] } = {},
) => {
  const follower = followLog({
    store,
    decode: decodeFact,
    consumer,
    gatherMs,
    skim,
    failed: (_, error) => failures.push(error),
  });
  followers.push(follower);
  return follower;
};

beforeEach(() => {
  vi.useFakeTimers();
  log = createLog();
  revision = 0;
});
afterEach(async () => {
  const closed = Promise.all(followers.splice(0).map((follower) => follower.close()));
  await vi.advanceTimersByTimeAsync(10_000);
  await closed;
  failures.length = 0;
  vi.useRealTimers();
});

/** Lets everything happen that needs no time. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe('a follower', () => {
  it('catches up, keeps up, and says how far it is', async () => {
    await append(3);
    const consumer = createConsumer();
    const follower = follow(consumer);
    await follower.reached(3);
    expect(consumer.seen).toEqual([1, 2, 3]);
    await append(2);
    await follower.reached(5);
    expect(consumer.seen).toEqual([1, 2, 3, 4, 5]);
    expect(follower.position).toBe(5);
    expect(follower.failure).toBeUndefined();
  });

  it('begins where the consumer is', async () => {
    await append(5);
    const consumer = createConsumer({ position: () => 3 });
    await follow(consumer).reached(5);
    expect(consumer.batches).toEqual([[4, 5]]);
  });

  it('takes in more than a page', async () => {
    await append(2500);
    const consumer = createConsumer();
    await follow(consumer).reached(2500);
    expect(consumer.seen).toEqual(numbers(1, 2500));
  });

  it('has reached an empty log at once', () => follow(createConsumer()).reached(0));

  it('gives a selective consumer its types alone, and does not even decode the others', async () => {
    await log.append(accountStream('acc_1'), registered, toppedUp(1n), keyIssued());
    await appendUnreadable();
    await log.append(accountStream('acc_2'), registered, keyIssued('key_2'));
    await appendUnreadable();
    const consumer = createConsumer({ types: new Set(['KeyIssued']) });
    const follower = follow(consumer);
    await follower.reached(7);
    expect(consumer.seen).toEqual([3, 6]);
    expect(failures).toEqual([]);
  });

  it('never passes an event that it cannot read', async () => {
    await append(2);
    await appendUnreadable();
    await append(1);
    const consumer = createConsumer();
    const follower = follow(consumer);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(consumer.seen.filter((position) => position > 2)).toEqual([]);
    expect(follower.failure?.message).toContain('event Unheard v1 at position 3');
  });
});

describe('a follower whose consumer fails', () => {
  it('tries again, and neither loses nor doubles anything', async () => {
    const consumer = createConsumer();
    let tries = 0;
    consumer.fails = () => (++tries % 3 === 0 ? undefined : new Error(`try ${tries}`));
    const follower = follow(consumer);
    for (let n = 0; n < 20; n++) {
      await append(7);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    await follower.reached(140);
    expect(consumer.seen).toEqual(numbers(1, 140));
    expect(failures.length).toBeGreaterThan(20);
  });

  it('goes on where the consumer is, which another node may have moved', async () => {
    await append(4);
    let position = 0;
    const consumer = createConsumer({ position: () => position });
    consumer.fails = () => (position === 0 ? new Error('the other is at it') : undefined);
    const follower = follow(consumer);
    await settle();
    position = 3;
    await vi.advanceTimersByTimeAsync(1000);
    await follower.reached(4);
    expect(consumer.batches).toEqual([[4]]);
  });

  it('waits longer from try to try, and starts anew after a success', async () => {
    await append(1);
    const consumer = createConsumer();
    const triedAt: number[] = [];
    consumer.fails = () => {
      triedAt.push(Date.now());
      return new Error('no');
    };
    follow(consumer);
    await vi.advanceTimersByTimeAsync(20_000);
    const waits = triedAt.slice(1).map((at, n) => at - (triedAt[n] ?? 0));
    expect(waits.slice(0, 5)).toEqual([100, 500, 2000, 5000, 5000]);

    consumer.fails = () => undefined;
    await vi.advanceTimersByTimeAsync(5000);
    expect(consumer.seen).toEqual([1]);
    triedAt.length = 0;
    consumer.fails = () => {
      triedAt.push(Date.now());
      return new Error('no');
    };
    await append(1);
    await vi.advanceTimersByTimeAsync(700);
    expect(triedAt.slice(1).map((at, n) => at - (triedAt[n] ?? 0))).toEqual([100, 500]);
  });

  it('says so until it is over, between tries too', async () => {
    await append(1);
    let full = true;
    const follower = follow(
      createConsumer({
        apply: async (_, upTo) => {
          await new Promise((resolve) => setTimeout(resolve, 200));
          if (full) throw new Error('the disk is full');
          return upTo;
        },
      }),
    );
    await vi.advanceTimersByTimeAsync(200);
    for (let n = 0; n < 100; n++) {
      expect(follower.failure?.message).toBe('the disk is full');
      await vi.advanceTimersByTimeAsync(77);
    }
    full = false;
    await vi.advanceTimersByTimeAsync(6000);
    expect(follower.failure).toBeUndefined();
  });

  it('skims over what is of no interest to it, up to the head and beyond', async () => {
    const stream = accountStream('acc_1');
    await log.append(stream, keyIssued('key_1'), toppedUp(1n, 'lot_a'), keyIssued('key_2'), toppedUp(1n, 'lot_b'));
    const read: string[] = [];
    const store: FollowOptions['store'] = {
      head: log.store.head,
      follow: async function* (...asked) {
        for await (const page of log.store.follow(...asked)) {
          read.push(...page.events.map(({ type }) => type));
          yield page;
        }
      },
    };
    const seen: string[] = [];
    let position = 0;
    const consumer: Consumer = {
      name: 'keys',
      types: new Set(['KeyIssued']),
      position: () => position,
      apply: (events, upTo) => {
        seen.push(...events.map(({ event }) => (event.type === 'KeyIssued' ? event.keyId : event.type)));
        return (position = upTo);
      },
    };
    const follower = follow(consumer, { skim: true, store });
    await follower.reached(4);
    expect(read).toEqual(['KeyIssued', 'KeyIssued']);
    await log.append(stream, toppedUp(1n, 'lot_c'), keyIssued('key_3'));
    await follower.reached(6);
    expect(seen).toEqual(['key_1', 'key_2', 'key_3']);
    expect(read).toEqual(['KeyIssued', 'KeyIssued', 'KeyIssued']);
  });

  it('is well again once the store is, though nothing new has come', async () => {
    await append(2);
    let down = false;
    const store: FollowOptions['store'] = {
      head: () => (down ? Promise.reject(new Error('the store is down')) : log.store.head()),
      follow: async function* (after, signal) {
        for await (const page of log.store.follow(after, signal)) {
          if (down) throw new Error('the store is down');
          yield page;
        }
      },
    };
    const consumer = createConsumer();
    const follower = follow(consumer, { store });
    await follower.reached(2);
    down = true;
    await append(1);
    await vi.advanceTimersByTimeAsync(3000);
    expect(follower.failure?.message).toBe('the store is down');
    expect(failures.length).toBeLessThan(10);
    // Another node did the work meanwhile, so that nothing is left to do here.
    await consumer.apply([], 3, 0);
    down = false;
    await vi.advanceTimersByTimeAsync(5000);
    expect(follower.failure).toBeUndefined();
    expect(follower.position).toBe(3);
  });

  it('tries again where it could not even learn its position', async () => {
    await append(1);
    let tries = 0;
    const consumer = createConsumer({
      position: () => {
        if (++tries < 3) throw new Error('no database');
        return 0;
      },
    });
    const follower = follow(consumer);
    await vi.advanceTimersByTimeAsync(1000);
    await follower.reached(1);
    expect(failures).toHaveLength(2);
  });
});

describe('a follower that lets events gather', () => {
  it('does not while it is behind: a full page is followed by the next', async () => {
    await append(2 * PAGE + 1);
    const consumer = createConsumer();
    follow(consumer, { gatherMs: 60_000 });
    await vi.advanceTimersByTimeAsync(100);
    expect(consumer.batches.map((batch) => batch.length)).toEqual([PAGE, PAGE, 1]);
  });

  const GATHER_MS = 1000;

  it('takes in what came meanwhile as one batch', async () => {
    const consumer = createConsumer();
    follow(consumer, { gatherMs: GATHER_MS });
    await append(1);
    await settle();
    expect(consumer.batches).toEqual([[1]]);
    for (let n = 0; n < 5; n++) {
      await append(1);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(consumer.batches).toEqual([[1]]);
    await vi.advanceTimersByTimeAsync(GATHER_MS);
    expect(consumer.batches).toEqual([[1], [2, 3, 4, 5, 6]]);
  });

  it('hurries for who waits, and for as long as somebody does', async () => {
    const consumer = createConsumer();
    const follower = follow(consumer, { gatherMs: GATHER_MS });
    await append(1);
    await settle();
    await append(1);
    await follower.reached(2);
    expect(consumer.seen).toEqual([1, 2]);

    const waiting = follower.reached(5);
    for (const expected of [3, 4]) {
      await append(1);
      await settle();
      expect(follower.position).toBe(expected);
    }
    await append(1);
    await waiting;

    await append(1);
    await settle();
    await append(1);
    await vi.advanceTimersByTimeAsync(GATHER_MS / 2);
    expect(follower.position).toBeLessThan(7);
    await vi.advanceTimersByTimeAsync(GATHER_MS);
    expect(follower.position).toBe(7);
  });
});

describe('a follower that is closed', () => {
  const closes = async (follower: Follower, withinMs: number): Promise<void> => {
    const closed = vi.fn();
    void follower.close().then(closed);
    await vi.advanceTimersByTimeAsync(withinMs);
    expect(closed).toHaveBeenCalled();
  };

  it('ends though it sleeps, gathers, or waits to try again', async () => {
    const sleeping = follow(createConsumer());
    await sleeping.reached(0);
    await closes(sleeping, 0);

    await append(1);
    const gathering = follow(createConsumer(), { gatherMs: 60_000 });
    await settle();
    await append(1);
    await closes(gathering, 0);

    const failing = createConsumer();
    failing.fails = () => new Error('no');
    const retrying = follow(failing);
    await vi.advanceTimersByTimeAsync(3000);
    await closes(retrying, 5000);
  });

  it('lets the batch under way finish, and takes no other', async () => {
    await append(1);
    let finish = (): void => undefined;
    const applied: number[] = [];
    const follower = follow(
      createConsumer({
        apply: async (_, upTo) => {
          await new Promise<void>((resolve) => (finish = resolve));
          applied.push(upTo);
          return upTo;
        },
      }),
    );
    await settle();
    const closed = follower.close();
    await append(1);
    await vi.advanceTimersByTimeAsync(1000);
    finish();
    await closed;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(applied).toEqual([1]);
  });

  it('does not wait for ever for a batch that hangs', async () => {
    await append(1);
    const follower = follow(createConsumer({ apply: () => new Promise(() => undefined) }));
    await settle();
    await closes(follower, 5000);
  });

  it('is not hurried any more by who waits no longer', async () => {
    const consumer = createConsumer();
    const follower = follow(consumer, { gatherMs: 60_000 });
    await settle();
    const impatient = new AbortController();
    const waiting = follower.reached(99, impatient.signal);
    await append(1);
    await append(1);
    await settle();
    expect(follower.position).toBe(2);
    impatient.abort();
    await waiting;
    await append(1);
    await settle();
    await append(1);
    await settle();
    expect(follower.position).toBe(3);
    await follower.reached(99, impatient.signal);
    expect(follower.position).toBe(3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(follower.position).toBe(4);
  });

  it('leaves nobody waiting', async () => {
    const follower = follow(createConsumer());
    const waiting = follower.reached(99);
    await closes(follower, 5000);
    await waiting;
  });
});

describe('several consumers together', () => {
  it('are where the last of them is, and look at what any of them looks at', async () => {
    await log.append(accountStream('acc_1'), registered, toppedUp(1n), keyIssued());
    const keys = createConsumer({ types: new Set(['KeyIssued']) });
    const lots = createConsumer({ types: new Set(['CreditsToppedUp']), position: () => 2 });
    const both = together('both', [keys, lots]);
    expect(both.types).toEqual(new Set(['KeyIssued', 'CreditsToppedUp']));
    expect(await both.position()).toBe(0);
    await follow(both).reached(3);
    expect(keys.batches).toEqual([[2, 3]]);
  });

  it('look at everything where one of them does', () => {
    expect(
      together('all', [createConsumer({ types: new Set(['KeyIssued']) }), createConsumer()]).types,
    ).toBeUndefined();
  });

  it('each count an event once, though one of them fails again and again', async () => {
    const [sound, failing] = [createConsumer(), createConsumer()];
    let tries = 0;
    failing.fails = () => (++tries % 4 === 0 ? undefined : new Error('no'));
    const follower = follow(together('both', [sound, failing]));
    for (let n = 0; n < 10; n++) {
      await append(3);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    await follower.reached(30);
    expect(sound.seen).toEqual(numbers(1, 30));
    expect(failing.seen).toEqual(numbers(1, 30));
  });
});
