import fc from 'fast-check';
import { v7 as newId } from 'uuid';
import { beforeEach, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import type { ChainedLog } from '../../../src/eventstore/chained-log.ts';
import { eventId } from '../../../src/eventstore/ids.ts';
import { recordedBy } from '../../../src/eventstore/journal/recorded-by.ts';
import { createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import { formats } from '../../../src/gateway/providers.ts';
import { createCompletions, type Answer, type Asked } from '../../../src/proxy/engine/completions.ts';
import { createIdempotency } from '../../../src/proxy/engine/idempotency.ts';
import { orphanCommandId } from '../../../src/proxy/engine/ledger.ts';
import { ProviderFailed, type Provider } from '../../../src/proxy/providers/provider.ts';
import { readWholeStream } from '../../eventstore/logs.ts';
import { createNode, happen, historyOf } from '../../eventstore/nodes.ts';
import { audit } from '../../reference/audit-history.ts';
import { customer, release, paid, toppedUp } from '../../domain/account/examples.ts';
import {
  bodyOf,
  chat,
  chunk,
  countWords,
  createTestProvider,
  never,
  price,
  sinkOf,
  sse,
  streamOf,
  usage,
} from '../examples.ts';

const CREDITS = 1_000_000_000n;
const COST = 17_000n;
const whole = JSON.stringify({
  id: 'chatcmpl-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Fine.' }, finish_reason: 'stop' }],
  usage: usage(9, 2),
});
const fine = createTestProvider(() => ({ body: bodyOf([whole]) }));
const failing = createTestProvider(() => {
  throw new ProviderFailed('reset', 'gone');
});

let store: ChainedLog;
/** How often the log was asked for what a command had left there. */
let lookUps: number;
/** Called with what was found, before the one who asked is told. */
let lookedUp: (id: string) => Promise<unknown>;
beforeEach(async () => {
  lookUps = 0;
  lookedUp = () => Promise.resolve();
  const inner = createInMemoryStore();
  store = {
    ...inner,
    findEvent: async (stream, id) => {
      lookUps++;
      const found = await inner.findEvent(stream, id);
      await lookedUp(id);
      return found;
    },
  };
  for (const account of ['ada', 'ben']) await happen(store, account, ...customer, toppedUp(CREDITS));
});

type Ask = Partial<Pick<Asked, 'accountId' | 'idempotencyKey' | 'gone'>> & { readonly upstream?: Provider };

/** One process of the gateway; several on one store share its log. */
const open = (terms = '2026-01') => {
  const node = createNode(store);
  const completionsOf = (upstream: Provider) =>
    createCompletions({
      formats,
      findPrice: (model) => (model === price.model ? price : undefined),
      providers: new Map([['test', upstream]]),
      execute: (accountId, command, metadata, options) =>
        node.commands.execute(accountStream(accountId), command, metadata, options),
      idempotencySecret: 'of the tests',
      recordedBy: (accountId, commandId, types) => recordedBy(store, accountId, commandId, types),
      termsToAccept: () => ({ version: terms, explicit: false }),
      promptTokens: countWords,
      tokens: countWords,
      runId: () => 'run',
      isPaused: () => false,
      logCopy: { isRecent: () => true, confirm: () => Promise.resolve(true) },
      now: () => new Date(),
      idleTimeoutMs: 10_000,
      upstreamRefused: () => undefined,
    });
  return {
    node,
    ask: (body: object = chat, { upstream = fine, ...more }: Ask = {}): Promise<Answer> =>
      completionsOf(upstream).complete({
        uuid: newId(),
        accountId: 'ada',
        keyId: 'key_1',
        endpoint: '/chat/completions',
        body: Buffer.from(JSON.stringify(body)),
        gone: new AbortController().signal,
        idempotencyKey: 'once',
        ...more,
      }),
  };
};

const idOf = (answer: Answer): string => {
  if (answer.kind === 'problem') throw new Error(`it is no answer, but ${JSON.stringify(answer.problem.kind)}`);
  return answer.generationId;
};
const duplicate = (code: string, generationId: unknown = expect.any(String), charged?: bigint) => ({
  kind: 'problem',
  problem: { kind: 'duplicate', duplicate: { code, generationId, ...(charged === undefined ? {} : { charged }) } },
});
const failed = { kind: 'problem', problem: { kind: 'upstream_failed' } };

