import { expect, vi } from 'vitest';
import { cost, noUsage, type Credits } from '../../../../src/domain/money.ts';
import { StoreUnavailable } from '../../../../src/eventstore/event-store.ts';
import { tokensPerCounted } from '../../../../src/proxy/metering/bounds.ts';
import { createCall } from '../../../../src/proxy/engine/call.ts';
import { createLedger, generationIdOf, type ExecuteOnAccount } from '../../../../src/proxy/engine/ledger.ts';
import { mediaOf } from '../../../../src/proxy/media/media-parts.ts';
import { relayStream } from '../../../../src/proxy/engine/relay.ts';
import { countInput, reserveCredits } from '../../../../src/proxy/engine/hold/hold.ts';
import { STEP_TOKENS } from '../../../../src/proxy/engine/hold/hold-steps.ts';
import { readBatches } from '../../../../src/proxy/providers/openai/stream-reader.ts';
import { ProviderFailed } from '../../../../src/proxy/providers/provider.ts';
import { audit } from '../../../reference/audit-history.ts';
import { KEY_ID, openAccount, type TestAccount } from '../account.ts';
import { chunk, countWords, price as listed, request, sinkOf, sse, usage, like } from '../../examples.ts';

export const simulated = { ...listed, ...like('simulated-chat'), maxOutputTokens: 50_000 };
export const { rates } = listed;
const PROMPT_TOKENS = 3;
export const ONE_USD = 10n ** 9n;
const uuid = '0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d';
export const generationId = generationIdOf(uuid);
export const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** One event of so many words of one choice; a word is a token of two bytes. */
export type Said = { readonly index: number; readonly words: number; readonly finish?: string };
const choiceChunk = (index: number, delta: object, finish: string | null = null): string =>
  chunk({}, { choices: [{ index, delta, finish_reason: finish }] });
const saying = ({ index, words, finish }: Said): string =>
  choiceChunk(index, { content: 'w '.repeat(words) }, finish ?? null);

/** What else happens to the account while the stream runs. */
export type Meanwhile = (account: TestAccount) => Promise<unknown>;

export type Play = {
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

export type Told = {
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

export const wordsIn = (told: readonly Told[], index?: number): number =>
  told
    .flatMap(({ choices = [] }) => choices)
    .filter((choice) => index === undefined || choice.index === index)
    .reduce((sum, { delta }) => sum + (delta.content ?? '').length / 2, 0);

export const play = async ({ credits, said, fields = {}, choices = 1, ending = 'usage', ...more }: Play) => {
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
    expect(command.by).toBeGreaterThan(0n);
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
    runId: () => 'run',
    now: () => new Date(),
    stopping: () => false,
  });
  const reservation = await reserveCredits({ job: asked, price, tokens: countWords, reserve: ledger.reserve });
  const inputTokens = await countInput(asked, price, mediaOf(asked, price), countWords);
  if (!reservation.reserved) return { reserved: false, account, inputTokens } as const;
  const heldAtFirst = account.state.wallet.held;
  const customer = new AbortController();
  if (awayForMs !== undefined) setTimeout(() => customer.abort(), awayForMs);
  const gone = customer.signal;
  const call = createCall({
    ...{ askedAt: new Date(0), gone, job: asked, price, reservation, ledger },
    ...{ promptTokens: countWords, tokens: countWords, idleTimeoutMs: 60_000 },
  });

  const total = said.reduce((sum, { words }) => sum + words, 0);
  /** The most words that were asked for, and that are ever delivered. */
  const limit = Math.min(asked.maxOutputTokens ?? Infinity, price.maxOutputTokens) * choices;
  const most = (limit + STEP_TOKENS * choices) * tokensPerCounted(price);
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
    if (ending === 'break') throw new ProviderFailed('reset', 'broke');
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
    // Nothing that was asked for is delivered, ever, and not held for; and of what was not, no more than a step.
    if (hold) expect(hold.amount).toBeGreaterThanOrEqual(owed(Math.min(deliveredWords, limit), price.rates));
    expect(deliveredWords).toBeLessThanOrEqual(most);
  };
  const done = relayStream(call, readBatches(upstream()), sinkOf(write)).finally(() => call.close());
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
    ...{ longestWaitMs, within, limit, most },
  } as const;
};

export const played = async (how: Play) => {
  const result = await play(how);
  if (!result.reserved) throw new Error('it is reserved');
  return result;
};

export const owed = (words: number, of = rates): Credits =>
  cost({ ...noUsage, input: PROMPT_TOKENS, output: words }, of);
export const many = (events: number, words: number, index = 0): Said[] =>
  Array.from({ length: events }, () => ({ index, words }));

/** Every choice ends once, and the stream as it should. */
export const expectWellFormed = (
  { told, written }: { told: readonly Told[]; written: string },
  choices: number,
): void => {
  expect(written.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(written.match(/\[DONE\]/g)).toHaveLength(1);
  expect(told.every(({ error }) => error === undefined)).toBe(true);
  const finished = told.flatMap((one) => one.choices ?? []).filter(({ finish_reason }) => finish_reason !== null);
  expect(finished.map(({ index }) => index).sort()).toEqual(Array.from({ length: choices }, (_, index) => index));
  expect(told.filter((one) => one.usage)).toHaveLength(1);
  expect(told.at(-1)).toHaveProperty('usage.cost');
};

export const hold = (id: string, amount: Credits): Meanwhile => {
  const pinned = { model: 'm', version: 1, rates };
  const facts = { endpoint: '/', upstream: 'test', streamed: true, inputTokensBound: 0, outputTokensBound: 0 };
  return (account) =>
    account.execute(
      'acc_1',
      {
        type: 'ReserveCredits',
        requestId: id,
        amount,
        keyId: KEY_ID,
        runId: 'r',
        at: Date.now(),
        price: pinned,
        request: facts,
      },
      { actor: 'a', commandId: `${id}/reserve` },
    );
};
export const release = (id: string): Meanwhile => {
  const command = { type: 'ReleaseHold', requestId: id, reason: 'orphaned', detail: '' } as const;
  return (account) => account.execute('acc_1', command, { actor: 'a', commandId: `${id}/release` });
};
export const topUp = (lotId: string, amount: Credits): Meanwhile => {
  const command = { type: 'TopUp', lotId, amount, source: { kind: 'grant', reason: 'x' } } as const;
  return (account) => account.execute('acc_1', command, { actor: 'a', commandId: lotId });
};
