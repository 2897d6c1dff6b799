import { Session } from 'node:inspector/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { v7 as newId } from 'uuid';
import { ACCOUNT_STATE_VERSION, type Account } from '../src/domain/account/account.ts';
import { accountDecider } from '../src/domain/account/decide.ts';
import { invariant } from '../src/domain/decider.ts';
import { createCommands } from '../src/eventstore/commands.ts';
import { journal } from '../src/eventstore/journal/codec.ts';
import { createCommitter } from '../src/eventstore/committer.ts';
import { createLog } from '../src/eventstore/create-log.ts';
import { createSnapshots } from '../src/eventstore/postgres/snapshots.ts';
import { benchStream } from './support/accounts.ts';
import { sharesOf, type CpuProfile } from './support/cpu-profile.ts';
import { CHARGED, delivery, HELD, price, request, usage } from './support/history.ts';
import { quantile } from './support/table.ts';

/**
 * One process of the log's benchmark: keeps `--flight` commands in flight for `--seconds`, and prints its figures as JSON.
 * `ledger` is the real command path; `for-update` does the same work with a row lock per account.
 */
const { values } = parseArgs({
  options: {
    way: { type: 'string', default: 'ledger' },
    database: { type: 'string', default: '' },
    'event-store': { type: 'string' },
    profile: { type: 'boolean', default: false },
    accounts: { type: 'string', default: '1' },
    flight: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
  },
});
const accounts = Number(values.accounts);
const latenciesMs: number[] = [];

type Way = {
  /** Uses an account for the first time, which loads its events. */
  load(account: number): Promise<void>;
  /** Holds credits, then charges: two durable commands, each timed. */
  pair(account: number, timed: (command: () => Promise<unknown>) => Promise<void>): Promise<void>;
  /** All that was appended is in PostgreSQL. */
  complete?(): Promise<unknown>;
  close(): Promise<void>;
};

const ledger = (): Way => {
  const eventStoreUrl = values['event-store'];
  const store = createLog({ databaseUrl: values.database, eventStoreUrl });
  const committer = createCommitter({ store });
  const snapshots = createSnapshots<Account>({
    databaseUrl: values.database,
    version: ACCOUNT_STATE_VERSION,
    secret: 'bench',
    afterMs: eventStoreUrl === undefined ? 0 : 500,
  });
  const commands = createCommands({
    store: store.streams,
    committer,
    codec: journal,
    decider: accountDecider,
    snapshots,
  });
  return {
    load: async (account) => {
      const accept = { type: 'AcceptTerms', version: '1', how: 'bench' } as const;
      await commands.execute(benchStream(account), accept, { actor: 'system:bench', commandId: newId() });
    },
    pair: async (account, timed) => {
      const uuid = newId();
      const requestId = `gen-${uuid}`;
      const stream = benchStream(account);
      const execute = (step: string, command: Parameters<typeof commands.execute>[1]) => async (): Promise<void> => {
        const outcome = await commands.execute(stream, command, {
          actor: 'system:bench',
          commandId: `${uuid}/${step}`,
        });
        invariant(outcome.kind === 'accepted', `${step} is accepted`);
      };
      const identity = { requestId, keyId: 'key', runId: 'bench', at: Date.now() };
      await timed(execute('reserve', { type: 'ReserveCredits', ...identity, amount: HELD, price, request }));
      await timed(execute('settle', { type: 'SettleHold', requestId, usage, delivery }));
    },
    complete: async () => store.complete?.(() => undefined),
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
      invariant(Number(rows[0]?.balance) - Number(rows[0]?.held) >= hold, 'the balance covers the hold');
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
    load: () => Promise.resolve(),
    pair: async (account, timed) => {
      const requestId = newId();
      await timed(move(account, requestId, Number(HELD), 0));
      await timed(move(account, requestId, -Number(HELD), Number(CHARGED)));
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
const flight = Number(values.flight);
// Loading the accounts is timed separately from the commands on loaded accounts.
const startedLoading = performance.now();
for (let from = 0; from < accounts; from += 500) {
  await Promise.all(Array.from({ length: Math.min(500, accounts - from) }, (_, n) => way.load(from + n)));
}
const loadsPerSecond = accounts / ((performance.now() - startedLoading) / 1000);

const startProfile = async (): Promise<() => Promise<readonly [string, number][]>> => {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  return async () => {
    const { profile } = (await session.post('Profiler.stop')) as { profile: CpuProfile };
    session.disconnect();
    return sharesOf(profile).groups.map(({ name, ms }) => [name, ms]);
  };
};

const stopProfile = values.profile ? await startProfile() : undefined;
const until = performance.now() + Number(values.seconds) * 1000;
const loop = async (): Promise<void> => {
  while (performance.now() < until) await way.pair(Math.floor(Math.random() * accounts), timed);
};
const cpuBefore = process.cpuUsage();
const start = performance.now();
await Promise.all(Array.from({ length: flight }, loop));
const seconds = (performance.now() - start) / 1000;
const groups = await stopProfile?.();
const ended = performance.now();
await way.complete?.();
const copiedMs = performance.now() - ended;
const { user, system } = process.cpuUsage(cpuBefore);
await way.close();
latenciesMs.sort((a, b) => a - b);
const [p50, p99] = [quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.99)];
const figures = {
  ...{ commands: latenciesMs.length, perSecond: latenciesMs.length / seconds, p50, p99, loadsPerSecond },
  ...{ cpuMs: (user + system) / 1000, copiedMs, groups },
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
