import { describe, expect, it } from 'vitest';
import { accountDecider, decideAccount } from '../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import type { LimitFacts } from '../../../src/domain/account/limits/within-limits.ts';
import {
  accountLimitsSet,
  AT,
  chargeLate,
  customer,
  drawn,
  extend,
  extended,
  given,
  givenNobody,
  issueKey,
  keyIssued,
  lateCharged,
  limitsSet,
  released,
  reserve,
  reserved,
  setAccountLimits,
  setLimits,
  settle,
  settled,
  tokens,
  toppedUp,
  writtenOff,
} from './examples.ts';

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;
const paid = (amount: bigint, requestId = 'req_1') =>
  settled(Number(amount), { held: amount, charged: amount, released: 0n, drawn: [drawn(amount)] }, requestId);
/** The request is held, used and paid for. */
const spent = (amount: bigint, requestId = 'req_1', at = AT): AccountEvent[] => [
  reserved(amount, requestId, at),
  paid(amount, requestId),
];
const facts = (of: 'spending', more: Partial<Extract<LimitFacts, { of: 'spending' }>>) =>
  expect.objectContaining({ of, ...more }) as LimitFacts;

describe('SetKeyLimits', () => {
  const limits = { requestsPerMinute: 60, spending: { day: 5n }, models: ['a', 'b'] };
  it('limits a key', () => given().when(setLimits(limits)).then(limitsSet(limits)));
  it('says the same once', () =>
    given(limitsSet(limits))
      .when(setLimits({ models: ['b', 'a'], spending: { day: 5n }, requestsPerMinute: 60 }))
      .then());
  it('replaces all limits that there were', () =>
    given(limitsSet(limits))
      .when(setLimits({ concurrentRequests: 2 }))
      .then(limitsSet({ concurrentRequests: 2 })));
  it('takes them away', () => given(limitsSet(limits)).when(setLimits({})).then(limitsSet({})));
  it('takes nothing away where nothing is', () =>
    given(limitsSet({}))
      .when(setLimits({ spending: {} }))
      .then());
  it('wants a key', () => given().when(setLimits(limits, 'key_2')).thenRefused('key_not_found'));
  it.each([{ requestsPerMinute: 0 }, { tokensPerMinute: 1.5 }, { spending: { day: -1n } }, { expiresAt: 'soon' }])(
    'refuses %o',
    (wrong) => given().when(setLimits(wrong)).thenRefused('invalid_limits'),
  );
  it('may come with the key', () =>
    given()
      .when({ ...keyIssued('key_2'), type: 'IssueKey', limits })
      .then(keyIssued('key_2'), limitsSet(limits, 'key_2')));
  it('does not come again with a key that was issued', () =>
    given(keyIssued('key_2'))
      .when({ ...keyIssued('key_2'), type: 'IssueKey', limits })
      .then());
  it('comes with no key where it says nothing', () =>
    given()
      .when({ ...issueKey('key_2'), limits: {} } as never)
      .then(keyIssued('key_2')));
});

describe('SetAccountLimits', () => {
  const limits = { concurrentRequests: 5 };
  it('limits an account', () => given().when(setAccountLimits(limits)).then(accountLimitsSet(limits)));
  it('says the same once', () => given(accountLimitsSet(limits)).when(setAccountLimits(limits)).then());
  it('wants an account', () => givenNobody().when(setAccountLimits(limits)).thenRefused('account_not_found'));
  it('knows of no end', () =>
    given()
      .when(setAccountLimits({ expiresAt: '2030-01-01T00:00:00Z' } as never))
      .thenRefused('invalid_limits'));
});

