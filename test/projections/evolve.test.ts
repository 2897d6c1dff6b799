import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountStream, evolveAccount, initialAccount } from '../../src/domain/account/account.ts';
import { decideAccount, type AccountCommand } from '../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { openDebt, type Wallet } from '../../src/domain/account/wallet.ts';
import type { DomainEvent, Recorded } from '../../src/eventstore/journal/codec.ts';
import { balances, type BalanceRow } from '../../src/projections/rows/balances.ts';
import { dailyUsage, type DailyUsageRow } from '../../src/projections/rows/daily-usage.ts';
import { projections } from '../../src/projections/rows/live.ts';
import type { Column, Projection, Row } from '../../src/projections/projection.ts';
import { requests, type RequestRow } from '../../src/projections/rows/requests.ts';
import { anyCommand } from '../domain/account/arbitrary.ts';
import { informed } from '../domain/account/refunds/informed.ts';
import { decisionsOf, moves } from '../domain/books/account-histories.ts';
import {
  customer,
  delivery,
  drawn,
  extended,
  lateCharged,
  price,
  registered,
  released,
  request,
  reserved,
  settled,
  tokens,
  toppedUp,
  writtenOff,
} from '../domain/account/examples.ts';
import { reversed } from '../domain/account/refunds/examples.ts';
import { sum } from '../support/money.ts';

/** As the log has them, one a day. */
const recorded = (events: readonly DomainEvent[], accountId = 'acc_1'): readonly Recorded[] =>
  events.map((event, n) => ({
    event,
    id: `event_${n}`,
    stream: accountStream(accountId),
    revision: n,
    position: n + 1,
    time: new Date(Date.UTC(2026, 0, 1 + n, 23, 59, 59, 999)),
    metadata: { actor: 'test', commandId: `command_${n}` },
  }));

/** The rows of a projection by key, folded as the table of them is. */
const rowsOf = <R extends Row>(projection: Projection<R>, history: readonly Recorded[]): ReadonlyMap<string, R> => {
  const rows = new Map<string, R>();
  for (const one of history) {
    for (const key of projection.keysOf(one))
      rows.set(key.join('/'), projection.evolve(rows.get(key.join('/')), one, key));
  }
  return rows;
};

const frozen = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
};

/**
 * What comes of commands. Here every request has an id of its own, as a gateway gives it, and late usage is of one that
 * was reserved.
 */
const historyOf = (commands: readonly AccountCommand[]): readonly AccountEvent[] => {
  const history: AccountEvent[] = [...customer];
  let account = history.reduce(evolveAccount, initialAccount());
  const times = new Map<string, number>();
  const own = (id: string): string => `${id}/${times.get(id) ?? 0}`;
  const charged = new Set<string>();
  for (const command of commands) {
    if (command.type === 'ReserveCredits') times.set(command.requestId, (times.get(command.requestId) ?? 0) + 1);
    const named = 'requestId' in command ? { ...command, requestId: own(command.requestId) } : command;
    const asked = informed(named, history);
    if (asked.type === 'ChargeLateUsage') {
      const isFirst = !charged.has(asked.requestId);
      const was = history.some((event) => event.type === 'HoldReleased' && event.requestId === asked.requestId);
      if (!isFirst || !was) continue;
      charged.add(asked.requestId);
    }
    const decision = decideAccount(asked, account);
    if (decision.kind === 'refused') continue;
    history.push(...decision.events);
    account = decision.events.reduce(evolveAccount, account);
  }
  return history;
};

const histories = fc.array(anyCommand, { minLength: 1, maxLength: 60, size: 'max' }).map(historyOf);

const fits: Readonly<Record<Column, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  bigint: (value) => typeof value === 'bigint',
  int: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  timestamptz: (value) => value instanceof Date,
};

