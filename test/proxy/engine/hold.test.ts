import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Limits } from '../../../src/domain/account/limits/limits.ts';
import { cost, noUsage } from '../../../src/domain/money.ts';
import { inputTokensBound } from '../../../src/proxy/metering/bounds.ts';
import { createLedger } from '../../../src/proxy/engine/ledger.ts';
import { isBadRequest } from '../../../src/proxy/formats/format.ts';
import { reserveCredits } from '../../../src/proxy/engine/hold/hold.ts';
import { STEP_TOKENS } from '../../../src/proxy/engine/hold/hold-steps.ts';
import { KEY_ID, openAccount, type TestAccount } from './account.ts';
import { chat, countWords, price, readJob, request, like } from '../examples.ts';

const uuid = '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d';
const ledgerOf = ({ execute }: TestAccount, id = uuid) =>
  createLedger({
    execute,
    asked: { uuid: id, accountId: 'acc_1', keyId: KEY_ID },
    runId: () => 'run',
    now: () => new Date(),
    stopping: () => false,
  });

const noMedia = { tokens: 0, least: 0, bytes: 0 };
const reserve = async (account: TestAccount, fields: object = {}, of = price) => {
  let counted = 0;
  const tokens = {
    ...countWords,
    count: (texts: readonly string[]) => {
      counted++;
      return countWords.count(texts);
    },
  };
  const asked = request(fields);
  const result = await reserveCredits({ job: asked, price: of, tokens, reserve: ledgerOf(account).reserve });
  return { result, counted, held: account.state.wallet.held, bytes: inputTokensBound(asked, of, noMedia) };
};
const usd = (text: string): bigint => BigInt(Math.round(Number(text) * 1e9));
/** At the dearest classes: $1.25 in, $4 out. */
const bound = (input: number, output: number): bigint => cost({ ...noUsage, cacheWrite: input, output }, price.rates);
const long = { messages: [{ role: 'user', content: 'word '.repeat(2000) }] };