describe('a limit on spending', () => {
  const short = (scope: 'key' | 'account') => `${scope}_limit_exceeded` as const;
  it.each([
    ['key', limitsSet({ spending: { day: 10n } })],
    ['account', accountLimitsSet({ spending: { day: 10n } })],
  ] as const)('is kept to the last nano-dollar, of a %s', (scope, set) => {
    given(toppedUp(99n), set, ...spent(6n))
      .when(reserve(4n, 'req_2'))
      .then(reserved(4n, 'req_2'));
    given(toppedUp(99n), set, ...spent(6n))
      .when(reserve(5n, 'req_2'))
      .thenRefused(short(scope), {
        funds: { needed: 5n, available: 4n, held: 0n, withoutHolds: 4n },
        limit: {
          ...{ of: 'spending', scope, window: 'day', limit: 10n, spent: 6n, held: 0n, needed: 5n },
          resetsAt: Date.UTC(2026, 1, 1),
        },
      });
  });

  it('knows what was spent before it was set', () =>
    given(toppedUp(99n), ...spent(6n), limitsSet({ spending: { total: 10n } }))
      .when(reserve(5n, 'req_2'))
      .thenRefused('key_limit_exceeded'));
  it('lets wait whoever only has to wait for others', () =>
    given(toppedUp(99n), limitsSet({ spending: { month: 10n } }), reserved(6n))
      .when(reserve(5n, 'req_2'))
      .thenRefused('limit_held_by_concurrent_requests', {
        funds: { needed: 5n, available: 4n, held: 6n, withoutHolds: 10n },
        limit: facts('spending', { window: 'month', spent: 0n, held: 6n }),
      }));
  it('does not let wait whoever would then have no credits', () => {
    const past = [toppedUp(7n), limitsSet({ spending: { month: 10n } }), reserved(6n)];
    given(...past)
      .when(reserve(8n, 'req_2'))
      .thenRefused('insufficient_credits', { funds: { needed: 8n, available: 1n, held: 6n, withoutHolds: 7n } });
    given(...past, reserved(1n, 'req_2'))
      .when(extend(8n, 'req_2'))
      .thenRefused('insufficient_credits', { funds: { needed: 8n, available: 0n, held: 6n, withoutHolds: 6n } });
    given(...past)
      .when(reserve(7n, 'req_2'))
      .thenRefused('limit_held_by_concurrent_requests');
  });
  it('is told before want of credits, and says what can be had of both', () =>
    given(toppedUp(3n), limitsSet({ spending: { day: 4n } }))
      .when(reserve(5n))
      .thenRefused('key_limit_exceeded', {
        funds: { needed: 5n, available: 3n, held: 0n, withoutHolds: 3n },
        limit: facts('spending', { limit: 4n }),
      }));
  it('of several, is the one that waiting does not help, and of those the longest', () =>
    given(
      toppedUp(99n),
      limitsSet({ spending: { day: 9n, month: 5n, total: 20n } }),
      ...spent(4n),
      reserved(1n, 'req_2'),
    )
      .when(reserve(6n, 'req_3'))
      .thenRefused('key_limit_exceeded', {
        funds: { needed: 6n, available: 0n, held: 1n, withoutHolds: 1n },
        limit: facts('spending', { window: 'month' }),
      }));

  it('of a day begins anew with the day, and that of the month does not', () => {
    const yesterday = [toppedUp(99n), ...spent(6n, 'req_1', AT - DAY)];
    given(...yesterday, limitsSet({ spending: { day: 6n } }))
      .when(reserve(6n, 'req_2'))
      .then(reserved(6n, 'req_2'));
    given(...yesterday, limitsSet({ spending: { month: 6n } }))
      .when(reserve(1n, 'req_2'))
      .thenRefused('key_limit_exceeded');
    given(...yesterday, limitsSet({ spending: { month: 6n } }))
      .when(reserve(6n, 'req_2', 'key_1', AT + DAY)) // 1 February
      .then(reserved(6n, 'req_2', AT + DAY));
    given(...yesterday, limitsSet({ spending: { total: 6n } }))
      .when(reserve(1n, 'req_2', 'key_1', AT + 400 * DAY))
      .thenRefused('key_limit_exceeded');
  });
  it('does not count a hold of yesterday today, nor what it comes to', () =>
    given(toppedUp(99n), limitsSet({ spending: { day: 6n } }), reserved(6n, 'req_1', AT - DAY), reserved(6n, 'req_2'))
      .when(settle(9))
      .then(settled(9, { held: 6n, charged: 6n, released: 0n, drawn: [drawn(6n)] }), writtenOff(3n)));

  it('lets a hold grow as far as it goes', () => {
    const past = [toppedUp(99n), limitsSet({ spending: { day: 6n } }), reserved(4n)];
    given(...past)
      .when(extend(2n))
      .then(extended(2n));
    given(...past)
      .when(extend(3n))
      .thenRefused('key_limit_exceeded', {
        funds: { needed: 3n, available: 2n, held: 0n, withoutHolds: 2n },
        limit: facts('spending', { held: 0n }),
      });
    given(...past, extended(2n), released(6n))
      .when(reserve(6n, 'req_2'))
      .then(reserved(6n, 'req_2'));
  });
  it('never charges more, and the house pays the rest', () => {
    const past = [toppedUp(99n), limitsSet({ spending: { day: 6n } }), reserved(4n)];
    given(...past)
      .when(settle(9))
      .then(settled(9, { held: 4n, charged: 6n, released: 0n, drawn: [drawn(6n)] }), writtenOff(3n));
    given(...past, released(4n))
      .when({ ...chargeLate(9), at: AT } as never)
      .then({ ...lateCharged(9, { charged: 6n, drawn: [drawn(6n)] }), at: AT }, writtenOff(3n));
  });
  it('that is set below what is held already takes nothing back', () =>
    given(toppedUp(99n), reserved(4n), limitsSet({ spending: { day: 1n } }))
      .when(settle(4))
      .then(paid(4n)));
  it('of another key is none', () =>
    given(toppedUp(99n), keyIssued('key_2'), limitsSet({ spending: { day: 0n } }, 'key_2'))
      .when(reserve(6n))
      .then(reserved(6n)));
});

