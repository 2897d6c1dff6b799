import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { accountDecider } from '../../src/domain/account/decide.ts';
import { claimDecider } from '../../src/domain/identity/claims.ts';
import { personDecider } from '../../src/domain/identity/decide-person.ts';
import { personStream } from '../../src/domain/identity/person.ts';
import { mailDecider } from '../../src/domain/mail/mail.ts';
import { createCommands } from '../../src/eventstore/commands.ts';
import { createCommitter } from '../../src/eventstore/committer.ts';
import { decodeFact, journal, type Fact } from '../../src/eventstore/journal/codec.ts';
import { createVault } from '../../src/eventstore/journal/personal-data.ts';
import { createInMemoryStore } from '../../src/eventstore/memory/in-memory.ts';
import { createIdentities } from '../../src/people/identities.ts';
import { createPeople } from '../../src/people/people.ts';
import type { PeopleOptions } from '../../src/people/people-options.ts';
import { createMemoryDataKeys } from '../support/postgres/data-keys.ts';

type Execute = PeopleOptions['persons']['execute'];

/** The moment at which a node dies: before or after the effect of its n-th command. */
export type Death = { readonly command: number; readonly after: boolean };

export class Died extends Error {}

/** Nodes on one log. Each dies at a moment, or lives. */
export const createNodes = async (entity: boolean, registered: readonly string[] = ['per_1']) => {
  const store = createInMemoryStore();
  const committer = createCommitter({ store });
  const vault = createVault(createMemoryDataKeys());
  const identities = createIdentities('a secret that the nodes share');
  const all = { store, committer, codec: journal };
  const persons = createCommands({ ...all, decider: personDecider });
  const asked = {
    ...{ holder: entity ? ('entity' as const) : ('person' as const), termsVersion: '2026-01' },
    declared: { adult: true as const, wording: 'I am 18 or older.' },
  };
  for (const personId of registered) {
    const personal = await vault.seal(personId, {
      ...{ name: 'Ada', email: 'ada@example.com' },
      ...(entity ? { entity: { country: 'DE', number: 'HRB 1' } } : {}),
    });
    const register = { type: 'RegisterPerson', personal, how: 'registration', asked } as const;
    await persons.execute(personStream(personId), register, { actor: `person:${personId}`, commandId: personId });
  }

  const startNode = (death?: Death) => {
    let commands = 0;
    const mortal = <Run extends (...given: never[]) => Promise<unknown>>(execute: Run): Run =>
      (async (...given: never[]) => {
        const dies = commands++ === death?.command;
        if (dies && !death.after) throw new Died();
        const outcome = await execute(...given);
        if (dies) throw new Died();
        return outcome;
      }) as Run;
    const people = createPeople({
      persons: { ...persons, execute: mortal(persons.execute as Execute) },
      ...mortalOf(createCommands({ ...all, decider: claimDecider }), 'claims'),
      ...mortalOf(createCommands({ ...all, decider: accountDecider }), 'accounts'),
      ...mortalOf(createCommands({ ...all, decider: mailDecider }), 'mails'),
      ...{ store, vault, identities, now: () => new Date(0), publicUrl: () => '', supportEmail: () => '' },
      identity: {
        pendingRegistrations: { add: () => Promise.resolve(), remove: () => Promise.resolve() },
        attemptLimits: { allow: () => Promise.resolve({ kind: 'allowed' }) },
        oneTimeCodes: {
          issue: () => Promise.resolve(),
          redeem: () => Promise.resolve({ kind: 'redeemed', subject: 'per_1', sameBrowser: false }),
          check: () => Promise.resolve({ kind: 'valid', subject: 'per_1.chg_1' }),
          revoke: () => Promise.resolve(),
          isOpen: () => Promise.resolve(true),
        },
        sessions: { revokeAll: () => Promise.resolve([]) },
        totp: { remove: () => Promise.resolve(false) },
        recoveryCodes: { remove: () => Promise.resolve() },
      },
      randomBytes,
      afterwards: () => undefined,
      openInvitations: () => Promise.resolve([]),
    } as unknown as Parameters<typeof createPeople>[0]);
    function mortalOf<Name extends string, One extends { execute: (...given: never[]) => Promise<unknown> }>(
      one: One,
      name: Name,
    ): Record<Name, One> {
      return { [name]: { ...one, execute: mortal(one.execute) } } as Record<Name, One>;
    }
    return { people, commands: () => commands };
  };

  const facts = async (): Promise<readonly Fact[]> => (await store.readAll(0, 100)).map(decodeFact);
  /** What the process of a living node does with the log. */
  const react = async (): Promise<void> => {
    const { people } = startNode();
    for (let done = 0, log = await facts(); done < log.length; done++, log = await facts()) {
      for (const reaction of await people.process.react(log[done] as Fact)) {
        expect(await reaction({ actor: 'system:people', commandId: `react-${done}` })).toEqual({ kind: 'accepted' });
      }
    }
  };
  const types = async () => (await facts()).map(({ event, stream }) => `${stream.replace(/-.*/, '')} ${event.type}`);
  const claims = createCommands({ ...all, decider: claimDecider });
  const accounts = createCommands({ ...all, decider: accountDecider });
  return { startNode, react, types, persons, claims, accounts, vault, identities, close: committer.close };
};