describe('reserveCredits', () => {
  it('holds bytes and the limit of the model, without counting', async () => {
    const { result, counted, held, bytes } = await reserve(openAccount(usd('5')));
    expect(result).toMatchObject({ reserved: true, bounds: { inputTokens: bytes, outputTokens: 1000 } });
    expect(held).toBe(bound(bytes, 1000));
    expect(counted).toBe(0);
  });

  it('holds no more than the limit that was given, for each choice, nor than the model can say', async () => {
    const { result, held, bytes } = await reserve(openAccount(usd('5')), { max_tokens: 10, n: 3 });
    expect(result).toMatchObject({ bounds: { outputTokens: 30 } });
    expect(held).toBe(bound(bytes, 30));
    const { result: most } = await reserve(openAccount(usd('5')), { max_tokens: 1_000_000 });
    expect(most).toMatchObject({ bounds: { outputTokens: 1000 } });
  });

  it('pins the price', async () => {
    const account = openAccount(usd('5'));
    const { result } = await reserve(account);
    const pinned = { model: 'm', version: 1, rates: price.rates };
    expect(result).toMatchObject({ price: pinned });
    expect(account.events).toMatchObject([{ type: 'CreditsReserved', price: pinned, request: { upstream: 'test' } }]);
  });

  it('counts the prompt where bytes do not fit', async () => {
    const account = openAccount(usd('0.01'));
    const { result, counted, held, bytes } = await reserve(account, { ...long, max_tokens: 100 });
    expect(bytes).toBeGreaterThan(10_000);
    expect(counted).toBe(1);
    expect(result).toMatchObject({ reserved: true, bounds: { outputTokens: 100 } });
    expect(held).toBeLessThan(bound(3200, 100));
    expect(result).not.toHaveProperty('bounds.outputCap');
  });

  it('caps what was not limited at what is affordable', async () => {
    const account = openAccount(usd('0.002'));
    const { result } = await reserve(account);
    if (!result.reserved) throw new Error('it is reserved');
    const { outputCap = 0, inputTokens, outputTokens } = result.bounds;
    expect(outputCap).toBe(outputTokens);
    expect(account.state.wallet.held).toBe(bound(inputTokens, outputTokens));
    // One token more would not have fitted.
    expect(bound(inputTokens, outputCap + 1)).toBeGreaterThan(usd('0.002'));
  });

  it('caps each of several choices', async () => {
    const { result } = await reserve(openAccount(usd('0.002')), { n: 4 });
    if (!result.reserved) throw new Error('it is reserved');
    expect(result.bounds.outputTokens).toBe(4 * (result.bounds.outputCap ?? 0));
  });

  it('keeps a limit that was given, or refuses: it is never cut', async () => {
    const account = openAccount(usd('0.002'));
    const { result } = await reserve(account, { max_tokens: 1000 });
    expect(result).toMatchObject({ reserved: false, refusal: { code: 'insufficient_credits' } });
    if (result.reserved) throw new Error('it is refused');
    // What it says is affordable is, and no more; but for the digits of the limit itself, which count as well.
    const affordable = result.affordableTokens ?? 0;
    expect(affordable).toBeGreaterThan(300);
    expect((await reserve(account, { max_tokens: affordable })).result.reserved).toBe(true);
    expect((await reserve(openAccount(usd('0.002')), { max_tokens: affordable + 2 })).result.reserved).toBe(false);
  });

  it('tells a limit with which it is let in, whatever the balance, and however the request is written', async () => {
    const large = { ...price, maxOutputTokens: 100_000 };
    const asked = fc.record({
      // Beyond what the input may cost: where a limit is little, the bytes that say it weigh most.
      tokens: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 100_000 })),
      over: fc.bigInt({ min: 0n, max: 4_000n }),
      fields: fc.constantFrom<object>(
        ...[{}, { max_tokens: null }, { max_tokens: 1e5 }, { max_completion_tokens: 99_999 }],
        ...[{ stream: true }, { max_tokens: 500, max_completion_tokens: 90_000 }],
      ),
      more: fc.constantFrom<object>({}, { n: 3 }, long),
      set: fc.constantFrom('max_tokens', 'max_completion_tokens'),
      // As most clients write it, as Python does, as people do, and with a limit in fewer digits than it has.
      write: fc.constantFrom<(fields: object) => string>(
        (fields) => JSON.stringify(fields),
        (fields) => JSON.stringify(fields).replaceAll(/([:,])"/g, '$1 "'),
        (fields) => JSON.stringify(fields, null, 8),
        (fields) => JSON.stringify(fields).replace(':100000', ':1e5'),
      ),
    });
    let told = 0;
    await fc.assert(
      fc.asyncProperty(asked, async ({ tokens, over, fields, more, set, write }) => {
        const input = Buffer.byteLength(write({ ...chat, ...more, ...fields }));
        const credits = bound(input, tokens) + over;
        const ask = async (limits: object) => {
          const body = Buffer.from(write({ ...chat, ...more, ...limits }));
          const read = readJob('/chat/completions', body);
          if (isBadRequest(read)) throw new Error(read.message);
          const { reserve } = ledgerOf(openAccount(credits));
          return reserveCredits({ job: read, price: large, tokens: countWords, reserve });
        };
        const refused = await ask(fields);
        if (refused.reserved || (refused.affordableTokens ?? 0) <= 0) return;
        const { affordableTokens = 0 } = refused;
        const given = Object.entries(fields).flatMap(([name, value]) => (typeof value === 'number' ? [name] : []));
        const lowered = (to: number): object => ({
          ...fields,
          ...Object.fromEntries((given.length > 0 ? given : [set]).map((name) => [name, to])),
        });
        told++;
        expect(await ask(lowered(affordableTokens))).toMatchObject({ reserved: true });
        // Nor is it much less than what would do.
        expect(await ask(lowered(affordableTokens + 20))).toMatchObject({ reserved: false });
      }),
      { numRuns: 500 },
    );
    expect(told).toBeGreaterThan(50);
  });

  it('refuses rather than to answer in a few words', async () => {
    const { result: capped } = await reserve(openAccount(usd('0.002')));
    if (!capped.reserved) throw new Error('it is reserved');
    const { inputTokens } = capped.bounds;
    const { result } = await reserve(openAccount(bound(inputTokens, 15)));
    expect(result).toMatchObject({ reserved: false, refusal: { code: 'insufficient_credits' } });
    // To set a limit takes a few bytes as well.
    expect(result).toHaveProperty('affordableTokens', 1);
    const { result: just } = await reserve(openAccount(bound(inputTokens, 16)));
    expect(just).toMatchObject({ reserved: true, bounds: { outputCap: 16 } });
  });

  it('does not cap by what others hold at the moment', async () => {
    const account = openAccount(usd('0.01'));
    const other = { reserve: ledgerOf(account, '0198f3c2-0000-7c3a-9d52-4f6e8a1b2c3d').reserve };
    await reserveCredits({ job: request({ max_tokens: 1000 }), price, tokens: countWords, ...other });
    await reserveCredits({
      job: request({ max_tokens: 1000 }),
      price,
      tokens: countWords,
      reserve: ledgerOf(account, '0198f3c2-0001-7c3a-9d52-4f6e8a1b2c3d').reserve,
    });
    const { result } = await reserve(account);
    expect(result).toMatchObject({ reserved: false, refusal: { code: 'credits_held_by_concurrent_requests' } });
  });

  it('does not count where credit is not what is wanting', async () => {
    const account = openAccount(usd('5'));
    await account.execute('acc_1', { type: 'SuspendAccount', reason: 'x' }, { actor: 'admin', commandId: 'c' });
    const { result, counted } = await reserve(account);
    expect(result).toMatchObject({ reserved: false, refusal: { code: 'account_suspended' } });
    expect(counted).toBe(0);
  });

  it('holds nothing where tokens are free', async () => {
    const free = { input: 0n, cachedInput: 0n, cacheWrite: 0n, output: 0n, reasoning: 0n };
    const { result, held } = await reserve(openAccount(1n), {}, { ...price, rates: free });
    expect(result.reserved).toBe(true);
    expect(held).toBe(0n);
  });
});