/** What was charged in the end; every promise about money is checked on the way. */
const chargedTo = async (account = 'ada'): Promise<bigint> => audit(await historyOf(store, account)).charged;
const chargesOf = async () =>
  (await historyOf(store, 'ada')).filter(({ type }) => type === 'HoldSettled' || type === 'LateUsageCharged');

/** A provider that answers when it is told to. */
const slow = () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { answer: resolve, upstream: createTestProvider(() => ({ body: bodyOf([promise, whole]) })) };
};

/** Asks, and waits until the hold is in the log. */
const begin = async (gateway: ReturnType<typeof open>, upstream: Provider, more: Ask = {}) => {
  const before = (await historyOf(store, 'ada')).length;
  const answer = gateway.ask(chat, { upstream, ...more });
  await expect.poll(async () => (await historyOf(store, 'ada')).length).toBe(before + 1);
  const reserved = (await historyOf(store, 'ada')).at(-1);
  if (reserved?.type !== 'CreditsReserved') throw new Error('it is reserved');
  return { answer, requestId: reserved.requestId };
};

describe('a request under an idempotency key', () => {
  it('is charged once, however often it is sent', async () => {
    const { ask } = open();
    const generationId = idOf(await ask());
    for (let again = 0; again < 3; again++) {
      expect(await ask()).toEqual(duplicate('idempotency_key_used', generationId, COST));
    }
    expect(await open().ask()).toEqual(duplicate('idempotency_key_used', generationId, COST));
    expect(await chargedTo()).toBe(COST);
  });

  it('is charged once if the append of its hold begins with other events', async () => {
    await happen(store, 'carl', ...customer, { ...toppedUp(CREDITS), endsAt: 1 }, paid(CREDITS));
    const { ask } = open('2026-02');
    const generationId = idOf(await ask(chat, { accountId: 'carl' }));
    const types = (await historyOf(store, 'carl')).map(({ type }) => type);
    expect(types.slice(-4)).toEqual(['TermsAccepted', 'LotExpired', 'CreditsReserved', 'HoldSettled']);
    expect(await open().ask(chat, { accountId: 'carl' })).toEqual(
      duplicate('idempotency_key_used', generationId, COST),
    );
    expect(await chargedTo('carl')).toBe(COST);
  });

  it('is not carried out beside itself', async () => {
    const gateway = open();
    const { upstream, answer } = slow();
    const first = await begin(gateway, upstream);
    expect(await gateway.ask()).toEqual(duplicate('idempotency_in_progress', first.requestId));
    expect(await open().ask()).toEqual(duplicate('idempotency_in_progress', first.requestId));
    answer();
    expect(idOf(await first.answer)).toBe(first.requestId);
    expect(await gateway.ask()).toEqual(duplicate('idempotency_key_used', first.requestId, COST));
    expect(upstream.sent).toHaveLength(1);
  });

  it('is told so even where the first one holds all that there is', async () => {
    await happen(store, 'carl', ...customer, toppedUp(4_200_000n));
    const gateway = open();
    const { upstream, answer } = slow();
    const first = gateway.ask(chat, { upstream, accountId: 'carl' });
    await expect.poll(async () => (await historyOf(store, 'carl')).at(-1)?.type).toBe('CreditsReserved');
    expect(await gateway.ask(chat, { accountId: 'carl' })).toEqual(duplicate('idempotency_in_progress'));
    const other = await gateway.ask(chat, { accountId: 'carl', idempotencyKey: 'other' });
    expect(other).toMatchObject({ problem: { kind: 'refused' } });
    answer();
    idOf(await first);
  });

  it('is the same one though a hold fits only at the second try', async () => {
    // By bytes a prompt of 400 words may cost more than there is; counted, it does not.
    const body = {
      ...chat,
      max_tokens: 16,
      messages: [{ role: 'user', content: 'internationalisation '.repeat(400) }],
    };
    await happen(store, 'carl', ...customer, toppedUp(2_000_000n));
    const { ask } = open();
    const honest = JSON.stringify({ ...(JSON.parse(whole) as object), usage: usage(400, 2) });
    const upstream = createTestProvider(() => ({ body: bodyOf([honest]) }));
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(body, { upstream, accountId: 'carl' })));
    expect(answers.filter(({ kind }) => kind === 'whole')).toHaveLength(1);
    expect(await chargedTo('carl')).toBe(400n * 1000n + 2n * 4000n);
  });

  it('is carried out where all before it ended without a charge', async () => {
    const { ask } = open();
    for (let n = 0; n < 5; n++) expect(await ask(chat, { upstream: failing })).toMatchObject(failed);
    const generationId = idOf(await ask());
    expect(await ask()).toEqual(duplicate('idempotency_key_used', generationId, COST));
    expect(await chargedTo()).toBe(COST);
  });

  it('is carried out where its customer had left before the first token', async () => {
    const { ask } = open();
    const upstream = createTestProvider((signal) => streamOf([never], signal));
    const left = new AbortController();
    const answer = await ask({ ...chat, stream: true }, { upstream, gone: left.signal });
    if (answer.kind !== 'stream') throw new Error('it streams');
    const relayed = answer.relay(sinkOf(() => undefined));
    left.abort();
    await relayed;
    expect(idOf(await ask({ ...chat, stream: true }))).not.toBe(answer.generationId);
    expect(await chargedTo()).toBe(COST);
  });

  it('is not carried out again where its customer had left in the middle, and says what that cost', async () => {
    const { ask } = open();
    const upstream = createTestProvider((signal) =>
      streamOf([sse(chunk({ content: 'one two three' })), never], signal),
    );
    const left = new AbortController();
    const answer = await ask({ ...chat, stream: true }, { upstream, gone: left.signal });
    if (answer.kind !== 'stream') throw new Error('it streams');
    await answer.relay(
      sinkOf(() => {
        left.abort();
        return undefined;
      }),
    );
    const charged = await chargedTo();
    expect(charged).toBeGreaterThan(0n);
    const again = await ask({ ...chat, stream: true });
    expect(again).toEqual(duplicate('idempotency_key_used', answer.generationId, charged));
  });

  it('is another one with another body, unless nothing came of the first', async () => {
    const gateway = open();
    const other = { ...chat, temperature: 1 };
    expect(await gateway.ask(other, { upstream: failing })).toMatchObject(failed);
    const { upstream, answer } = slow();
    const first = await begin(gateway, upstream);
    expect(await gateway.ask(other)).toEqual(duplicate('idempotency_key_reused', first.requestId));
    answer();
    await first.answer;
    expect(await gateway.ask(other)).toEqual(duplicate('idempotency_key_reused', first.requestId));
    expect(await gateway.ask()).toEqual(duplicate('idempotency_key_used', first.requestId, COST));
    expect(await chargedTo()).toBe(COST);
  });

  it('is of its account alone', async () => {
    const { ask } = open();
    idOf(await ask());
    idOf(await ask(chat, { accountId: 'ben' }));
    expect([await chargedTo('ada'), await chargedTo('ben')]).toEqual([COST, COST]);
  });

  it('leaves neither its key nor its words in the log', async () => {
    const canary = 'canary-5f1c';
    await open().ask({ ...chat, user: canary }, { idempotencyKey: canary });
    const written = JSON.stringify(await readWholeStream(store, accountStream('ada')));
    expect(written).toContain('requestHash');
    expect(written).not.toContain(canary);
  });

  it('finds the last of many attempts by few look-ups', async () => {
    const gateway = open();
    for (let n = 0; n < 300; n++) await gateway.ask(chat, { upstream: failing });
    lookUps = 0;
    idOf(await gateway.ask());
    expect(lookUps).toBeLessThan(40);
    expect(await chargedTo()).toBe(COST);
  });
});

