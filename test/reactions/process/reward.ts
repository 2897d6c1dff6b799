import { accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider } from '../../../src/domain/account/decide.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { derivedId } from '../../../src/eventstore/ids.ts';
import { decodeEvent, encode, journal } from '../../../src/eventstore/journal/codec.ts';
import { query } from '../../support/sql.ts';
import type { Process, Reaction } from '../../../src/reactions/process.ts';
import { randomUUID } from 'node:crypto';
import type { ProcessNode, Subject } from './subject.ts';

/** Credits accounts with a lot whose id derives from the command, so that a command with another id shows. */
const createTopUps = ({ store, committer }: ProcessNode) => {
  const accounts = createCommands({ store, committer, codec: journal, decider: accountDecider });
  const register = async (account: string): Promise<void> => {
    const command = { type: 'RegisterAccount', holder: 'person', personal: 'v1.c2VhbGVk', adult: true } as const;
    await accounts.execute(accountStream(account), command, { actor: 'test', commandId: randomUUID() });
  };
  const topUp =
    (account: string, reason: string): Reaction =>
    (metadata) =>
      accounts.execute(
        accountStream(account),
        {
          ...{ type: 'TopUp', lotId: derivedId('lot', metadata.commandId), amount: 5n },
          source: { kind: 'grant', reason },
        },
        metadata,
        { mayRepeat: true },
      );
  return { register, topUp };
};

const causes = async ({ store }: ProcessNode, n: number, reason: string): Promise<void> => {
  const suspension = { type: 'AccountSuspended', reason, cause: { kind: 'staff' } } as const;
  const event = encode(suspension, randomUUID(), { actor: 'test', commandId: randomUUID() });
  const [result] = await store.append([
    { stream: accountStream(`cause_${n}`), expected: { revision: -1 }, events: [event] },
  ]);
  if (result?.kind !== 'appended') throw new Error(`cause ${n} was not appended`);
};

/** Credits two accounts for each suspension: a process that exists only in tests. */
export const subject: Subject = {
  commands: 2,
  prepare: async (node) => {
    const { register } = createTopUps(node);
    for (const account of ['first', 'second']) await register(account);
  },
  process: (node): Process => {
    const { topUp } = createTopUps(node);
    return {
      name: 'reward',
      types: new Set(['AccountSuspended']),
      from: 'start',
      react: ({ event }) => {
        if (event.type !== 'AccountSuspended') return [];
        const [n, second] = event.reason.split(' ');
        return [topUp('first', `${n}/0`), topUp(second ?? 'second', `${n}/1`)];
      },
    };
  },
  cause: (node, n) => causes(node, n, `${n} second`),
  refusals: {
    cause: (node, n) => causes(node, n, `${n} unregistered`),
    allow: (node) => createTopUps(node).register('unregistered'),
  },
  effects: async ({ databaseUrl, store }) => {
    const [{ head } = { head: '0' }] = await query<{ head: string }>(
      databaseUrl,
      'select position as head from log_head',
    );
    const events = await store.readAll(0, Number(head), ['CreditsToppedUp']);
    return events.map(decodeEvent).flatMap((event) => {
      if (event.type !== 'CreditsToppedUp' || event.source.kind !== 'grant') return [];
      return [event.source.reason];
    });
  },
};