describe('a stream', () => {
  const steps = { ...price, ...like('gpt-4o'), maxOutputTokens: 50_000 };
  const streamed = { stream: true };

  it('holds a step of each choice, and knows how far it may go', async () => {
    const { result, held, bytes } = await reserve(openAccount(usd('5')), { ...streamed, n: 3 }, steps);
    expect(result).toMatchObject({ bounds: { outputTokens: 3 * STEP_TOKENS, outputLimit: 150_000 } });
    expect(held).toBe(bound(bytes, 3 * STEP_TOKENS));
  });

  it.each<[string, object, string | undefined, number]>([
    ['it does not stream', {}, 'gpt-4o', 50_000],
    ['a step is more than its limit', { ...streamed, max_tokens: 500 }, 'gpt-4o', 500],
    ['its model may think unseen', streamed, 'o3', 50_000],
    ['its model is unknown', streamed, undefined, 50_000],
    ['predictions that prove wrong are billed', { ...streamed, prediction: { content: 'x' } }, 'gpt-4o', 50_000],
  ])('holds all of it where %s', async (_why, fields, model, outputTokens) => {
    const large = { ...price, ...(model === undefined ? {} : like(model)), maxOutputTokens: 50_000 };
    const { result } = await reserve(openAccount(usd('5')), fields, large);
    expect(result).toMatchObject({ bounds: { outputTokens, outputLimit: outputTokens } });
  });

  it('begins with what is affordable, and the upstream is told of no cap, for more may come', async () => {
    const { result } = await reserve(openAccount(usd('0.002')), streamed, steps);
    expect(result).toMatchObject({ bounds: { outputLimit: 50_000 } });
    expect(result).not.toHaveProperty('bounds.outputCap');
    if (!result.reserved) throw new Error('it is reserved');
    expect(result.bounds.outputTokens).toBeGreaterThan(300);
    expect(result.bounds.outputTokens).toBeLessThan(500);
  });
});

