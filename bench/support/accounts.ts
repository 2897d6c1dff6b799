import { accountStream } from '../../src/domain/account/account.ts';
import { accountDecider } from '../../src/domain/account/decide.ts';
import type { Credits } from '../../src/domain/money.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { journal } from '../../src/eventstore/journal/codec.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { asPlain } from '../../src/eventstore/journal/personal-data.ts';
import { createLog } from '../../src/eventstore/create-log.ts';
import { migratePostgresStore } from '../../src/eventstore/postgres/postgres.ts';

/** Credit of each account of a benchmark, in nano-USD. */
export const CREDIT: Credits = 1_000_000_000_000n;

const personal = asPlain({ name: 'Bench', email: 'bench@example.com' });

export const benchStream = (n: number): string => accountStream(`bench-${n}`);

/**
 * Creates the tables of the log, and `count` accounts with credit and a key called `key`. With `eventStoreUrl`, the log begins
 * in EventStoreDB.
 */
export const openAccounts = async (url: string, count: number, eventStoreUrl?: string): Promise<void> => {
  await migratePostgresStore(url);
  const store = createLog({ databaseUrl: url, eventStoreUrl });
  const committer = createCommitter({ store });
  const commands = createCommands({ store: store.streams, committer, codec: journal, decider: accountDecider });
  const open = async (n: number): Promise<void> => {
    const stream = benchStream(n);
    const step = (name: string) => ({ actor: 'system:bench', commandId: `bench/${n}/${name}` });
    const hash = `hash-${n}`;
    await Promise.all([
      commands.execute(stream, { type: 'RegisterAccount', holder: 'entity', personal, adult: true }, step('register')),
      commands.execute(stream, { type: 'AcceptTerms', version: '1', how: 'bench' }, step('terms')),
      commands.execute(
        stream,
        { type: 'IssueKey', keyId: 'key', name: '', hash, pepperId: '1', hint: '' },
        step('key'),
      ),
      commands.execute(
        stream,
        { type: 'TopUp', lotId: 'lot', amount: CREDIT, source: { kind: 'grant', reason: 'bench' } },
        step('grant'),
      ),
    ]);
  };
  for (let from = 0; from < count; from += 500) {
    await Promise.all(Array.from({ length: Math.min(500, count - from) }, (_, n) => open(from + n)));
  }
  await committer.close();
  await store.complete?.(() => undefined);
  await store.close();
};
