import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Decider } from '../../../src/domain/decider.ts';
import { personDecider } from '../../../src/domain/identity/decide-person.ts';
import { type PersonCommand } from '../../../src/domain/identity/person-commands.ts';
import { personStream } from '../../../src/domain/identity/person.ts';
import { STAFF_STREAM, staffDecider, type StaffCommand } from '../../../src/domain/identity/staff.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { journal, type DomainEvent } from '../../../src/eventstore/journal/codec.ts';
import { openLog } from '../stores/log.ts';

/** Executes a command as another node that dies right after it: what follows is left to the gateways. */
export const executeAndDie = async <State, Command, Event extends DomainEvent, Refusal>(
  databaseUrl: string,
  decider: Decider<State, Command, Event, Refusal>,
  stream: string,
  command: Command,
): Promise<void> => {
  const store = openLog(databaseUrl);
  const committer = createCommitter({ store });
  const commands = createCommands({ store, committer, codec: journal, decider });
  const outcome = await commands.execute(stream, command, { actor: 'test', commandId: randomUUID() });
  expect(outcome).toMatchObject({ kind: 'accepted' });
  await committer.close();
  await store.close();
};

export const onPerson = (databaseUrl: string, personId: string, command: PersonCommand): Promise<void> =>
  executeAndDie(databaseUrl, personDecider, personStream(personId), command);

export const onStaff = (databaseUrl: string, command: StaffCommand): Promise<void> =>
  executeAndDie(databaseUrl, staffDecider, STAFF_STREAM, command);
