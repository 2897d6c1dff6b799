import { randomUUID } from 'node:crypto';
import { END, eventTypeFilter, streamNameFilter } from '@eventstore/db-client';
import type { Filter, Position } from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, connectTo, event, events, newStream, record, servers, until } from './servers.ts';
import type { Client } from './servers.ts';

describe.each(servers)('subscriptions to the $name', ({ start }) => {
  let client: Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ client, close } = await connectTo(await start()));
  });
  afterAll(() => close());

  /** A stream with four events, and the positions of all that are appended to it. */
  const streamOfFour = async () => {
    const stream = newStream();
    const positions: Position[] = [];
    const append = async (type = 'Tested'): Promise<void> => {
      const { position } = await client.appendToStream(stream, event(randomUUID(), type));
      if (position) positions.push(position);
    };
    for (let at = 0; at < 4; at += 1) await append();
    const at = (index: number, offset = 0n, prepareOffset = offset): Position => {
      const { commit, prepare } = positions[index] ?? { commit: 0n, prepare: 0n };
      return { commit: commit + offset, prepare: prepare + prepareOffset };
    };
    return { stream, append, at };
  };

  describe('to a stream', () => {
    it.each([
      { from: 'start', past: ['0', '1', '2', '3'] },
      { from: 1n, past: ['2', '3'] },
      { from: END, past: [] },
    ] as const)('delivers what is after $from, and then what is appended', async ({ from, past }) => {
      const { stream, append } = await streamOfFour();
      const subscription = client.subscribeToStream(stream, { fromRevision: from });
      const { seen, has } = record(subscription, stream);
      await has('caught up');
      await append();
      await has('4');
      expect(seen).toEqual(['confirmed', ...past, 'caught up', '4']);
      await subscription.unsubscribe();
    });

    it('waits for a stream that does not exist', async () => {
      const stream = newStream();
      const subscription = client.subscribeToStream(stream);
      const { seen, has } = record(subscription, stream);
      await has('confirmed');
      await client.appendToStream(stream, event());
      await has('0', 'caught up');
      expect(seen).toEqual(['confirmed', '0', 'caught up']);
      await subscription.unsubscribe();
    });

    it('ends with an error if the stream gets a tombstone', async () => {
      const { stream } = await streamOfFour();
      const { seen, has } = record(client.subscribeToStream(stream, { fromRevision: 2n }), stream);
      await has('caught up');
      await client.tombstoneStream(stream);
      await has('StreamDeletedError');
      expect(seen).toEqual(['confirmed', '3', 'caught up', String(2n ** 63n - 1n), 'StreamDeletedError']);
    });
  });

  describe('to all streams', () => {
    const filtered = (stream: string): readonly [string, Filter | undefined][] => [
      ['no filter', undefined],
      ['a prefix of names of streams', streamNameFilter({ prefixes: [stream.slice(0, 30)] })],
      ['an expression for names of streams', streamNameFilter({ regex: `^${stream}$` })],
      ['prefixes of types', eventTypeFilter({ prefixes: ['Other', 'Test'] })],
      ['an expression for types', eventTypeFilter({ regex: '^T.*d$' })],
    ];

    it.each([0, 1, 2, 3, 4])('delivers what is after a position, and then what is appended (filter %i)', async (at) => {
      const { stream, append, at: positionAt } = await streamOfFour();
      const [, filter] = filtered(stream)[at] ?? [];
      const fromPosition = positionAt(1);
      const subscription = client.subscribeToAll({ fromPosition, ...(filter && { filter }) });
      const { seen, has } = record(subscription, stream);
      await has('caught up');
      await append();
      await has('4');
      expect(seen).toEqual(['confirmed', '2', '3', 'caught up', '4']);
      await subscription.unsubscribe();
    });

    it('delivers only what passes the filter', async () => {
      const { stream, append, at } = await streamOfFour();
      await append('Other');
      const filters = [eventTypeFilter({ prefixes: ['Oth'] }), eventTypeFilter({ regex: '^O' })];
      const all = filters.map((filter) => client.subscribeToAll({ fromPosition: at(0), filter }));
      const records = all.map((subscription) => record(subscription, stream));
      for (const { has } of records) await has('caught up');
      await append();
      await append('Others');
      for (const { has } of records) await has('6');
      expect(records.map(({ seen }) => seen)).toEqual(all.map(() => ['confirmed', '4', 'caught up', '6']));
      const other = client.subscribeToAll({ filter: streamNameFilter({ prefixes: [newStream()] }) });
      const { seen, has } = record(other, stream);
      await has('caught up');
      expect(seen).toEqual(['confirmed', 'caught up']);
      for (const subscription of [...all, other]) await subscription.unsubscribe();
    });

    it('delivers only what is appended after it, from the end', async () => {
      const { stream, append } = await streamOfFour();
      const subscription = client.subscribeToAll({ fromPosition: END });
      const { seen, has } = record(subscription, stream);
      await has('caught up');
      await append();
      await has('4');
      expect(seen).toEqual(['confirmed', 'caught up', '4']);
      await subscription.unsubscribe();
    });

    it('accepts a position after the end, and delivers what is appended before that position', async () => {
      const { stream, append, at } = await streamOfFour();
      const fromPosition = at(3, 1_000_000n);
      const filter = streamNameFilter({ prefixes: [stream] });
      const subscription = client.subscribeToAll({ fromPosition, filter });
      const { seen, has } = record(subscription, stream);
      await has('caught up');
      await append();
      await has('4');
      expect(seen).toEqual(['confirmed', 'caught up', '4']);
      await subscription.unsubscribe();
    });

    it('refuses a position inside an event, and a prepare position after the commit position', async () => {
      const { stream, at } = await streamOfFour();
      for (const fromPosition of [at(1, 1n), at(1, 0n, 1n)]) {
        const { seen, has } = record(client.subscribeToAll({ fromPosition }), stream);
        await has('UnknownError');
        expect(seen).toEqual(['UnknownError']);
      }
    });

    it('drops a live subscription if many events are appended at once', async () => {
      const stream = newStream();
      const { seen, has } = record(client.subscribeToAll({ fromPosition: END }), stream);
      await has('caught up');
      await client.appendToStream(stream, events(1_000));
      await has('TimeoutError');
      expect(seen.length).toBeLessThan(1_000);
    });
  });

  /** Every fifth event is of one stream, which the filter selects; the others are named B. */
  describe('with checkpoints', () => {
    it.for([
      { every: 1, window: 32, past: 100, live: 10, expected: 'A29 A59 A94' },
      { every: 1, window: 2, past: 10, live: 6, expected: 'B0 B2 A4 B6 A9 LB1 LB3 LB5' },
      { every: 2, window: 2, past: 10, live: 6, expected: 'B2 B6 LB1 LB5' },
      { every: 1, window: 1, past: 5, live: 5, expected: 'B0 B1 B2 B3 A4 LB0 LB1 LB2 LB3 LA4' },
      { every: 3, window: 10, past: 100, live: 35, expected: 'A29 A59 A89 LA19' },
    ])('every $every × $window events', async ({ every, window, past, live, expected }, { skip }) => {
      const selected = newStream();
      const names = new Map<bigint, string>();
      const append = async (prefix: string, at: number): Promise<void> => {
        const isSelected = at % 5 === 4;
        const { position } = await client.appendToStream(isSelected ? selected : `other-${selected}`, event());
        names.set(position?.commit ?? 0n, `${prefix}${isSelected ? 'A' : 'B'}${at}`);
      };
      const { position } = await client.appendToStream(selected, event());
      if (!position) throw new Error('no position');
      for (let at = 0; at < past; at += 1) await append('', at);
      const checkpoints: bigint[] = [];
      const filter = streamNameFilter({
        prefixes: [selected],
        checkpointInterval: every,
        maxSearchWindow: window,
        checkpointReached: (_, reached) => {
          checkpoints.push(reached.commit);
          return Promise.resolve();
        },
      });
      const subscription = client.subscribeToAll({ fromPosition: position, filter });
      const { seen, has } = record(subscription, selected);
      await has('caught up');
      for (let at = 0; at < live; at += 1) await append('L', at);
      const count = expected.split(' ').length;
      await until(() => checkpoints.length >= count, 'all checkpoints');
      await until(() => seen.length >= 2 + Math.floor((past + live) / 5), 'all events');
      const all = await collect(client.readAll({ fromPosition: position }));
      skip(
        all.some(({ event: one }) => !one?.streamId.endsWith(selected)),
        'another client of the server has appended events, which count too',
      );
      expect(checkpoints.map((commit) => names.get(commit)).join(' ')).toBe(expected);
      await subscription.unsubscribe();
    });
  });
});
