import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noUsage } from '../../../src/domain/money.ts';
import type { Delivery } from '../../../src/domain/account/events.ts';
import { StoreUnavailable } from '../../../src/eventstore/event-store.ts';
import {
  createLedger,
  orphanCommandId,
  SettlementUnknown,
  type ExecuteOnAccount,
} from '../../../src/proxy/engine/ledger.ts';
import { KEY_ID, openAccount, type TestAccount } from './account.ts';
import { price } from '../examples.ts';

const uuid = '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d';
const pinned = { model: price.model, version: price.version, rates: price.rates };
const request = {
  endpoint: '/chat/completions',
  upstream: 'test',
  streamed: false,
  inputTokensBound: 1,
  outputTokensBound: 1,
};
const hold = { amount: 1000n, price: pinned, request };
const usage = { ...noUsage, input: 10 };
const delivery: Delivery = {
  usageSource: 'reported',
  ended: 'completed',
  finishReason: 'stop',
  upstreamId: null,
  firstByteMs: 1,
  totalMs: 2,
  anomalies: [],
};

const NOW = new Date('2026-01-31T12:00:00Z');

const ledgerOf = (execute: ExecuteOnAccount, stopping = () => false) =>
  createLedger({
    execute,
    asked: { uuid, accountId: 'acc_1', keyId: KEY_ID },
    runId: () => 'run',
    now: () => NOW,
    stopping,
  });

/** Cannot be reached so many times; `written` says whether what it was asked got through all the same. */
const failing = ({ execute }: TestAccount, times: number, written = false): ExecuteOnAccount => {
  let left = times;
  return async (...asked) => {
    if (left-- <= 0) return execute(...asked);
    if (written) await execute(...asked);
    throw new StoreUnavailable('gone');
  };
};

let account: TestAccount;
beforeEach(() => {
  account = openAccount(100_000n);
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

describe('a ledger', () => {
  it('charges for what was used, and tells how much', async () => {
    const ledger = ledgerOf(account.execute);
    await ledger.reserve(hold, 'reserve');
    expect(await ledger.settle(usage, pinned, delivery)).toBe(10_000n);
    expect(account.state.wallet).toMatchObject({ balance: 90_000n, held: 0n });
  });

  it('charges once, however often it is asked', async () => {
    const ledger = ledgerOf(account.execute);
    await ledger.reserve(hold, 'reserve');
    expect(await ledger.settle(usage, pinned, delivery)).toBe(await ledger.settle(usage, pinned, delivery));
    expect(account.state.wallet.balance).toBe(90_000n);
  });

  it('charges late where the hold was given back meanwhile', async () => {
    const ledger = ledgerOf(account.execute);
    await ledger.reserve(hold, 'reserve');
    await account.execute(
      'acc_1',
      { type: 'ReleaseHold', requestId: ledger.requestId, reason: 'orphaned', detail: '' },
      { actor: 'system', commandId: orphanCommandId(ledger.requestId) },
    );
    expect(await ledger.settle(usage, pinned, delivery)).toBe(10_000n);
    expect(account.events.map(({ type }) => type)).toEqual(['CreditsReserved', 'HoldReleased', 'LateUsageCharged']);
  });

  it('gives back what is held, and nothing where nothing is', async () => {
    const ledger = ledgerOf(account.execute);
    await ledger.release('client_gone', 'never reserved');
    expect(account.events).toEqual([]);
    await ledger.reserve(hold, 'reserve');
    await ledger.release('client_gone', 'x');
    expect(account.state.wallet).toMatchObject({ balance: 100_000n, held: 0n });
  });

  it.each([false, true])(
    'ends a hold though the store is away (and what it was asked got through: %s)',
    async (written) => {
      await ledgerOf(account.execute).reserve(hold, 'reserve');
      const settled = ledgerOf(failing(account, 3, written)).settle(usage, pinned, delivery);
      await vi.runAllTimersAsync();
      expect(await settled).toBe(10_000n);
      expect(account.state.wallet).toMatchObject({ balance: 90_000n, held: 0n });

      const other = openAccount(5000n);
      await ledgerOf(other.execute).reserve(hold, 'reserve');
      const released = ledgerOf(failing(other, 3, written)).release('client_gone', 'x');
      await vi.runAllTimersAsync();
      await released;
      expect(other.state.wallet).toMatchObject({ balance: 5000n, held: 0n });
    },
  );

  it('says that it is the same command again', async () => {
    const execute = vi.fn(failing(account, 1));
    await ledgerOf(account.execute).reserve(hold, 'reserve');
    const settled = ledgerOf(execute).settle(usage, pinned, delivery);
    await vi.runAllTimersAsync();
    await settled;
    expect(execute.mock.calls.map(([, , { commandId }, options]) => [commandId, options])).toEqual([
      [`${uuid}/settle`, { mayRepeat: false }],
      [`${uuid}/settle`, { mayRepeat: true }],
    ]);
  });

  it('gives up where the process stops: others end its holds', async () => {
    const ledger = ledgerOf(failing(account, Infinity), () => true);
    await expect(ledger.release('client_gone', 'x')).rejects.toThrow(StoreUnavailable);
  });

  it('tells a charge that may have got through from one that did not, where it gives up', async () => {
    await ledgerOf(account.execute).reserve(hold, 'reserve');
    const ledger = ledgerOf(failing(account, Infinity, true), () => true);
    await expect(ledger.settle(usage, pinned, delivery)).rejects.toThrow(SettlementUnknown);
    expect(account.state.wallet.balance).toBe(90_000n);
  });

  it('does not insist on a reservation: the customer may ask again', async () => {
    await expect(ledgerOf(failing(account, 1)).reserve(hold, 'reserve')).rejects.toThrow(StoreUnavailable);
  });

  it('hides no other fault', async () => {
    const broken: ExecuteOnAccount = () => Promise.reject(new TypeError('a bug'));
    await expect(ledgerOf(broken).settle(usage, pinned, delivery)).rejects.toThrow(TypeError);
  });
});
