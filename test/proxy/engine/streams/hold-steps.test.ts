import { like } from '../../examples.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AccountCommand } from '../../../../src/domain/account/decide.ts';
import type { Limits } from '../../../../src/domain/account/limits/limits.ts';
import { cost, costBound, formatUsd, noUsage } from '../../../../src/domain/money.ts';
import { STEP_TOKENS } from '../../../../src/proxy/engine/hold/hold-steps.ts';
import { KEY_ID, type TestAccount } from '../account.ts';
import {
  after,
  expectWellFormed,
  generationId,
  hold,
  ONE_USD,
  many,
  owed,
  play,
  played,
  rates,
  release,
  simulated,
  topUp,
  wordsIn,
} from './stepped-stream.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a stream that is held for in steps', () => {
  it('holds a step, and is reserved and settled once where it is short', async () => {
    const { heldAtFirst, account, extensions } = await played({ credits: 5n * ONE_USD, said: many(100, 5) });
    expect(heldAtFirst).toBeLessThan(ONE_USD / 100n);
    expect(extensions).toBe(0);
    expect(account.events.map(({ type }) => type)).toEqual(['CreditsReserved', 'HoldSettled']);
  });

  it('sets a step more aside in time, again and again, and is not kept waiting for it', async () => {
    const cuts = Array.from({ length: 5000 }, (_, n) => n * 200);
    const how = { credits: 5n * ONE_USD, said: many(4000, 5), cuts };
    const { extensions, told, end, longestWaitMs } = await played({
      ...how,
      extendMs: 50,
      meanwhile: cuts.map(() => () => after(1)),
    });
    expect(wordsIn(told)).toBe(20_000);
    expect(end).toMatchObject({ charged: owed(20_000), delivery: { ended: 'completed' } });
    expect(extensions).toBeGreaterThanOrEqual(9);
    expect(extensions).toBeLessThanOrEqual(11);
    expect(longestWaitMs).toBeLessThan(50);
  });

  it('ends in good order where credits do, with the text that was paid for and the reason', async () => {
    const credits = owed(5000);
    const result = await played({ credits, said: many(4000, 5) });
    const { told, end, books, account } = result;
    expectWellFormed(result, 1);
    expect(told.at(-2)).toMatchObject({
      choices: [{ index: 0, delta: {}, finish_reason: 'length' }],
      kissapi: { generation_id: generationId, error: { code: 'credit_balance_exhausted' } },
    });
    expect(end).toMatchObject({ delivery: { ended: 'out_of_credits', finishReason: 'length' } });
    expect(told.at(-1)).toMatchObject({ usage: { cost_usd: formatUsd(books.charged) } });
    expect(books).toMatchObject({ charged: owed(wordsIn(told)), writtenOff: 0n });
    expect(account.state.wallet.held).toBe(0n);
    // What is left is the price of the braces around the prompt.
    expect(wordsIn(told)).toBeGreaterThan(4950);
  });

  it('ends those choices alone that had not ended', async () => {
    const said = [...many(10, 5, 1), { index: 1, words: 1, finish: 'stop' }, ...many(4000, 5)];
    const result = await played({ credits: owed(9000), said, choices: 2 });
    expectWellFormed(result, 2);
    const [ended, ...others] = result.told.filter(({ kissapi }) => kissapi);
    expect(ended?.choices).toMatchObject([{ index: 0, finish_reason: 'length' }]);
    expect(others).toEqual([]);
  });

  it('begins with less than a step where there is less, and goes on where more comes', async () => {
    const { told, end, heldAtFirst } = await played({
      credits: owed(300),
      said: many(1000, 5),
      cuts: [1000],
      meanwhile: [topUp('more', ONE_USD)],
    });
    expect(heldAtFirst).toBeLessThanOrEqual(owed(300));
    expect(wordsIn(told)).toBe(5000);
    expect(end).toMatchObject({ delivery: { ended: 'completed' } });
  });

  it('is not begun where a limit was given and not even a step of it is there', async () => {
    for (const [max_tokens, reserved] of [
      [STEP_TOKENS * 10, false],
      [STEP_TOKENS, false],
      [500, true],
    ] as const) {
      const result = await play({ credits: owed(STEP_TOKENS / 2), said: many(10, 5), fields: { max_tokens } });
      expect(result.reserved).toBe(reserved);
    }
  });

  it('is held for up to the limit that was given, and no further', async () => {
    const how = { credits: 5n * ONE_USD, said: many(1000, 3), fields: { max_tokens: 3000 } };
    const { extensions, account, end } = await played(how);
    expect(extensions).toBe(1);
    const held = account.events.find(({ type }) => type === 'HoldExtended');
    expect(held).toMatchObject({ by: costBound(0, 3000 - STEP_TOKENS, rates), tokens: 3000 - STEP_TOKENS });
    expect(end).toMatchObject({ charged: owed(3000) });
  });

  it('ends a step beyond the limit where the provider takes no notice of it, and the house pays for that', async () => {
    const how = { credits: ONE_USD, said: many(4000, 5), fields: { max_tokens: 3000 }, ending: 'no usage' } as const;
    const result = await played(how);
    const { told, end, account } = result;
    expectWellFormed(result, 1);
    expect(wordsIn(told)).toBe(3000 + STEP_TOKENS - ((3000 + STEP_TOKENS) % 5));
    expect(told.at(-2)).toMatchObject({ choices: [{ index: 0, delta: {}, finish_reason: 'length' }] });
    expect(told.at(-2)).not.toHaveProperty('kissapi');
    expect(told.at(-1)).toMatchObject({ usage: { completion_tokens: 3000, cost_usd: formatUsd(owed(3000)) } });
    const anomalies = ['usage_missing', 'output_beyond_limit'];
    const delivery = { ended: 'completed', finishReason: 'length', usageSource: 'metered', anomalies };
    expect(end).toMatchObject({ charged: owed(3000), usage: { output: 3000 }, delivery });
    const beyond = { ...noUsage, output: wordsIn(told) - 3000 };
    const amount = cost(beyond, rates);
    expect(account.events.at(-1)).toEqual({ type: 'UsageWrittenOff', requestId: generationId, amount, beyond });
  });

  it('is not cut where its provider may count fewer tokens than we do, nor charged for more than was asked for', async () => {
    const price = { ...simulated, ...like('deepseek-flash') };
    const fields = { max_tokens: 6000 };
    const { told, end, books } = await played({
      ...{ credits: ONE_USD, said: many(1800, 5), fields, price, ending: 'no usage' },
    });
    expect(wordsIn(told)).toBe(9000);
    expect(end).toMatchObject({
      charged: owed(6000),
      delivery: { finishReason: 'stop', anomalies: ['usage_missing'] },
    });
    expect(books.writtenOff).toBe(0n);
  });

  it('waits a moment for credits that others hold, and not for long', async () => {
    const credits = owed(21_000);
    const said = many(4000, 5);
    const others = hold('other', owed(15_000));
    const freed = await played({
      ...{ credits, said, cuts: [1000], extendMs: 1 },
      meanwhile: [
        async (account) => {
          await others(account);
          setTimeout(() => void release('other')(account), 500);
        },
      ],
    });
    expect(freed.end).toMatchObject({ delivery: { ended: 'completed' } });
    const kept = await played({ credits, said, cuts: [1000], meanwhile: [others] });
    expectWellFormed(kept, 1);
    expect(kept.told.at(-2)?.kissapi?.error.code).toBe('credits_held_by_concurrent_requests');
    expect(kept.end).toMatchObject({ delivery: { ended: 'out_of_credits' }, charged: owed(wordsIn(kept.told)) });
    expect(kept.longestWaitMs).toBeLessThanOrEqual(1000);
  });

  it('names the holds of other requests if any more would do without them, and waits for nothing else', async () => {
    const shortageWith = async (held: bigint, limits?: Limits) => {
      const set = { type: 'SetKeyLimits', keyId: KEY_ID, limits: limits ?? {} } as const;
      const result = await played({
        ...{ credits: owed(9000), said: many(4000, 5), cuts: [100] },
        meanwhile: [
          async (account) => {
            if (held > 0n) await hold('other', held)(account);
            await account.execute('acc_1', set, { actor: 'a', commandId: 'limits' });
          },
        ],
      });
      return [result.told.at(-2)?.kissapi?.error.code, result.longestWaitMs] as const;
    };
    // Less than a step is held by the other request.
    const little = owed(1000) - owed(0);
    expect((await shortageWith(little))[0]).toBe('credits_held_by_concurrent_requests');
    const limited = { spending: { day: owed(8000) } };
    expect((await shortageWith(little, limited))[0]).toBe('limit_held_by_concurrent_requests');
    // One nano-dollar is less than a token.
    expect(await shortageWith(1n)).toEqual(['credit_balance_exhausted', 0]);
    expect(await shortageWith(0n)).toEqual(['credit_balance_exhausted', 0]);
  });

  it('ends at a limit on spending as at the end of credits', async () => {
    const limits = { spending: { day: owed(9000) } };
    const set = { type: 'SetKeyLimits', keyId: KEY_ID, limits } as const;
    const result = await played({
      ...{ credits: ONE_USD, said: many(4000, 5), cuts: [100] },
      meanwhile: [(account) => account.execute('acc_1', set, { actor: 'a', commandId: 'limits' })],
    });
    expectWellFormed(result, 1);
    expect(result.told.at(-2)?.kissapi?.error.code).toBe('key_limit_exceeded');
    expect(result.end).toMatchObject({ delivery: { ended: 'out_of_credits' }, charged: owed(wordsIn(result.told)) });
    expect(result.books.charged).toBeLessThanOrEqual(owed(9000));
    expect(result.books.writtenOff).toBe(0n);
  });

  const ended = (command: AccountCommand, commandId: string) => (account: TestAccount) =>
    account.execute('acc_1', command, { actor: 'a', commandId });
  it.each<[string, AccountCommand]>([
    ['key_revoked', { type: 'RevokeKey', keyId: KEY_ID, reason: 'leaked' }],
    ['account_suspended', { type: 'SuspendAccount', reason: 'resale' }],
    ['key_expired', { type: 'SetKeyLimits', keyId: KEY_ID, limits: { expiresAt: '2020-01-01T00:00:00.000Z' } }],
  ])('gets no further step once its access has ended, and ends with an error: %s', async (code, command) => {
    const how = { credits: ONE_USD, said: many(4000, 5), cuts: [100] };
    const { told, end, books, extensions, written } = await played({ ...how, meanwhile: [ended(command, 'end')] });
    expect(extensions).toBe(0);
    expect(wordsIn(told)).toBeLessThanOrEqual(STEP_TOKENS);
    expect(told.at(-1)).toMatchObject({ error: { kind: 'access_ended', code } });
    expect(written).not.toContain('[DONE]');
    expect(end).toMatchObject({ type: 'HoldSettled', delivery: { ended: 'access_ended', usageSource: 'metered' } });
    expect(books).toMatchObject({ charged: owed(wordsIn(told)), writtenOff: 0n });
  });

  it('is finished although its key was revoked, if no further step is needed', async () => {
    const command = { type: 'RevokeKey', keyId: KEY_ID, reason: 'leaked' } as const;
    const how = { credits: ONE_USD, said: many(100, 5), cuts: [100] };
    const { told, end } = await played({ ...how, meanwhile: [ended(command, 'end')] });
    expect(wordsIn(told)).toBe(500);
    expect(end).toMatchObject({ delivery: { ended: 'completed' } });
  });

  it('goes on as far as was held where the hold was lost, and is charged late for that', async () => {
    const { told, end, written } = await played({
      credits: ONE_USD,
      said: many(4000, 5),
      cuts: [1000],
      meanwhile: [release(generationId)],
    });
    expect(end).toMatchObject({
      type: 'LateUsageCharged',
      charged: owed(wordsIn(told)),
      delivery: { ended: 'drained' },
    });
    expect(wordsIn(told)).toBeLessThanOrEqual(STEP_TOKENS);
    expect(written).toContain('"code":"draining"');
  });

  it('asks the store again where an answer was lost, under the same name', async () => {
    const { told, end } = await played({ credits: ONE_USD, said: many(4000, 5), flaky: true });
    expect(wordsIn(told)).toBe(20_000);
    expect(end).toMatchObject({ delivery: { ended: 'completed' } });
  });

  it('is held for with a margin where its provider may count more tokens than we do', async () => {
    const how = { credits: owed(5000), said: many(4000, 5), price: { ...simulated, ...like('deepseek-flash') } };
    const { told, books } = await played(how);
    expect(wordsIn(told) * 1.5).toBeLessThan(5000);
    expect(wordsIn(told) * 1.5).toBeGreaterThan(4900);
    expect(books.charged).toBe(owed(wordsIn(told)));
  });

  it('is never cut where its output costs nothing', async () => {
    const price = { ...simulated, rates: { ...rates, output: 0n, reasoning: 0n } };
    const { told, end, extensions } = await played({ credits: ONE_USD, said: many(4000, 5), price });
    expect(wordsIn(told)).toBe(20_000);
    expect(end).toMatchObject({ charged: owed(20_000, price.rates), delivery: { ended: 'completed' } });
    expect(extensions).toBe(0);
  });

  it('waits for the store as long as the customer does, who then pays for what came', async () => {
    const { told, end } = await played({ credits: ONE_USD, said: many(4000, 5), awayForMs: 60_000 });
    expect(wordsIn(told)).toBe(STEP_TOKENS - (STEP_TOKENS % 5));
    expect(end).toMatchObject({ charged: owed(wordsIn(told)), delivery: { ended: 'client_gone', finishReason: null } });
  });
});
