import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { personDecider, type PersonCommand } from '../../../src/domain/identity/decide-person.ts';
import { personStream } from '../../../src/domain/identity/person.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { journal } from '../../../src/eventstore/journal/codec.ts';
import { createPostgresStore } from '../../../src/eventstore/postgres/postgres.ts';

/** Executes a command on the stream of a person, as another node would. */
export const onPerson = async (databaseUrl: string, personId: string, command: PersonCommand): Promise<void> => {
  const store = createPostgresStore(databaseUrl);
  const committer = createCommitter({ store });
  const persons = createCommands({ store, committer, codec: journal, decider: personDecider });
  const outcome = await persons.execute(personStream(personId), command, { actor: 'test', commandId: randomUUID() });
  expect(outcome.kind).toBe('accepted');
  await committer.close();
  await store.close();
};
