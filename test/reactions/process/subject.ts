import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter, type Committer } from '../../../src/eventstore/committer.ts';
import type { ChainedLog, LogPlace } from '../../../src/eventstore/chained-log.ts';
import { journal } from '../../../src/eventstore/journal/codec.ts';
import { createLogRewinds } from '../../../src/eventstore/postgres/log-rewinds.ts';
import { openLog } from '../../support/stores/log.ts';
import { reactionDecider } from '../../../src/domain/reactions/parked-reactions.ts';
import type { Process, ProcessOptions } from '../../../src/reactions/process.ts';

/** What a process is made from in a test. */
export type ProcessNode = {
  readonly databaseUrl: string;
  readonly store: ChainedLog;
  readonly committer: Committer;
  readonly reactions: ProcessOptions['reactions'];
  readonly commonPosition: (places: readonly LogPlace[]) => Promise<number>;
  close(): Promise<void>;
};

/** A process under the contract of every process. A module exports it as `subject`. */
export type Subject = {
  /** How many commands each cause leads to. */
  readonly commands: number;
  /** Writes what the commands need, before the process starts. */
  prepare(node: ProcessNode): Promise<void>;
  process(node: ProcessNode): Process;
  /** Writes the event number n that the process reacts to, on a stream of its own. */
  cause(node: ProcessNode, n: number): Promise<void>;
  /** Absent if its commands are never refused. */
  readonly refusals?: {
    /** As `cause`, with a command that is refused until `allow`. */
    cause(node: ProcessNode, n: number): Promise<void>;
    /** Removes the cause of the refusals. */
    allow(node: ProcessNode): Promise<void>;
  };
  /** Each effect in the log, by the number of its cause and of its command, as `n/command`. */
  effects(node: ProcessNode): Promise<readonly string[]>;
};

export const openNode = (databaseUrl: string): ProcessNode => {
  const store = openLog(databaseUrl);
  const committer = createCommitter({ store });
  const rewinds = createLogRewinds(databaseUrl);
  return {
    ...{ databaseUrl, store, committer, commonPosition: rewinds.newestCommon },
    reactions: createCommands({ store, committer, codec: journal, decider: reactionDecider }),
    close: async () => {
      await committer.close();
      await rewinds.close();
      await store.close();
    },
  };
};