for (const projection of projections) {
  describe(`the projection ${projection.name}`, () => {
    it('is pure: the same events make the same rows, and are left as they were', () =>
      fc.assert(
        fc.property(histories, (events) => {
          const history = frozen(recorded(events));
          const frozenRows: Projection = {
            ...projection,
            evolve: (row, ...args) => frozen(projection.evolve(row, ...args)),
          };
          expect(rowsOf(frozenRows, history)).toEqual(rowsOf(projection, history));
        }),
        { numRuns: 50 },
      ));

    it('makes rows of its columns, under the key that it named', () =>
      fc.assert(
        fc.property(histories, (events) => {
          for (const [key, row] of rowsOf(projection, recorded(events))) {
            expect(Object.keys(row)).toEqual(Object.keys(projection.columns));
            expect(Object.values(row).slice(0, projection.keyLength).join('/')).toBe(key);
            for (const [column, type] of Object.entries(projection.columns)) {
              const value = row[column];
              expect(value === null || fits[type](value), `${column} is of type ${type}`).toBe(true);
            }
          }
        }),
        { numRuns: 50 },
      ));

    it('has nothing to say about prices and terms', () => {
      const published = recorded([
        {
          ...{ type: 'TermsPublished', document: 'terms', version: '1', sha256: 'x', summary: '' },
          ...{ significant: false, effectiveAt: null },
        },
        { type: 'TermsWithdrawn', document: 'terms', version: '1', reason: 'a mistake' },
      ]);
      expect(published.flatMap((one) => projection.keysOf({ ...one, stream: 'terms' }))).toEqual([]);
    });
  });
}

describe('balances', () => {
  const lots = ({ lots }: Wallet, part: 'heldForRefund' | 'frozen'): bigint =>
    sum([...lots.values()].map((lot) => lot[part]));

  it('equal the state of the account in any history, with refunds, disputes and debts', () =>
    fc.assert(
      fc.property(moves, (asked) => {
        const events = [...customer, ...decisionsOf(asked).flatMap((decided) => decided.events)];
        const { wallet } = events.reduce(evolveAccount, initialAccount());
        const row = rowsOf(balances, recorded(events)).get('acc_1');
        expect(row).toMatchObject({
          topped_up: wallet.toppedUp,
          charged: wallet.charged,
          reversed: wallet.reversed,
          repaid: wallet.repaid,
          refunded: wallet.refunded,
          charged_back: wallet.chargedBack,
          expired: wallet.expired,
          forfeited: wallet.forfeited,
          waived: wallet.waived,
          held: wallet.held,
          held_for_refund: lots(wallet, 'heldForRefund'),
          frozen: lots(wallet, 'frozen'),
          debt: openDebt(wallet),
          open_holds: wallet.holds.size,
          next_end: wallet.nextEnd === null ? null : new Date(wallet.nextEnd),
          written_off: sum(events.map((event) => (event.type === 'UsageWrittenOff' ? event.amount : 0n))),
        } satisfies Partial<BalanceRow>);
      }),
      { numRuns: 500 },
    ));

  it('know an account from its registration on', () => {
    expect(rowsOf(balances, recorded([registered])).get('acc_1')).toMatchObject({ topped_up: 0n, revision: 0 });
  });
});

describe('daily usage', () => {
  it('sums to what the account was charged, each charge on its day', () =>
    fc.assert(
      fc.property(histories, (events) => {
        const rows = [...rowsOf(dailyUsage, recorded(events)).values()];
        const { wallet } = events.reduce(evolveAccount, initialAccount());
        expect(sum(rows.map(({ charged }) => charged))).toBe(wallet.charged);
        expect(sum(rows.map((row) => row.requests))).toBe(
          BigInt(events.filter(({ type }) => type === 'HoldSettled' || type === 'LateUsageCharged').length),
        );
      }),
    ));

  it('keeps tokens by class, and a day is one of UTC', () => {
    const usage = { input: 1, cachedInput: 2, cacheWrite: 3, output: 4, reasoning: 5 };
    const charge = { held: 20n, charged: 15n, released: 5n, drawn: [drawn(15n)] };
    const history = recorded([registered, toppedUp(99n), reserved(20n), { ...settled(15, charge), usage }]);
    expect([...rowsOf(dailyUsage, history).values()]).toEqual<DailyUsageRow[]>([
      {
        day: '2026-01-04',
        account_id: 'acc_1',
        key_id: 'key_1',
        model: price.model,
        requests: 1n,
        input_tokens: 1n,
        cached_input_tokens: 2n,
        cache_write_tokens: 3n,
        output_tokens: 4n,
        reasoning_tokens: 5n,
        cost: 15n,
        charged: 15n,
      },
    ]);
  });
});