describe('a limit of requests under way', () => {
  it.each([
    ['key', limitsSet({ concurrentRequests: 2 })],
    ['account', accountLimitsSet({ concurrentRequests: 2 })],
  ] as const)('is kept, of a %s', (scope, set) => {
    const two = [toppedUp(99n), reserved(1n), set, reserved(1n, 'req_2')];
    given(...two)
      .when(reserve(1n, 'req_3'))
      .thenRefused('concurrency_limit_exceeded', { limit: { of: 'concurrency', scope, limit: 2, open: 2 } });
    given(...two, released(1n))
      .when(reserve(1n, 'req_3'))
      .then(reserved(1n, 'req_3'));
    given(...two)
      .when(reserve(1n))
      .then(); // A retry finds its credits already held.
  });
});

describe('a limit by the minute', () => {
  const used = tokens(150);
  const start = Math.floor(AT / 3000) * 3000;
  const past = [toppedUp(9999n), limitsSet({ requestsPerMinute: 2 })];
  const two = [...past, reserved(1n, 'req_1', start + 10), reserved(1n, 'req_2', start + 20 * SECOND)];

  it('is kept, and says how long to wait', () =>
    given(...two)
      .when(reserve(1n, 'req_3', 'key_1', start + 59 * SECOND))
      .thenRefused('rate_limit_exceeded', {
        limit: { of: 'requests', scope: 'key', limit: 2, used: 2, needed: 1, retryAfterMs: 4 * SECOND },
      }));
  it('lets go what is more than a minute ago', () => {
    given(...two)
      .when(reserve(1n, 'req_3', 'key_1', start + 63 * SECOND - 1))
      .thenRefused('rate_limit_exceeded');
    given(...two)
      .when(reserve(1n, 'req_3', 'key_1', start + 63 * SECOND))
      .then(reserved(1n, 'req_3', start + 63 * SECOND));
  });
  it('counts a request that came to nothing', () =>
    given(...two, released(1n), released(1n, 'req_2'))
      .when(reserve(1n, 'req_3', 'key_1', start + 59 * SECOND))
      .thenRefused('rate_limit_exceeded'));
  it('is of an account as well', () =>
    given(toppedUp(9n), accountLimitsSet({ requestsPerMinute: 1 }), reserved(1n))
      .when(reserve(1n, 'req_2'))
      .thenRefused('rate_limit_exceeded', {
        limit: expect.objectContaining({ scope: 'account' }) as LimitFacts,
      }));

  it('of tokens counts what is held for, and then what was used', () => {
    // Each example holds for 150 tokens.
    const one = [toppedUp(9999n), limitsSet({ tokensPerMinute: 250 }), reserved(1n)];
    given(...one)
      .when(reserve(1n, 'req_2'))
      .thenRefused('rate_limit_exceeded', {
        limit: expect.objectContaining({ of: 'tokens', limit: 250, used: 150, needed: 150 }) as LimitFacts,
      });
    const ending = { held: 1n, charged: 1n, released: 0n, drawn: [drawn(1n)] };
    given(...one, { ...settled(1, ending), usage: tokens(100) })
      .when(reserve(1n, 'req_2'))
      .then(reserved(1n, 'req_2'));
    given(...one, { ...settled(1, ending), usage: used })
      .when(reserve(1n, 'req_2'))
      .thenRefused('rate_limit_exceeded');
    given(...one, released(1n))
      .when(reserve(1n, 'req_2'))
      .then(reserved(1n, 'req_2'));
  });
  describe('of tokens, of a stream that is held for in steps', () => {
    // Held for 150 tokens at first, and for 100 more every half minute.
    const limit = limitsSet({ tokensPerMinute: 300 });
    const step = (n: number) => extended(1n, 'req_1', start + n * 30 * SECOND, 100);
    const stream = [toppedUp(9999n), limit, reserved(1n, 'req_1', start), step(1), step(2), step(3)];
    const after = 91 * SECOND;
    const ended = (used: number) => ({
      ...settled(1, { held: 4n, charged: 1n, released: 3n, drawn: [drawn(1n)] }),
      usage: tokens(used),
    });
    const inMinute = (used: number): LimitFacts => expect.objectContaining({ of: 'tokens', used }) as LimitFacts;

    it('counts each step when it is taken, against whoever comes next', () =>
      given(...stream)
        .when(reserve(1n, 'req_2', 'key_1', start + after))
        .thenRefused('rate_limit_exceeded', { limit: inMinute(300) }));
    it('never ends it', () =>
      given(...stream)
        .when(extend(1n, 'req_1', start + after, 100))
        .then(extended(1n, 'req_1', start + after, 100)));
    it('goes by a clock that never goes back', () =>
      given(...stream)
        .when(extend(1n, 'req_1', start, 100))
        .then(extended(1n, 'req_1', start + 90 * SECOND, 100)));
    it('is corrected where it counted last', () => {
      given(...stream, ended(350))
        .when(reserve(1n, 'req_2', 'key_1', start + after))
        .thenRefused('rate_limit_exceeded', { limit: inMinute(200) });
      given(...stream, ended(470))
        .when(reserve(1n, 'req_2', 'key_1', start + after))
        .thenRefused('rate_limit_exceeded', { limit: inMinute(320) });
    });
    it('is never corrected by more than it had counted there, nor are others', () => {
      // The first step of the stream has left the minute, so only the last one can be given back.
      const other = reserved(1n, 'req_2', start + 90 * SECOND);
      for (const end of [ended(0), released(4n)]) {
        given(...stream, other, end)
          .when(reserve(1n, 'req_3', 'key_1', start + after))
          .thenRefused('rate_limit_exceeded', { limit: inMinute(350) });
      }
    });
    it('is corrected for its prompt as well, where that was bounded too high', () =>
      given(toppedUp(9999n), limit, reserved(1n, 'req_1', start), step(1), ended(20))
        .when(reserve(1n, 'req_2', 'key_1', start + 31 * SECOND))
        .then(reserved(1n, 'req_2', start + 31 * SECOND)));
    it('is known to a limit that is set meanwhile', () =>
      given(toppedUp(9999n), reserved(1n, 'req_1', start), step(1), limit)
        .when(reserve(1n, 'req_2', 'key_1', start + 31 * SECOND))
        .thenRefused('rate_limit_exceeded', { limit: inMinute(250) }));
  });

  it('says of a request that is more than the limit that no waiting helps', () =>
    given(toppedUp(9n), limitsSet({ tokensPerMinute: 149 }))
      .when(reserve(1n))
      .thenRefused('rate_limit_exceeded', {
        limit: { of: 'tokens', scope: 'key', limit: 149, used: 0, needed: 150, retryAfterMs: null },
      }));

  it('does not forget the last minute where it is taken away and set again', () => {
    const over = [released(1n), released(1n, 'req_2'), limitsSet({})];
    const meanwhile = [reserved(1n, 'req_3', start + 21 * SECOND), released(1n, 'req_3')];
    given(...two, ...over, ...meanwhile, limitsSet({ requestsPerMinute: 3 }))
      .when(reserve(1n, 'req_4', 'key_1', start + 22 * SECOND))
      .thenRefused('rate_limit_exceeded', {
        limit: expect.objectContaining({ limit: 3, used: 3 }) as LimitFacts,
      });
  });

  it('is corrected only for what it has counted', () =>
    given(toppedUp(9999n), reserved(1n), limitsSet({ tokensPerMinute: 250 }), released(1n), reserved(1n, 'req_2'))
      .when(reserve(1n, 'req_3'))
      .thenRefused('rate_limit_exceeded'));
  it('goes by a clock that never goes back', () =>
    given(toppedUp(9n), limitsSet({ requestsPerMinute: 1 }), reserved(1n, 'req_1', AT + 90 * SECOND))
      .when(reserve(1n, 'req_2', 'key_1', AT))
      .thenRefused('rate_limit_exceeded'));
  it('records the time that was decided by', () =>
    given(toppedUp(9n), reserved(1n, 'req_1', AT + 90 * SECOND))
      .when(reserve(1n, 'req_2', 'key_1', AT))
      .then(reserved(1n, 'req_2', AT + 90 * SECOND)));

  it('lets through at least 95 % of itself under a flood, and never more in any minute', () => {
    const limit = 120;
    let state = [...customer, toppedUp(9_999_999n), limitsSet({ requestsPerMinute: limit })].reduce(
      accountDecider.evolve,
      accountDecider.initial(),
    );
    const admitted: number[] = [];
    const minutes = 12;
    for (let at = AT, n = 0; at < AT + minutes * 60 * SECOND; at += 250, n++) {
      const decision = decideAccount(reserve(0n, `req_${n}`, 'key_1', at), state);
      if (decision.kind === 'refused') continue;
      state = decision.events.reduce(accountDecider.evolve, state);
      admitted.push(at);
    }
    for (const [n, at] of admitted.entries()) {
      expect(admitted[n + limit] ?? Infinity).toBeGreaterThanOrEqual(at + 60 * SECOND);
    }
    expect(admitted.length).toBeGreaterThanOrEqual(0.95 * limit * minutes);
  });
});

