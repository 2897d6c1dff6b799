import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cost, costBound, formatUsd, noUsage, type Credits } from '../../src/domain/money.ts';
import { StoreUnavailable } from '../../src/eventstore/event-store.ts';
import { createCall } from '../../src/proxy/call.ts';
import { createLedger, generationIdOf, type ExecuteOnAccount } from '../../src/proxy/ledger.ts';
import { relayStream } from '../../src/proxy/relay.ts';
import { countInput, reserveCredits } from '../../src/proxy/reservation.ts';
import { STEP_TOKENS } from '../../src/proxy/steps.ts';
import { UpstreamFailed } from '../../src/proxy/upstream.ts';
import { audit } from '../domain/account/audit.ts';
import { KEY_ID, openAccount, type TestAccount } from './account.ts';
import { chunk, countWords, price as listed, request, sse, usage } from './examples.ts';

const simulated = { ...listed, upstreamModel: 'simulated-m', maxOutputTokens: 50_000 };
const { rates } = listed;
const PROMPT_TOKENS = 3;
const LIMIT_USD = 10n ** 9n;
const uuid = '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d';
const generationId = generationIdOf(uuid);
const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** One event of so many words of one choice; a word is a token of two bytes. */
type Said = { readonly index: number; readonly words: number; readonly finish?: string };
const choiceChunk = (index: number, delta: object, finish: string | null = null): string =>
  chunk({}, { choices: [{ index, delta, finish_reason: finish }] });
const saying = ({ index, words, finish }: Said): string =>
  choiceChunk(index, { content: 'w '.repeat(words) }, finish ?? null);

/** What else happens to the account while the stream runs. */
type Meanwhile = (account: TestAccount) => Promise<unknown>;

type Play = {
  readonly credits: Credits;
  readonly said: readonly Said[];
  readonly fields?: object;
  readonly choices?: number;
  /** How the upstream ends: as it should, without the usage, or by breaking off. */
  readonly ending?: 'usage' | 'no usage' | 'break';
  /** Where the stream is cut into pieces, and what happens after each of them. */
  readonly cuts?: readonly number[];
  readonly meanwhile?: readonly Meanwhile[];
  readonly extendMs?: number;
  /** The store takes each extension in, and its first answer is lost. */
  readonly flaky?: boolean;
  /** The store takes no extension in, and the customer leaves after a while. */
  readonly awayForMs?: number;
  readonly price?: typeof simulated;
};

type Told = {
  readonly choices?: readonly { index: number; delta: { content?: string }; finish_reason: string | null }[];
  readonly usage?: unknown;
  readonly error?: unknown;
  readonly kissapi?: { readonly error: { readonly code: string } };
};

const tell = (written: string): readonly Told[] =>
  written
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)) as Told);

const wordsIn = (told: readonly Told[], index?: number): number =>
  told
    .flatMap(({ choices = [] }) => choices)
    .filter((choice) => index === undefined || choice.index === index)
    .reduce((sum, { delta }) => sum + (delta.content ?? '').length / 2, 0);

