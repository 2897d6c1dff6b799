import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import type { AccountCommand } from '../../../src/domain/account/decide.ts';
import { createNode, happen } from '../nodes.ts';
import { customer } from '../../domain/account/examples.ts';
import { openTwoStores, type TwoStores } from './two-stores.ts';

let stores: TwoStores;
beforeEach(async () => {
  stores = await openTwoStores();
});
afterEach(() => stores.close());

const topUp = (lotId: string): AccountCommand => ({
  ...{ type: 'TopUp', lotId, amount: 7n },
  source: { kind: 'grant', reason: 'test' },
});
const REPEAT = { mayRepeat: true };

describe('a command id that two nodes execute at once on EventStoreDB, which looks no ids up', () => {
  it('is carried out once, whenever the other node appends between a search, a read and an append', async () => {
    const [one, other] = [stores.open(), stores.open({ apart: true })];
    await happen(one, 'acc', ...customer);
    const { length } = await one.readStream(accountStream('acc'), 0, 100);
    /** What the other node does at the next read of the node under test, by the number of reads before it. */
    for (let moment = 0; moment < 6; moment++) {
      const id = `twice-${moment}`;
      let reads = 0;
      const meanwhile = async <T>(read: Promise<T>): Promise<T> => {
        const result = await read;
        if (reads++ === moment) await createNode(other).execute('acc', topUp(`lot_${moment}_b`), id, REPEAT);
        return result;
      };
      const { streams } = one;
      const watched = {
        ...one,
        streams: {
          ...streams,
          readStream: (...asked: Parameters<typeof streams.readStream>) => meanwhile(streams.readStream(...asked)),
          findEvent: (...asked: Parameters<typeof streams.findEvent>) => meanwhile(streams.findEvent(...asked)),
        },
      };
      const outcome = await createNode(watched).execute('acc', topUp(`lot_${moment}_a`), id, REPEAT);
      expect(outcome.kind).toBe('accepted');
      const events = await one.streams.readStream(accountStream('acc'), 0, 100);
      expect(events, `at read ${moment}`).toHaveLength(length + 1 + moment);
    }
  });
});