describe('a request without an idempotency key', () => {
  it('asks the log for nothing, and leaves nothing of the kind in it', async () => {
    const { ask } = open();
    for (let n = 0; n < 2; n++) idOf(await ask(chat, { idempotencyKey: undefined }));
    expect(lookUps).toBe(0);
    expect(await chargedTo()).toBe(2n * COST);
    expect(JSON.stringify(await historyOf(store, 'ada'), (_, one: unknown) => String(one))).not.toContain(
      'requestHash',
    );
  });
});

describe('a request whose process was taken for dead', () => {
  const giveUp = ({ node }: ReturnType<typeof open>, requestId: string) =>
    node.execute('ada', release(requestId), orphanCommandId(requestId));

  it('may be sent again; of the two, the one that ends first is charged', async () => {
    const [paused, alive] = [open(), open()];
    const { upstream, answer } = slow();
    const first = await begin(paused, upstream);
    expect(await alive.ask()).toEqual(duplicate('idempotency_in_progress', first.requestId));
    await giveUp(alive, first.requestId);
    const second = slow();
    const retried = await begin(alive, second.upstream);
    answer();
    expect(await first.answer).toMatchObject({ kind: 'whole', costUsd: '0.00' });
    const borne = (await historyOf(store, 'ada')).filter(({ type }) => type === 'UsageWrittenOff');
    expect(borne).toEqual([{ type: 'UsageWrittenOff', requestId: first.requestId, amount: COST }]);
    second.answer();
    expect(await retried.answer).toMatchObject({ costUsd: '0.000017' });
    expect(await chargedTo()).toBe(COST);
    expect(await paused.ask()).toEqual(duplicate('idempotency_key_used', retried.requestId, COST));
  });

  it('is not carried out again once it was charged late', async () => {
    const [paused, alive] = [open(), open()];
    const { upstream, answer } = slow();
    const first = await begin(paused, upstream);
    await giveUp(alive, first.requestId);
    answer();
    expect(await first.answer).toMatchObject({ costUsd: '0.000017' });
    expect((await chargesOf()).map(({ type }) => type)).toEqual(['LateUsageCharged']);
    expect(await alive.ask()).toEqual(duplicate('idempotency_key_used', first.requestId, COST));
    expect(await alive.ask({ ...chat, n: 2 })).toEqual(duplicate('idempotency_key_reused', first.requestId));
    expect(await chargedTo()).toBe(COST);
  });

  it('is not carried out again where it is charged late at that very moment', async () => {
    const [paused, alive] = [open(), open()];
    const { upstream, answer } = slow();
    const first = await begin(paused, upstream);
    await giveUp(alive, first.requestId);
    // It has just been found that the first one ended without a charge; the first one wakes up before the second begins.
    lookedUp = async (id) => {
      if (id !== eventId(orphanCommandId(first.requestId), 0)) return;
      answer();
      await first.answer;
    };
    expect(await alive.ask()).toEqual(duplicate('idempotency_key_used', first.requestId, COST));
    expect((await chargesOf()).map(({ type }) => type)).toEqual(['LateUsageCharged']);
  });
});