const play = async ({ credits, said, fields = {}, choices = 1, ending = 'usage', ...more }: Play) => {
  const { cuts = [], meanwhile = [], extendMs = 0, flaky = false, awayForMs, price = simulated } = more;
  const account = openAccount(credits);
  const lost = new Set<string>();
  /** All that the stream could have been held for when it ended. */
  let within = 0n;
  const execute: ExecuteOnAccount = async (...asked) => {
    const [, command, { commandId }, options] = asked;
    if (command.type === 'SettleHold') {
      const { balance, held, holds } = account.state.wallet;
      within = balance - held + (holds.get(generationId)?.amount ?? 0n);
    }
    if (command.type !== 'ExtendHold') return account.execute(...asked);
    if (awayForMs !== undefined) throw new StoreUnavailable('away');
    expect(options?.mayRepeat ?? false).toBe(lost.has(commandId));
    if (extendMs > 0) await after(extendMs);
    const outcome = await account.execute(...asked);
    if (flaky && !lost.has(commandId)) {
      lost.add(commandId);
      throw new StoreUnavailable('the answer was lost');
    }
    return outcome;
  };
  const asked = request({ stream: true, stream_options: { include_usage: true }, n: choices, ...fields });
  const ledger = createLedger({
    execute,
    asked: { uuid, accountId: 'acc_1', keyId: KEY_ID },
    runId: 'run',
    stopping: () => false,
  });
  const reservation = await reserveCredits({ request: asked, price, tokens: countWords, reserve: ledger.reserve });
  const inputTokens = await countInput(asked, countWords);
  if (!reservation.reserved) return { reserved: false, account, inputTokens } as const;
  const heldAtFirst = account.state.wallet.held;
  const customer = new AbortController();
  if (awayForMs !== undefined) setTimeout(() => customer.abort(), awayForMs);
  const gone = customer.signal;
  const call = createCall({
    ...{ gone, request: asked, price, reservation, ledger },
    ...{ tokens: countWords, idleTimeoutMs: 60_000 },
  });

  const total = said.reduce((sum, { words }) => sum + words, 0);
  const bytes = Buffer.from(
    sse(
      ...said.map(saying),
      ...Array.from({ length: ending === 'break' ? 0 : choices }, (_, index) => choiceChunk(index, {}, 'stop')),
      ...(ending === 'usage' ? [chunk({}, { choices: [], usage: usage(PROMPT_TOKENS, total) })] : []),
      ...(ending === 'break' ? [] : ['[DONE]']),
    ),
  );
  const places = [...new Set([0, ...cuts.map((at) => at % bytes.length), bytes.length])].sort((a, b) => a - b);
  const upstream = async function* () {
    for (const [n, to] of places.slice(1).entries()) {
      yield bytes.subarray(places[n], to);
      await meanwhile[n]?.(account);
    }
    if (ending === 'break') throw new UpstreamFailed('reset', 'broke');
  };

  let written = '';
  const waits: number[] = [];
  let wroteAt = Date.now();
  let deliveredWords = 0;
  const write = (passing: Uint8Array | string): undefined => {
    const text = typeof passing === 'string' ? passing : Buffer.from(passing).toString();
    written += text;
    deliveredWords += wordsIn(tell(text));
    waits.push(Date.now() - wroteAt);
    wroteAt = Date.now();
    const hold = account.state.wallet.holds.get(generationId);
    // Nothing is delivered, ever, that is not held for.
    if (hold) expect(hold.amount).toBeGreaterThanOrEqual(owed(deliveredWords));
  };
  const response = { status: 200, contentType: 'text/event-stream', body: upstream() };
  const done = relayStream(call, response, { write }).finally(() => call.close());
  done.catch(() => undefined);
  await vi.runAllTimersAsync();
  await done;

  const told = tell(written);
  const end = account.events.find((event) => event.type === 'HoldSettled' || event.type === 'LateUsageCharged');
  const extensions = account.events.filter(({ type }) => type === 'HoldExtended').length;
  const books = audit(account.history);
  const longestWaitMs = Math.max(...waits);
  return {
    ...{ reserved: true, account, inputTokens, heldAtFirst, written, told, end, extensions, books, total },
    ...{ longestWaitMs, within },
  } as const;
};

const played = async (how: Play) => {
  const result = await play(how);
  if (!result.reserved) throw new Error('it is reserved');
  return result;
};

const owed = (words: number): Credits => cost({ ...noUsage, input: PROMPT_TOKENS, output: words }, rates);
const many = (events: number, words: number, index = 0): Said[] =>
  Array.from({ length: events }, () => ({ index, words }));