describe('requests', () => {
  const rowOf = (...events: readonly AccountEvent[]): RequestRow | undefined =>
    rowsOf(requests, recorded([registered, toppedUp(100n), ...events])).get('req_1');

  it('are open, with what is held and by whom', () => {
    expect(rowOf(reserved(20n), extended(5n))).toMatchObject({
      account_id: 'acc_1',
      key_id: 'key_1',
      run_id: 'run_1',
      model: price.model,
      price_version: price.version,
      endpoint: request.endpoint,
      upstream: request.upstream,
      streamed: request.streamed,
      status: 'open',
      held: 25n,
      charged: 0n,
      ended_at: null,
      reserved_revision: 2,
    });
  });

  it('are settled, with their receipt', () => {
    const charge = { held: 20n, charged: 20n, released: 0n, drawn: [drawn(20n)] };
    expect(rowOf(reserved(20n), settled(30, charge), writtenOff(10n))).toMatchObject({
      status: 'settled',
      held: 20n,
      cost: 30n,
      charged: 20n,
      written_off: 10n,
      output_tokens: BigInt(tokens(30).output),
      usage_source: delivery.usageSource,
      ended: delivery.ended,
      finish_reason: delivery.finishReason,
      upstream_id: delivery.upstreamId,
      ended_revision: 3,
    });
  });

  it('have what was reversed of them, in all forms together, also before their row is known', () => {
    const charge = { held: 20n, charged: 20n, released: 0n, drawn: [drawn(20n)] };
    const first = reversed(3n, { returned: [drawn(2n)], granted: [drawn(1n)] });
    const second = reversed(4n, { debtReduced: [drawn(4n)] });
    expect(rowOf(reserved(20n), settled(20, charge), first, second)).toMatchObject({
      ...{ status: 'settled', charged: 20n, reversed: 7n, ended_revision: 3 },
    });
    expect(rowOf(first)).toMatchObject({ status: 'late', charged: 0n, reversed: 3n });
  });

  it('are released, with why', () => {
    expect(rowOf(reserved(20n), released(20n))).toMatchObject({
      status: 'released',
      charged: 0n,
      detail: 'upstream_failed: status 502',
      ended_revision: 3,
    });
  });

  it('are late where they were charged after their hold was released', () => {
    expect(rowOf(reserved(20n), released(20n), lateCharged(7, { charged: 7n, drawn: [drawn(7n)] }))).toMatchObject({
      status: 'late',
      charged: 7n,
      ended_revision: 4,
    });
  });

  it('are late if they were charged and the log has lost their hold, as after a restore', () => {
    const late = lateCharged(7, { charged: 7n, drawn: [drawn(7n)] });
    expect(rowOf(late)).toMatchObject({ status: 'late', charged: 7n, held: 0n, run_id: '', key_id: late.keyId });
  });

  it('stop at an event of a request that never was, rather than make something up', () => {
    expect(() => rowOf(released(20n))).toThrow('never reserved credits');
  });

  it('sum to what the account was charged, whatever happened', () =>
    fc.assert(
      fc.property(histories, (events) => {
        const rows = [...rowsOf(requests, recorded(events)).values()];
        const { wallet } = events.reduce(evolveAccount, initialAccount());
        expect(sum(rows.map(({ charged }) => charged))).toBe(wallet.charged);
        expect(sum(rows.filter(({ status }) => status === 'open').map(({ held }) => held))).toBe(wallet.held);
        expect(
          rows
            .filter(({ status }) => status === 'open')
            .map(({ request_id }) => request_id)
            .toSorted(),
        ).toEqual([...wallet.holds.keys()].toSorted());
      }),
    ));
});