describe('reserveCredits under a limit', () => {
  const limited = async (limits: Limits, credits = usd('5')): Promise<TestAccount> => {
    const account = openAccount(credits);
    await account.execute(
      'acc_1',
      { type: 'SetKeyLimits', keyId: KEY_ID, limits },
      { actor: 'a', commandId: 'limits' },
    );
    return account;
  };
  const codeOf = ({ result }: Awaited<ReturnType<typeof reserve>>): unknown =>
    result.reserved ? 'reserved' : result.refusal.code;

  it('on spending, counts the prompt where bytes do not fit, and begins with what is affordable', async () => {
    const { result, counted } = await reserve(await limited({ spending: { day: usd('0.005') } }), long);
    expect(counted).toBe(1);
    expect(result).toMatchObject({ reserved: true, bounds: { outputCap: expect.any(Number) as unknown } });
    if (result.reserved) expect(result.held).toBeLessThanOrEqual(usd('0.005'));
    if (result.reserved) expect(result.held).toBeGreaterThan(usd('0.00499'));
  });
  it('on spending, does not cut what was asked for', async () => {
    const refused = await reserve(await limited({ spending: { day: usd('0.005') } }), { ...long, max_tokens: 1000 });
    expect(codeOf(refused)).toBe('key_limit_exceeded');
    expect(refused.result).toHaveProperty('affordableTokens');
  });
  it('begins with what both the limit and the balance pay for', async () => {
    const { result } = await reserve(await limited({ spending: { day: usd('0.003') } }, usd('0.002')));
    expect(result).toMatchObject({ reserved: true });
    if (result.reserved) expect(result.held).toBeLessThanOrEqual(usd('0.002'));
  });
  it('of tokens by the minute, counts the prompt where bytes do not fit', async () => {
    const { result, counted, bytes } = await reserve(await limited({ tokensPerMinute: 4000 }), {
      ...long,
      max_tokens: 100,
    });
    expect(bytes).toBeGreaterThan(10_000);
    expect(counted).toBe(1);
    expect(result).toMatchObject({ reserved: true });
  });
  it('of tokens by the minute, counts nothing where the output alone does not fit', async () => {
    const refused = await reserve(await limited({ tokensPerMinute: 1000 }), long);
    expect([codeOf(refused), refused.counted]).toEqual(['rate_limit_exceeded', 0]);
  });
  it('of another kind, does not count either', async () => {
    const refused = await reserve(await limited({ models: ['other'], tokensPerMinute: 4000 }), long);
    expect([codeOf(refused), refused.counted]).toEqual(['model_not_allowed', 0]);
  });
});