/** Every choice ends once, and the stream as it should. */
const expectWellFormed = ({ told, written }: { told: readonly Told[]; written: string }, choices: number): void => {
  expect(written.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(written.match(/\[DONE\]/g)).toHaveLength(1);
  expect(told.every(({ error }) => error === undefined)).toBe(true);
  const finished = told.flatMap((one) => one.choices ?? []).filter(({ finish_reason }) => finish_reason !== null);
  expect(finished.map(({ index }) => index).sort()).toEqual(Array.from({ length: choices }, (_, index) => index));
  expect(told.filter((one) => one.usage)).toHaveLength(1);
  expect(told.at(-1)).toHaveProperty('usage.cost');
};

const hold = (id: string, amount: Credits): Meanwhile => {
  const pinned = { model: 'm', version: 1, rates };
  const facts = { endpoint: '/', upstream: 'test', streamed: true, inputTokensBound: 0, outputTokensBound: 0 };
  return (account) =>
    account.execute(
      'acc_1',
      { type: 'ReserveCredits', requestId: id, amount, keyId: KEY_ID, runId: 'r', price: pinned, request: facts },
      { actor: 'a', commandId: `${id}/reserve` },
    );
};
const release = (id: string): Meanwhile => {
  const command = { type: 'ReleaseHold', requestId: id, reason: 'orphaned', detail: '' } as const;
  return (account) => account.execute('acc_1', command, { actor: 'a', commandId: `${id}/release` });
};
const topUp = (lotId: string, amount: Credits): Meanwhile => {
  const command = { type: 'TopUp', lotId, amount, source: { kind: 'grant', reason: 'x' } } as const;
  return (account) => account.execute('acc_1', command, { actor: 'a', commandId: lotId });
};

describe('a stream that is held for in steps', () => {
  it('holds a step, and is reserved and settled once where it is short', async () => {
    const { heldAtFirst, account, extensions } = await played({ credits: 5n * LIMIT_USD, said: many(100, 5) });
    expect(heldAtFirst).toBeLessThan(LIMIT_USD / 100n);
    expect(extensions).toBe(0);
    expect(account.events.map(({ type }) => type)).toEqual(['CreditsReserved', 'HoldSettled']);
  });

  it('sets a step more aside in time, again and again, and is not kept waiting for it', async () => {
    const cuts = Array.from({ length: 5000 }, (_, n) => n * 200);
    const how = { credits: 5n * LIMIT_USD, said: many(4000, 5), cuts };
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
    expect(told.at(-1)).toMatchObject({ usage: { cost: formatUsd(books.charged) } });
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
      meanwhile: [topUp('more', LIMIT_USD)],
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
    const how = { credits: 5n * LIMIT_USD, said: many(1000, 3), fields: { max_tokens: 3000 } };
    const { extensions, account, end } = await played(how);
    expect(extensions).toBe(1);
    const held = account.events.find(({ type }) => type === 'HoldExtended');
    expect(held).toMatchObject({ by: costBound(0, 3000 - STEP_TOKENS, rates) });
    expect(end).toMatchObject({ charged: owed(3000) });
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

  it('goes on as far as was held where the hold was lost, and is charged late for that', async () => {
    const { told, end, written } = await played({
      credits: LIMIT_USD,
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
    const { told, end } = await played({ credits: LIMIT_USD, said: many(4000, 5), flaky: true });
    expect(wordsIn(told)).toBe(20_000);
    expect(end).toMatchObject({ delivery: { ended: 'completed' } });
  });

  it('is held for with a margin where its provider may count more tokens than we do', async () => {
    const how = { credits: owed(5000), said: many(4000, 5), price: { ...simulated, upstreamModel: 'deepseek-chat' } };
    const { told, books } = await played(how);
    expect(wordsIn(told) * 1.15).toBeLessThan(5000);
    expect(wordsIn(told) * 1.15).toBeGreaterThan(4900);
    expect(books.charged).toBe(owed(wordsIn(told)));
  });

  it('waits for the store as long as the customer does, who then pays for what came', async () => {
    const { told, end } = await played({ credits: LIMIT_USD, said: many(4000, 5), awayForMs: 60_000 });
    expect(wordsIn(told)).toBe(STEP_TOKENS - (STEP_TOKENS % 5));
    expect(end).toMatchObject({ charged: owed(wordsIn(told)), delivery: { ended: 'client_gone' } });
  });
});

/** How many words there would have been with the event that was not delivered; what was is all that came before it. */
const upToNext = (said: readonly Said[], delivered: number): number => {
  let words = 0;
  for (const one of said) {
    if (words + one.words > delivered) {
      expect(words).toBe(delivered);
      return words + one.words;
    }
    words += one.words;
  }
  throw new Error('all of it was delivered');
};

describe('any stream', () => {
  const words = fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 60 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1000, max: 5000 }) },
  );
  const credits = fc.integer({ min: 1, max: 20_000 }).map((output) => owed(output) + 200_000n);
  const shape = fc.integer({ min: 1, max: 3 }).chain((choices) =>
    fc.record({
      choices: fc.constant(choices),
      said: fc.array(fc.record({ index: fc.nat(choices - 1), words }), { maxLength: 400, size: 'max' }),
      ending: fc.constantFrom('usage', 'no usage', 'break'),
      cuts: fc.array(fc.nat(), { maxLength: 30, size: 'max' }),
      extendMs: fc.constantFrom(0, 7),
      flaky: fc.boolean(),
      credits,
    }),
  );
  const id = fc.constantFrom('a', 'b', 'c');
  const act: fc.Arbitrary<Meanwhile> = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(id, credits).map(([one, amount]) => hold(one, amount / 4n)) },
    { weight: 3, arbitrary: id.map(release) },
    { weight: 1, arbitrary: fc.tuple(id, credits).map(([lot, amount]) => topUp(lot, amount / 4n)) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        () => after(1),
        () => after(400),
      ),
    },
  );

  it('alone gets all that its credits pay for, to the last event, and not one more', () =>
    fc.assert(
      fc.asyncProperty(shape, async (how) => {
        const result = await play(how);
        fc.pre(result.reserved);
        const { told, books, end, inputTokens, account, total } = result;
        const delivered = wordsIn(told);
        const affords = (output: number): boolean => costBound(inputTokens, output, rates) <= how.credits;
        expect(books.writtenOff).toBe(0n);
        expect(account.state.wallet.held).toBe(0n);
        if (end) expect(books.charged).toBe(owed(delivered));
        if (affords(total)) {
          expect(delivered).toBe(total);
        } else {
          expect(affords(upToNext(how.said, delivered))).toBe(false);
        }
        if (how.ending !== 'break' || delivered < total) expectWellFormed(result, how.choices);
      }),
      { numRuns: 150 },
    ));

  it('among others, and with a hold that may be lost, is delivered what is held for, charged that, and never cut where it could be paid', () =>
    fc.assert(
      fc.asyncProperty(
        shape,
        fc.array(act, { minLength: 1, maxLength: 30 }),
        fc.option(fc.nat(30), { freq: 5 }),
        async (how, acts, loss) => {
          const meanwhile = acts.map((one, n) => (n === loss ? release(generationId) : one));
          const result = await play({ ...how, meanwhile });
          fc.pre(result.reserved);
          // Kept by the audit: no charge exceeds the credits, and what is not charged is written off, once.
          const { told, books, account, end } = result;
          const delivered = wordsIn(told);
          const held = account.events.reduce(
            (sum, event) =>
              event.type === 'CreditsReserved' && event.requestId === generationId
                ? event.amount
                : event.type === 'HoldExtended'
                  ? sum + event.by
                  : sum,
            0n,
          );
          expect(owed(delivered)).toBeLessThanOrEqual(held);
          expect(account.state.wallet.holds.has(generationId)).toBe(false);
          if (end) expect(owed(delivered) - books.charged).toBe(books.writtenOff);
          if (end?.type === 'HoldSettled') expect(books.writtenOff).toBe(0n);
          for (let index = 0; index < how.choices; index++) {
            const all = how.said.filter((one) => one.index === index).reduce((sum, one) => sum + one.words, 0);
            expect(wordsIn(told, index)).toBeLessThanOrEqual(all);
          }
          if (end?.type === 'HoldSettled' && end.delivery.ended === 'out_of_credits') {
            expectWellFormed(result, how.choices);
            const next = upToNext(how.said, delivered);
            expect(costBound(result.inputTokens, next, rates)).toBeGreaterThan(result.within);
          }
          expect(result.longestWaitMs).toBeLessThan(10_000);
        },
      ),
      { numRuns: 150 },
    ));
});
