import { parseArgs } from 'node:util';
import pg from 'pg';
import { v7 as newId } from 'uuid';
import { ACCOUNT_STATE_VERSION, accountStream, type Account } from '../src/domain/account/account.ts';
import { accountDecider } from '../src/domain/account/decide.ts';
import type { Delivery, PinnedPrice } from '../src/domain/account/events.ts';
import { invariant } from '../src/domain/decider.ts';
import { createCommands } from '../src/eventstore/commands.ts';
import { createCommitter } from '../src/eventstore/committer.ts';
import { createPostgresStore } from '../src/eventstore/postgres.ts';
import { createSnapshots } from '../src/eventstore/snapshots.ts';

/**
 * One process of the log's benchmark: keeps so many commands in flight for so long, and prints its figures as JSON.
 * `ledger` is the real command path; `for-update` does the same work the usual way, a row lock per account.
 */
const { values } = parseArgs({
  options: {
    way: { type: 'string', default: 'ledger' },
    database: { type: 'string', default: '' },
    accounts: { type: 'string', default: '1' },
    flight: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
  },
});
const accounts = Number(values.accounts);
const until = performance.now() + Number(values.seconds) * 1000;
const latenciesMs: number[] = [];

const price: PinnedPrice = {
  model: 'bench',
  version: 1,
  rates: { input: 1000n, cachedInput: 1000n, cacheWrite: 1000n, output: 4000n, reasoning: 4000n },
};
const usage = { input: 100, cachedInput: 0, cacheWrite: 0, output: 16, reasoning: 0 };
const delivery: Delivery = {
  usageSource: 'reported',
  ended: 'completed',
  finishReason: 'stop',
  upstreamId: null,
  firstByteMs: 1,
  totalMs: 2,
  anomalies: [],
};

type Way = {
  /** Sets credits aside, then charges: two durable commands, each timed. */
  pair(account: number, timed: (command: () => Promise<unknown>) => Promise<void>): Promise<void>;
  close(): Promise<void>;
};

const ledger = (): Way => {
  const store = createPostgresStore(values.database);
  const committer = createCommitter({ store });
  const snapshots = createSnapshots<Account>(values.database, ACCOUNT_STATE_VERSION);
  const commands = createCommands({ store, committer, decider: accountDecider, snapshots });
  return {
    pair: async (account, timed) => {
      const uuid = newId();
      const requestId = `gen-${uuid}`;
      const stream = accountStream(`bench-${account}`);
      const execute = (step: string, command: Parameters<typeof commands.execute>[1]) => async (): Promise<void> => {
        const outcome = await commands.execute(stream, command, {
          actor: 'system:bench',
          commandId: `${uuid}/${step}`,
        });
        invariant(outcome.accepted, `${step} is accepted`);
      };
      const request = {
        endpoint: '/chat/completions',
        upstream: 'bench',
        streamed: false,
        inputTokensBound: 400,
        outputTokensBound: 16,
      };
      const identity = { requestId, keyId: 'key', runId: 'bench' };
      await timed(execute('reserve', { type: 'ReserveCredits', ...identity, amount: 464n, price, request }));
      await timed(execute('settle', { type: 'SettleHold', requestId, usage, delivery }));
    },
    close: async () => {
      await committer.close();
      await snapshots.close();
      await store.close();
    },
  };
};

const forUpdate = (): Way => {
  const pool = new pg.Pool({ connectionString: values.database, max: 64 });
  const move = (account: number, requestId: string, hold: number, charge: number) => async (): Promise<void> => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      const { rows } = await client.query<{ balance: string; held: string }>({
        name: 'lock',
        text: 'select balance, held from usual_accounts where id = $1 for update',
        values: [account],
      });
      invariant(Number(rows[0]?.balance) - Number(rows[0]?.held) >= hold, 'there is enough');
      await client.query({
        name: 'move',
        text: 'update usual_accounts set held = held + $2, balance = balance - $3 where id = $1',
        values: [account, hold, charge],
      });
      await client.query({
        name: 'entry',
        text: 'insert into usual_entries (account, request, hold, charge, detail) values ($1, $2, $3, $4, $5)',
        values: [account, requestId, hold, charge, JSON.stringify({ usage, delivery })],
      });
      await client.query('commit');
    } finally {
      client.release();
    }
  };
  return {
    pair: async (account, timed) => {
      const requestId = newId();
      await timed(move(account, requestId, 464, 0));
      await timed(move(account, requestId, -464, 164));
    },
    close: () => pool.end(),
  };
};

const way = values.way === 'ledger' ? ledger() : forUpdate();
const timed = async (command: () => Promise<unknown>): Promise<void> => {
  const start = performance.now();
  await command();
  latenciesMs.push(performance.now() - start);
};
const loop = async (): Promise<void> => {
  while (performance.now() < until) await way.pair(Math.floor(Math.random() * accounts), timed);
};
const start = performance.now();
await Promise.all(Array.from({ length: Number(values.flight) }, loop));
const seconds = (performance.now() - start) / 1000;
await way.close();
latenciesMs.sort((a, b) => a - b);
const quantile = (q: number): number => latenciesMs[Math.floor(latenciesMs.length * q)] ?? 0;
process.stdout.write(
  `${JSON.stringify({ commands: latenciesMs.length, perSecond: latenciesMs.length / seconds, p50: quantile(0.5), p99: quantile(0.99) })}\n`,
);
