import { expect, it } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import { accountDecider } from '../../src/domain/account/decide.ts';
import { claimDecider } from '../../src/domain/identity/claims.ts';
import { personDecider } from '../../src/domain/identity/decide-person.ts';
import { personStream } from '../../src/domain/identity/person.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { journal } from '../../src/eventstore/journal/codec.ts';
import { createVault } from '../../src/eventstore/journal/personal-data.ts';
import { createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import { createIdentities } from '../../src/people/identities.ts';
import { erasePerson } from '../../src/people/leaving/erasure.ts';
import type { PeopleOptions } from '../../src/people/people-options.ts';
import { createMemoryDataKeys } from '../support/postgres/data-keys.ts';

const ACCOUNT = accountStream('acc_1');
let commands = 0;
const metadata = () => ({ actor: 'system:test', commandId: `command-${commands++}` });

/** An entity that per_1 registered, with the second owner per_2. */
const anEntityWithTwoOwners = async () => {
  const store = createInMemoryStore();
  const committer = createCommitter({ store });
  const keys = createMemoryDataKeys();
  const vault = createVault(keys);
  const all = { store, committer, codec: journal };
  const persons = createCommands({ ...all, decider: personDecider });
  const claims = createCommands({ ...all, decider: claimDecider });
  const accounts = createCommands({ ...all, decider: accountDecider });
  for (const personId of ['per_1', 'per_2']) {
    const stream = personStream(personId);
    const personal = await vault.seal(personId, { name: 'Ada', email: `${personId}@example.com` });
    await persons.execute(stream, { type: 'RegisterPerson', how: 'registration', personal }, metadata());
    await persons.execute(stream, { type: 'VerifyAddress', how: 'code' }, metadata());
    await persons.execute(stream, { type: 'JoinAccount', accountId: 'acc_1' }, metadata());
  }
  const personal = await vault.seal('acc_1', { name: 'Example GmbH', email: 'per_1@example.com' });
  const register = { type: 'RegisterAccount', holder: 'entity', adult: true, owner: 'per_1', personal } as const;
  await accounts.execute(ACCOUNT, register, metadata());
  await accounts.execute(ACCOUNT, { type: 'AddMember', personId: 'per_2', role: 'owner' }, metadata());

  const erase = (personId: string, read: typeof accounts.read = accounts.read) => {
    const options = {
      ...{ store, vault, persons, claims, identities: createIdentities('a secret'), now: () => new Date(0) },
      accounts: { ...accounts, read },
      identity: { deletePerson: () => Promise.resolve() },
      destroyKey: (id: string) => Promise.resolve(keys.destroy(id)),
    } as unknown as PeopleOptions;
    const asked = { cause: 'own_wish', reason: 'asked for', session: undefined, mayRepeat: false } as const;
    return erasePerson(options, personId, { ...asked, metadata: metadata() });
  };
  const account = async () => (await accounts.read(ACCOUNT)).state;
  const contact = async () => vault.open('acc_1', (await account()).standing.registration?.personal ?? '');
  return { erase, account, contact, read: accounts.read, close: committer.close };
};

it('two owners who are erased at once leave the account an owner', async () => {
  const { erase, account, read, close } = await anEntityWithTwoOwners();
  let readers = 0;
  const both = Promise.withResolvers<undefined>();
  /** Each sees the account with the other one as an owner. */
  const together: typeof read = async (stream) => {
    const found = await read(stream);
    if (++readers === 2) both.resolve(undefined);
    await both.promise;
    return found;
  };
  const outcomes = await Promise.all([erase('per_1', together), erase('per_2', together)]);
  expect(outcomes).toContainEqual({ kind: 'erased', changed: true });
  expect(outcomes).toContainEqual({ kind: 'refused', code: 'accounts_open' });
  expect([...(await account()).members.values()]).toEqual(['owner']);
  await close();
});

it('the contact of an entity that goes on is another owner afterwards', async () => {
  const { erase, contact, close } = await anEntityWithTwoOwners();
  expect(await contact()).toEqual({ name: 'Example GmbH', email: 'per_1@example.com' });
  expect(await erase('per_1')).toEqual({ kind: 'erased', changed: true });
  expect(await contact()).toEqual({ name: 'Example GmbH', email: 'per_2@example.com' });
  await close();
});