describe('the hash of a request', () => {
  const asked = { accountId: 'ada', endpoint: '/completions', body: Buffer.from('{}'), idempotencyKey: 'once' };
  const hashOf = (change: Partial<typeof asked> = {}) =>
    createIdempotency({
      asked: { ...asked, ...change },
      recordedBy: () => Promise.resolve(undefined),
      secret: 'of the tests',
    }).requestHash;

  it('is of all that makes it another request, and of the key, which is kept nowhere', () => {
    expect(hashOf()).toBe(hashOf());
    expect(hashOf()).toMatch(/^[0-9a-f]{64}$/);
    const others = [
      hashOf({ body: Buffer.from('{} ') }),
      hashOf({ endpoint: '/embeddings' }),
      hashOf({ accountId: 'ben' }),
      hashOf({ idempotencyKey: 'twice' }),
    ];
    expect(new Set([hashOf(), ...others]).size).toBe(5);
  });
});

describe('duplicates sent to several nodes at once', () => {
  it('are carried out once', async () => {
    const nodes = [open(), open(), open()];
    const answers = await Promise.all(Array.from({ length: 10 }, () => nodes.map(({ ask }) => ask())).flat());
    expect(answers.filter(({ kind }) => kind === 'whole')).toHaveLength(1);
    expect(await chargedTo()).toBe(COST);
  });

  it('are charged once, whatever fails', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ node: fc.nat(2), fails: fc.boolean(), later: fc.boolean() }), { maxLength: 20 }),
        async (requests) => {
          store = createInMemoryStore();
          await happen(store, 'ada', ...customer, toppedUp(CREDITS));
          const nodes = [open(), open(), open()];
          const asked: Promise<Answer>[] = [];
          for (const { node, fails, later } of requests) {
            if (later) await Promise.allSettled(asked);
            const gateway = nodes[node];
            if (gateway) asked.push(gateway.ask(chat, { upstream: fails ? failing : fine }));
          }
          const answers = await Promise.all(asked);
          const charges = await chargesOf();
          expect(charges.length).toBeLessThanOrEqual(1);
          expect(answers.filter(({ kind }) => kind === 'whole')).toHaveLength(charges.length);
        },
      ),
      { numRuns: 100 },
    ));
});
