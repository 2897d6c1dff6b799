import { accountStream, type Account } from '../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand, type AccountRefusal } from '../../src/domain/account/decide.ts';
import type { AccountEvent, PinnedPrice } from '../../src/domain/account/events.ts';
import { noUsage } from '../../src/domain/money.ts';
import { createCommands, type Commands } from '../../src/eventstore/commands.ts';
import { journal } from '../../src/eventstore/journal/codec.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { createLog, type LogAddress } from '../../src/eventstore/create-log.ts';

const CREDIT = 1_000_000_000_000_000n;
const price: PinnedPrice = {
  model: 'torture',
  version: 1,
  rates: { input: 1000n, cachedInput: 1000n, cacheWrite: 1000n, output: 1000n, reasoning: 1000n },
};

/** A fixed time in the past: no test here depends on time. */
const AT = Date.UTC(2026, 0, 31, 12);

export const reserve = (requestId: string): AccountCommand => ({
  type: 'ReserveCredits',
  requestId,
  amount: 5n,
  keyId: 'key',
  runId: 'torture',
  at: AT,
  price,
  request: {
    endpoint: '/v1/chat/completions',
    upstream: 'torture',
    streamed: false,
    inputTokensBound: 4,
    outputTokensBound: 1,
  },
});

export const settle = (requestId: string): AccountCommand => ({
  type: 'SettleHold',
  requestId,
  usage: { ...noUsage, output: 3 },
  delivery: {
    usageSource: 'reported',
    ended: 'completed',
    finishReason: 'stop',
    upstreamId: null,
    firstByteMs: 1,
    totalMs: 2,
    anomalies: [],
  },
});

export type Node = {
  readonly commands: Commands<Account, AccountCommand, AccountEvent, AccountRefusal>;
  close(): Promise<void>;
};

/** The writing part of a gateway: the real store, committer and commands. */
export const createNode = (address: LogAddress): Node => {
  const store = createLog(address);
  const committer = createCommitter({ store });
  return {
    commands: createCommands({ store: store.streams, committer, codec: journal, decider: accountDecider }),
    close: async () => {
      await committer.close();
      await store.close();
    },
  };
};

/** Opens accounts with a key and more credit than a torture can spend. */
export const openAccounts = async (address: LogAddress, accounts: readonly string[]): Promise<void> => {
  const { commands, close } = createNode(address);
  const steps: readonly AccountCommand[] = [
    { type: 'RegisterAccount', holder: 'entity', personal: 'torture', adult: true },
    { type: 'AcceptTerms', version: '1', how: 'torture' },
    { type: 'IssueKey', keyId: 'key', name: '', hash: 'hash', pepperId: '1', hint: '' },
    { type: 'TopUp', lotId: 'lot', amount: CREDIT, source: { kind: 'grant', reason: 'torture' } },
  ];
  try {
    for (const account of accounts) {
      for (const step of steps) {
        const metadata = { actor: 'system:torture', commandId: `${account}/${step.type}` };
        const outcome = await commands.execute(accountStream(account), step, metadata);
        if (outcome.kind === 'refused')
          throw new Error(`${step.type} was refused on ${account}: ${outcome.refusal.code}`);
      }
    }
  } finally {
    await close();
  }
};
