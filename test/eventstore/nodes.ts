import { accountStream, type Account } from '../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand, type AccountRefusal } from '../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { journal, decode, encode, type Metadata } from '../../src/eventstore/journal/codec.ts';
import { createCommands, type CommandOptions, type Commands, type Outcome } from '../../src/eventstore/commands.ts';
import { createCommitter, type Committer } from '../../src/eventstore/committer.ts';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { eventId } from '../../src/eventstore/ids.ts';
import type { Snapshots } from '../../src/eventstore/snapshots.ts';
import { readWholeStream } from './logs.ts';

export type AccountOutcome = Outcome<AccountEvent, AccountRefusal>;
export type Node = {
  readonly commands: Commands<Account, AccountCommand, AccountEvent, AccountRefusal>;
  readonly committer: Committer;
  /** Executes a command under an id of its own, or under one that the test chooses. */
  execute(
    account: string,
    command: AccountCommand,
    commandId?: string,
    options?: CommandOptions,
  ): Promise<AccountOutcome>;
};

let commandCount = 0;
export const metadataOf = (commandId = `command-${++commandCount}`): Metadata => ({ actor: 'test', commandId });

/** What one process of the gateway has. Nodes on one store are processes that share a log. */
export const createNode = (
  store: ChainedLog,
  {
    cacheSize,
    committer = createCommitter({ store, maxRetries: 3, retryMs: 0 }),
    decider = accountDecider,
    snapshots,
  }: {
    readonly cacheSize?: number;
    readonly committer?: Committer;
    readonly decider?: typeof accountDecider;
    readonly snapshots?: Snapshots<Account>;
  } = {},
): Node => {
  const commands = createCommands({
    // If positions are known at once, tests replace the reads of the log itself.
    store: store.streams.acceptsKnownIds ? store.streams : store,
    committer,
    codec: journal,
    decider,
    ...(cacheSize === undefined ? {} : { cacheSize }),
    ...(snapshots ? { snapshots } : {}),
  });
  return {
    commands,
    committer,
    execute: (account, command, commandId, options) =>
      commands.execute(accountStream(account), command, metadataOf(commandId), options),
  };
};

/** Writes history past every node, as another process would. */
export const happen = async (store: ChainedLog, account: string, ...events: AccountEvent[]): Promise<void> => {
  const stream = accountStream(account);
  const { length } = await readWholeStream(store, stream);
  const metadata = metadataOf();
  const encoded = events.map((event, n) => encode(event, eventId(metadata.commandId, n), metadata));
  await store.append([{ stream, expected: { revision: length - 1 }, events: encoded }]);
};

export const historyOf = async (store: ChainedLog, account: string): Promise<readonly AccountEvent[]> =>
  (await readWholeStream(store, accountStream(account))).map((stored) => decode(stored).event as AccountEvent);
