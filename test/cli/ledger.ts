import { accountStream } from '../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand } from '../../src/domain/account/decide.ts';
import type { Delivery, PinnedPrice } from '../../src/domain/account/events.ts';
import { noUsage } from '../../src/domain/money.ts';
import { linesOf } from '../../src/domain/prices/lines.ts';
import { PRICES_STREAM, priceDecider } from '../../src/domain/prices/decide.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { journal } from '../../src/eventstore/journal/codec.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import type { EventStore } from '../../src/eventstore/event-store.ts';
import { asPlain } from '../../src/eventstore/journal/personal-data.ts';

export const ACCOUNT = 'acc_1';

const rates = {
  input: 250_001n,
  cachedInput: 25_000n,
  cacheWrite: 250_000n,
  output: 2_000_000n,
  reasoning: 2_000_000n,
};
export const price: PinnedPrice = { model: 'gpt-5-mini', version: 1, rates };

export const delivery: Delivery = {
  ...{ usageSource: 'reported', ended: 'completed', finishReason: 'stop', upstreamId: 'chatcmpl-1' },
  ...{ firstByteMs: 100, totalMs: 900, anomalies: [] },
};

const reserve = (requestId: string, amount: bigint): AccountCommand => ({
  ...{ type: 'ReserveCredits', requestId, amount, keyId: 'key_1', runId: 'run-1', price },
  at: Date.UTC(2026, 0, 31, 12),
  request: {
    ...{ endpoint: '/chat/completions', upstream: 'openai', streamed: true },
    ...{ inputTokensBound: 100, outputTokensBound: 1000 },
  },
});

export const settle = (requestId: string, output: number): AccountCommand => ({
  ...{ type: 'SettleHold', requestId, delivery },
  usage: { ...noUsage, input: 101, cachedInput: 40, output },
});

/** What happens to the account, in order. */
const storyOf = (personal: string): readonly AccountCommand[] => [
  { type: 'RegisterAccount', holder: 'person', personal, adult: true },
  { type: 'AcceptTerms', version: '2026-01-01', how: 'in a test' },
  { type: 'IssueKey', keyId: 'key_1', name: 'production', hash: 'h4sh', pepperId: '1', hint: 'x7Qd' },
  { type: 'TopUp', lotId: 'lot_1', amount: 1_000_000n, source: { kind: 'grant', reason: 'Welcome' } },
  { type: 'TopUp', lotId: 'lot_2', amount: 9_000_000n, source: { kind: 'payment', reference: 'ord_1' } },
  reserve('gen-1', 2_000_000n),
  { type: 'ExtendHold', requestId: 'gen-1', by: 500_000n, at: 0, tokens: 100 },
  reserve('gen-2', 1_000_000n),
  settle('gen-1', 1000), // From both lots.
  { type: 'ReleaseHold', requestId: 'gen-2', reason: 'orphaned', detail: 'run \u001b[31mdied' },
  { type: 'ChargeLateUsage', requestId: 'gen-2', keyId: 'key_1', usage: { ...noUsage, output: 10 }, price, delivery },
  reserve('gen-3', 1_000_000n),
  { type: 'ReleaseHold', requestId: 'gen-3', reason: 'upstream_failed', detail: 'HTTP 500' },
  reserve('gen-4', 1_000_000n),
  settle('gen-4', 10_000), // Beyond all that there is.
  { type: 'TopUp', lotId: 'lot_3', amount: 5_000_000n, source: { kind: 'grant', reason: 'Sorry' } },
  reserve('gen-5', 1_000_000n),
  { type: 'SuspendAccount', reason: 'Resale' },
];

export const ada = { name: 'Ada', email: 'ada@example.com' };

/** Writes a log with a bit of everything that can happen to a request. */
export const writeLedger = async (store: EventStore, personal = asPlain(ada)): Promise<void> => {
  const committer = createCommitter({ store });
  const prices = createCommands({ store, committer, codec: journal, decider: priceDecider });
  const { model } = price;
  const entry = {
    ...{ model, kind: 'chat' as const, ownedBy: 'openai', upstream: 'openai', upstreamModel: model },
    ...{ lines: linesOf(rates), cost: null },
    ...{ contextTokens: 400_000, maxOutputTokens: 128_000, source: 'https://example.com', asOf: '2026-01-01' },
  };
  const effectiveFrom = new Date('2026-01-01T00:00:00Z');
  await prices.execute(
    PRICES_STREAM,
    { type: 'ListPrice', entry, effectiveFrom, at: effectiveFrom },
    { actor: 'test', commandId: 'p' },
  );
  await committer.close();
  await goOn(store, storyOf(personal), 'c');
};

/** More happens to the account. */
export const goOn = async (store: EventStore, commands: readonly AccountCommand[], name = 'more'): Promise<void> => {
  const committer = createCommitter({ store });
  const accounts = createCommands({ store, committer, codec: journal, decider: accountDecider });
  for (const [n, command] of commands.entries()) {
    const metadata = { actor: 'test', commandId: `${name}-${n}` };
    const outcome = await accounts.execute(accountStream(ACCOUNT), command, metadata);
    if (outcome.kind === 'refused') throw new Error(`${command.type}: ${outcome.refusal.code}`);
  }
  await committer.close();
};
