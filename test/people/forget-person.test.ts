import { expect, it } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import { accountDecider } from '../../src/domain/account/decide.ts';
import { claimDecider } from '../../src/domain/identity/claims.ts';
import { personDecider } from '../../src/domain/identity/decide-person.ts';
import type { ErasureCause } from '../../src/domain/identity/person-events.ts';
import { personStream } from '../../src/domain/identity/person.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { journal } from '../../src/eventstore/journal/codec.ts';
import { createVault } from '../../src/eventstore/journal/personal-data.ts';
import { createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import { createIdentities } from '../../src/people/identities.ts';
import { forgetPerson } from '../../src/people/leaving/forget-person.ts';
import type { PeopleOptions } from '../../src/people/people-options.ts';
import { createMemoryDataKeys } from '../support/postgres/data-keys.ts';

class Died extends Error {}

const ADDRESS = { canonical: 'ada@example.com' };
const ENTITY = { country: 'DE', number: 'HRB 1' };
const personal = { name: 'Ada', email: ADDRESS.canonical, entity: ENTITY };
const registered = { type: 'RegisterPerson', how: 'registration' } as const;
let commands = 0;
const metadata = () => ({ actor: 'system:test', commandId: `command-${commands++}` });

/** An erased person whose entity has a closed account, and another account with a second owner. */
const anErasedPerson = async (cause: ErasureCause) => {
  const store = createInMemoryStore();
  const committer = createCommitter({ store });
  const [keys, identities] = [createMemoryDataKeys(), createIdentities('a secret that the nodes share')];
  const vault = createVault(keys);
  const all = { store, committer, codec: journal };
  const persons = createCommands({ ...all, decider: personDecider });
  const claims = createCommands({ ...all, decider: claimDecider });
  const accounts = createCommands({ ...all, decider: accountDecider });
  const person = personStream('per_1');
  const sealed = await vault.seal('per_1', personal);
  await persons.execute(person, { ...registered, personal: sealed }, metadata());
  await persons.execute(person, { type: 'VerifyAddress', how: 'code' }, metadata());
  const [ofAddress, ofEntity] = [identities.ofAddress(ADDRESS), identities.ofEntity(ENTITY)];
  await claims.execute(ofAddress, { type: 'ClaimIdentity', owner: 'per_1', at: 0 }, metadata());
  await claims.execute(ofEntity, { type: 'ClaimIdentity', owner: 'acc_1', at: 0 }, metadata());
  for (const accountId of ['acc_1', 'acc_2']) {
    const stream = accountStream(accountId);
    const contact = await vault.seal(accountId, personal);
    const register = { type: 'RegisterAccount', holder: 'entity', personal: contact, adult: true } as const;
    await persons.execute(person, { type: 'OpenAccount', accountId, holder: 'entity', at: 0 }, metadata());
    await accounts.execute(stream, { ...register, owner: 'per_1' }, metadata());
    if (accountId === 'acc_2') {
      await accounts.execute(stream, { type: 'AddMember', personId: 'per_2', role: 'owner' }, metadata());
    }
    await accounts.execute(stream, { type: 'CloseAccount', reason: 'moved' }, metadata());
  }
  const ended = ['acc_1', 'acc_2'];
  await persons.execute(person, { type: 'ErasePerson', reason: 'asked for', cause, ended }, metadata());

  const deleted: string[] = [];
  const forget = async (death?: { readonly step: number; readonly after: boolean }): Promise<number> => {
    let steps = 0;
    const mortal = <Given extends readonly unknown[], T>(act: (...given: Given) => Promise<T>) => {
      return async (...given: Given): Promise<T> => {
        const dies = steps++ === death?.step;
        if (dies && !death.after) throw new Died();
        const result = await act(...given);
        if (dies) throw new Died();
        return result;
      };
    };
    const options = {
      ...{ store, vault, identities, persons },
      claims: { ...claims, execute: mortal(claims.execute) },
      accounts: { ...accounts, execute: mortal(accounts.execute) },
      identity: { deletePerson: mortal(async (id: string) => void (await Promise.resolve(deleted.push(id)))) },
      destroyKey: mortal((id: string) => Promise.resolve(keys.destroy(id))),
    } as unknown as PeopleOptions;
    await forgetPerson(options, 'per_1', { cause, reason: 'asked for' });
    return steps;
  };
  const outcome = async () => ({
    address: (await store.readStream(ofAddress, 0, 9)).map(({ type }) => type),
    entity: (await store.readStream(ofEntity, 0, 9)).map(({ type }) => type),
    erased: (await accounts.read(accountStream('acc_1'))).state.standing.erased,
    foreign: (await accounts.read(accountStream('acc_2'))).state.standing.erased,
    isDeleted: deleted.includes('per_1'),
    left: await vault.open('per_1', sealed),
  });
  return { forget, outcome, close: committer.close };
};

it.each([
  ['own_wish', 'IdentityReleased'],
  ['violation', 'IdentityRetired'],
] as const)('after %s all is forgotten, also if a node dies before or after any step', async (cause, end) => {
  const whole = await anErasedPerson(cause);
  const steps = await whole.forget();
  expect(steps).toBe(5);
  const forgotten = await whole.outcome();
  expect(forgotten).toEqual({
    ...{ address: ['IdentityClaimed', end], entity: ['IdentityClaimed', end] },
    ...{ erased: true, foreign: false, isDeleted: true, left: undefined },
  });
  await whole.close();
  for (let at = 0; at < 2 * steps; at++) {
    const person = await anErasedPerson(cause);
    const death = { step: Math.floor(at / 2), after: at % 2 === 1 };
    await expect(person.forget(death)).rejects.toThrow(Died);
    await person.forget();
    expect(await person.outcome(), JSON.stringify(death)).toEqual(forgotten);
    await person.close();
  }
});