describe('a refusal', () => {
  const held = new Set(['credits_held_by_concurrent_requests', 'limit_held_by_concurrent_requests']);
  const steps = { ...price, ...like('gpt-4o'), maxOutputTokens: 50_000 };

  type Situation = {
    readonly credits: bigint;
    /** In thousandths of the credits. */
    readonly others: readonly { readonly part: bigint; readonly otherKey: boolean }[];
    readonly ofKey: bigint | undefined;
    readonly ofAccount: bigint | undefined;
    readonly fields: object;
    readonly of: typeof price;
  };

  const situated = async ({ credits, others, ofKey, ofAccount }: Situation, withHolds: boolean) => {
    const account = openAccount(credits);
    const run = (command: Parameters<typeof account.execute>[1], commandId: string) =>
      account.execute('acc_1', command, { actor: 'a', commandId });
    await run({ type: 'IssueKey', keyId: 'key_2', name: '', hash: 'h2', pepperId: '1', hint: '' }, 'key');
    if (withHolds) {
      for (const [n, { part, otherKey }] of others.entries()) {
        await run(
          {
            ...{ type: 'ReserveCredits', requestId: `other-${n}`, keyId: otherKey ? 'key_2' : KEY_ID, runId: 'r' },
            ...{ amount: (account.state.wallet.balance * part) / 1000n, at: Date.now() },
            price: { model: 'm', version: 1, rates: price.rates },
            request: { endpoint: '/', upstream: 'test', streamed: true, inputTokensBound: 0, outputTokensBound: 0 },
          },
          `other-${n}`,
        );
      }
    }
    if (ofKey !== undefined)
      await run({ type: 'SetKeyLimits', keyId: KEY_ID, limits: { spending: { day: ofKey } } }, 'k');
    if (ofAccount !== undefined)
      await run({ type: 'SetAccountLimits', limits: { spending: { total: ofAccount } } }, 'a');
    return account;
  };
  const outcome = async (how: Situation, withHolds: boolean): Promise<string> => {
    const { result } = await reserve(await situated(how, withHolds), how.fields, how.of);
    return result.reserved ? 'reserved' : result.refusal.code;
  };

  it('names the holds of other requests if, and only if, the request would do without them', async () => {
    const amount = fc.bigInt({ min: 0n, max: usd('0.02') });
    const situations = fc.record({
      credits: fc.bigInt({ min: 1n, max: usd('0.02') }),
      others: fc.array(fc.record({ part: fc.constantFrom(50n, 500n, 900n, 1000n), otherKey: fc.boolean() }), {
        maxLength: 3,
      }),
      ofKey: fc.option(amount, { nil: undefined }),
      ofAccount: fc.option(amount, { nil: undefined }),
      fields: fc.constantFrom<object>(
        {},
        { max_tokens: 900 },
        { stream: true },
        { stream: true, max_tokens: 3000 },
        long,
      ),
      of: fc.constantFrom(price, steps, { ...steps, ...like('gpt-5') }),
    });
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(situations, async (how) => {
        const code = await outcome(how, true);
        seen.set(code, (seen.get(code) ?? 0) + 1);
        if (code === 'reserved') return;
        expect([code, held.has(code)]).toEqual([code, (await outcome(how, false)) === 'reserved']);
      }),
      { numRuns: 500 },
    );
    expect([...seen.keys()]).toEqual(expect.arrayContaining(['reserved', 'insufficient_credits', ...held]));
  });

  it('of a model that thinks unseen names the holds, though all credits are held and its whole limit never fits', async () => {
    const thinks = { ...steps, ...like('gpt-5') };
    const account = openAccount(usd('0.1'));
    const first = await reserve(account, { stream: true }, thinks);
    expect(first.result.reserved).toBe(true);
    const second = await reserveCredits({
      ...{ job: request({ stream: true }), price: thinks, tokens: countWords },
      reserve: ledgerOf(account, uuid.replace(/.$/, '0')).reserve,
    });
    const refusal = { code: 'credits_held_by_concurrent_requests', funds: { held: account.state.wallet.held } };
    expect(second).toMatchObject({ reserved: false, refusal });
  });

  it('asks again if the credits changed between two asks, and is capped at what is left', async () => {
    const account = openAccount(usd('0.003'));
    const { reserve: ask } = ledgerOf(account);
    const others = ledgerOf(account, uuid.replace(/.$/, '1'));
    let asks = 0;
    const result = await reserveCredits({
      ...{ job: request(), price, tokens: countWords },
      reserve: async (hold, step) => {
        asks++;
        if (step.startsWith('reserve-capped') && others.requestId !== '' && account.state.wallet.charged === 0n) {
          // Another request is held and charged in between.
          await others.reserve({ ...hold, amount: usd('0.001') }, 'reserve');
          await others.settle({ ...noUsage, output: 250 }, hold.price, {
            ...{ ended: 'completed', finishReason: 'stop', usageSource: 'reported', upstreamId: null },
            ...{ firstByteMs: null, durationMs: 1, anomalies: [] },
          } as never);
        }
        return ask(hold, step);
      },
    });
    expect(result).toMatchObject({ reserved: true, bounds: { cappedBy: 'insufficient_credits' } });
    expect(asks).toBeGreaterThan(2);
    expect(account.state.wallet.held).toBeLessThanOrEqual(usd('0.002'));
  });

  it('caps by what other requests hold, and says so', async () => {
    const how = { credits: usd('0.003'), others: [{ part: 500n, otherKey: true }], fields: {}, of: price } as const;
    const { result } = await reserve(await situated({ ...how, ofKey: undefined, ofAccount: undefined }, true));
    expect(result).toMatchObject({ bounds: { cappedBy: 'credits_held_by_concurrent_requests' } });
  });
});
