import { inspect } from 'node:util';
import { accountStream } from '../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand } from '../../src/domain/account/decide.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { journal } from '../../src/eventstore/journal/codec.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { createPostgresStore } from '../../src/eventstore/postgres/postgres.ts';

/** A process that asks for one command, and says what it is told. */
const [databaseUrl = '', account = '', commandId = ''] = process.argv.slice(2);
const store = createPostgresStore(databaseUrl);
const committer = createCommitter({ store });
const commands = createCommands({ store, committer, codec: journal, decider: accountDecider });
const command: AccountCommand = {
  type: 'TopUp',
  lotId: commandId,
  amount: 7n,
  source: { kind: 'grant', reason: 'asked' },
};
const metadata = { actor: 'test', commandId };
const outcome = await commands.execute(accountStream(account), command, metadata, { mayRepeat: true });
process.stdout.write(`told ${inspect(outcome, { breakLength: Infinity })}\n`);
await committer.close();
await store.close();
