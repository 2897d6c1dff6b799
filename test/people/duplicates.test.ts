import { describe, expect, it } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand } from '../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { decode, decodeFact, journal } from '../../src/eventstore/journal/codec.ts';
import { createVault, type PersonalData } from '../../src/eventstore/journal/personal-data.ts';
import { createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import type { SearchTerms, Subject, Term } from '../../src/identity/search-terms.ts';
import { signalsOf } from '../../src/people/duplicates/signals.ts';
import { createSearchProcess } from '../../src/people/search/search-process.ts';
import { createMemoryDataKeys } from '../support/postgres/data-keys.ts';

const ada: PersonalData = { name: 'Ada Lovelace', email: 'ada@analytical.example' };
const entity = (number: string, more: Partial<PersonalData> = {}): PersonalData => ({
  ...{ name: 'Example GmbH', email: `${number}@gmail.com`, entity: { country: 'DE', number } },
  ...more,
});

describe('what an account has in common with its duplicates', () => {
  const isEqual = (one: PersonalData, other: PersonalData): boolean => {
    const texts = signalsOf(one).map(({ field, text }) => `${field} ${text}`);
    return signalsOf(other).some(({ field, text }) => texts.includes(`${field} ${text}`));
  };
  const like = (email: string, name = ada.name): PersonalData => ({ name, email });

  it('is all words of the name, in any order and spelling, and the domain', () => {
    expect(isEqual(ada, like('info@ANALYTICAL.example', 'LOVELACE, Áda'))).toBe(true);
    expect(isEqual(ada, like('ada@other.example'))).toBe(false);
    expect(isEqual(ada, like('ada@analytical.example', 'Ada King Lovelace'))).toBe(false);
    expect(isEqual(ada, like('ada@analytical.example', 'Ada'))).toBe(false);
  });

  it('is never the domain of a public mail provider', () => {
    expect(signalsOf(like('ada@gmail.com'))).toEqual([]);
    expect(signalsOf(like('ada@gmx.de'))).toEqual([]);
  });

  it('is nothing if the name has no words', () =>
    expect(signalsOf(like('ada@analytical.example', 'A. L.'))).toEqual([]));

  it('is the name and the country of an entity', () => {
    expect(isEqual(entity('HRB 1'), entity('HRB 2', { name: 'EXAMPLE gmbh' }))).toBe(true);
    expect(isEqual(entity('HRB 1'), entity('HRB 2', { entity: { country: 'AT', number: 'HRB 2' } }))).toBe(false);
  });
});

/** Keeps the terms in memory. */
const createTerms = (): Pick<SearchTerms, 'replace' | 'find'> => {
  const kept = new Map<string, readonly [Subject, readonly Term[]]>();
  return {
    replace: (subject, terms) => Promise.resolve(void kept.set(subject.id, [subject, terms])),
    find: (wanted, limit) =>
      Promise.resolve(
        [...kept.values()]
          .filter(([, terms]) => wanted.every((one) => terms.some((t) => t.field === one.field && t.text === one.text)))
          .map(([subject]) => subject)
          .slice(0, limit),
      ),
  };
};

const open = () => {
  const store = createInMemoryStore();
  const committer = createCommitter({ store });
  const vault = createVault(createMemoryDataKeys());
  const accounts = createCommands({ store, committer, codec: journal, decider: accountDecider });
  let commands = 0;
  const execute = (accountId: string, command: AccountCommand) =>
    accounts.execute(accountStream(accountId), command, { actor: 'test', commandId: `command-${commands++}` });
  const process = createSearchProcess({
    ...{ accounts, store, vault },
    identity: { searchTerms: createTerms() },
  } as unknown as Parameters<typeof createSearchProcess>[0]);
  const metadata = { actor: 'system:search', commandId: 'ignored' };
  const reactionsTo = async (accountId: string) => {
    const [first] = await store.readStream(accountStream(accountId), 0, 1);
    if (!first) throw new Error(`${accountId} was not registered`);
    return process.react(decodeFact(first));
  };
  return {
    execute,
    register: async (accountId: string, personal: PersonalData, owner: string | null): Promise<void> => {
      const holder = personal.entity ? 'entity' : 'person';
      const sealed = await vault.seal(accountId, personal);
      const by = owner === null ? {} : { owner };
      await execute(accountId, { type: 'RegisterAccount', holder, adult: true, personal: sealed, ...by });
    },
    /** What the process does with the registration of each account, one after another. */
    react: async (...accountIds: readonly string[]): Promise<void> => {
      for (const accountId of accountIds) {
        for (const reaction of await reactionsTo(accountId)) await reaction(metadata);
      }
    },
    /** The same for two accounts, one step of each in turn. */
    reactAtOnce: async (one: string, other: string): Promise<void> => {
      const others = await reactionsTo(other);
      for (const [step, reaction] of (await reactionsTo(one)).entries()) {
        await reaction(metadata);
        await others[step]?.(metadata);
      }
    },
    /** The suspicions in the log, as `newer older signal`. */
    suspected: async (): Promise<readonly string[]> =>
      (await store.readAll(0, 100)).flatMap((stored) => {
        const event = decode(stored).event as AccountEvent;
        const accountId = stored.stream.replace('account-', '');
        return event.type === 'DuplicateSuspected' ? [`${accountId} ${event.other} ${event.signal}`] : [];
      }),
    close: committer.close,
  };
};

describe('accounts that may have the same holder', () => {
  const found = ['acc_2 acc_1 same_name_and_domain'];

  it.each([
    ['the older one first', ['acc_1', 'acc_2']],
    ['the newer one first', ['acc_2', 'acc_1']],
    ['several times', ['acc_1', 'acc_2', 'acc_1', 'acc_2']],
  ])('are flagged once, on the newer one, if the process handles %s', async (_, order) => {
    const log = open();
    await log.register('acc_1', ada, 'per_1');
    await log.register('acc_2', { ...ada, email: 'second@analytical.example' }, 'per_2');
    await log.react(...order);
    expect(await log.suspected()).toEqual(found);
    await log.close();
  });

  it('are flagged if the process handles both at once', async () => {
    const log = open();
    await log.register('acc_1', ada, 'per_1');
    await log.register('acc_2', ada, 'per_2');
    await log.reactAtOnce('acc_1', 'acc_2');
    expect(await log.suspected()).toEqual(found);
    await log.close();
  });

  it('are an account that a person opened and one that the operator registered, never the other way round', async () => {
    const log = open();
    await log.register('acc_1', ada, null);
    await log.register('acc_2', ada, 'per_2');
    await log.register('acc_3', ada, null);
    await log.react('acc_1', 'acc_2', 'acc_3');
    expect(await log.suspected()).toEqual(found);
    await log.close();
  });

  it('are entities with other registration numbers', async () => {
    const log = open();
    await log.register('acc_1', entity('HRB 1'), 'per_1');
    await log.register('acc_2', entity('HRB 2'), 'per_2');
    // Support approved it.
    await log.register('acc_3', entity('hrb-1', { email: 'x@gmx.de' }), 'per_3');
    await log.react('acc_1', 'acc_2', 'acc_3');
    expect(await log.suspected()).toEqual(['acc_2 acc_1 same_entity_name', 'acc_3 acc_2 same_entity_name']);
    await log.close();
  });

  it('are not the accounts of one person, which support approved', async () => {
    const log = open();
    await log.register('acc_1', ada, 'per_1');
    await log.register('acc_2', ada, 'per_1');
    await log.react('acc_1', 'acc_2');
    expect(await log.suspected()).toEqual([]);
    await log.close();
  });

  it('are not compared with what was erased', async () => {
    const log = open();
    await log.register('acc_1', ada, 'per_1');
    await log.react('acc_1');
    await log.execute('acc_1', { type: 'CloseAccount', reason: 'left' });
    await log.execute('acc_1', { type: 'ErasePersonalData', reason: 'asked' });
    await log.register('acc_2', ada, 'per_2');
    await log.react('acc_2');
    expect(await log.suspected()).toEqual([]);
    await log.close();
  });

  it('are flagged if the older one was closed, and not if the newer one is', async () => {
    const log = open();
    await log.register('acc_1', ada, 'per_1');
    await log.react('acc_1');
    await log.execute('acc_1', { type: 'CloseAccount', reason: 'resale' });
    await log.register('acc_2', ada, 'per_2');
    await log.register('acc_3', ada, 'per_3');
    await log.execute('acc_3', { type: 'CloseAccount', reason: 'left' });
    await log.react('acc_2', 'acc_3');
    expect(await log.suspected()).toEqual(found);
    await log.close();
  });
});