describe('what a key may be used for', () => {
  it('is the models that it was given', () => {
    given(toppedUp(9n), limitsSet({ models: ['other'] }))
      .when(reserve(1n))
      .thenRefused('model_not_allowed');
    given(toppedUp(9n), accountLimitsSet({ models: ['other'] }))
      .when(reserve(1n))
      .thenRefused('model_not_allowed');
    given(toppedUp(9n), limitsSet({ models: ['other', 'simulated-small'] }))
      .when(reserve(1n))
      .then(reserved(1n));
  });
  it('is nothing once it has expired', () => {
    const past = [toppedUp(9n), limitsSet({ expiresAt: new Date(AT + 1).toISOString() })];
    given(...past)
      .when(reserve(1n))
      .then(reserved(1n));
    given(...past)
      .when(reserve(1n, 'req_1', 'key_1', AT + 1))
      .thenRefused('key_expired');
  });
});

describe('where several limits are in the way, a reservation is refused with the first', () => {
  const asked = reserve(9n, 'req_2');
  const all = {
    expiresAt: new Date(AT).toISOString(),
    models: ['other'],
    concurrentRequests: 1,
    requestsPerMinute: 1,
    spending: { day: 1n },
  };
  const { expiresAt: _, ...alive } = all;
  const { models: __, ...allowed } = alive;
  const { concurrentRequests: ___, ...slow } = allowed;
  const refusedWith = (limits: object) =>
    given(toppedUp(2n), limitsSet({ requestsPerMinute: 1 }), reserved(1n), limitsSet(limits)).when(asked);
  it('key_expired', () => refusedWith(all).thenRefused('key_expired'));
  it('model_not_allowed', () => refusedWith(alive).thenRefused('model_not_allowed'));
  it('concurrency_limit_exceeded', () => refusedWith(allowed).thenRefused('concurrency_limit_exceeded'));
  it('rate_limit_exceeded', () => refusedWith(slow).thenRefused('rate_limit_exceeded'));
  it('key_limit_exceeded', () => refusedWith({ spending: { day: 1n } }).thenRefused('key_limit_exceeded'));
  it('insufficient_credits', () => refusedWith({}).thenRefused('insufficient_credits'));
});

describe('a hold from before times were recorded', () => {
  const { at: _, ...old } = reserved(4n);
  const past = [toppedUp(99n), old as AccountEvent];
  it('counts for the total alone', () => {
    given(...past, limitsSet({ spending: { total: 5n } }))
      .when(reserve(2n, 'req_2'))
      .thenRefused('limit_held_by_concurrent_requests');
    given(...past, limitsSet({ spending: { day: 5n }, requestsPerMinute: 1 }))
      .when(reserve(5n, 'req_2'))
      .then(reserved(5n, 'req_2'));
    given(...past, limitsSet({ spending: { day: 1n }, requestsPerMinute: 1 }))
      .when(settle(6))
      .then(settled(6, { held: 4n, charged: 6n, released: 0n, drawn: [drawn(6n)] }));
  });
});
