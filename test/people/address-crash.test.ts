import { expect, it } from 'vitest';
import { personStream } from '../../src/domain/identity/person.ts';
import { createNodes, Died, type Death } from './nodes.ts';

const proof = { linkSecret: 'secret' };
const client = { address: undefined, userAgent: undefined };

type Nodes = Awaited<ReturnType<typeof createNodes>>;
type Step = (node: ReturnType<Nodes['startNode']>) => Promise<unknown>;

const confirm: Step = ({ people }) => people.addressChanges.confirm('chg_1', proof, client);
const undo: Step = ({ people }) => people.addressChanges.undo('chg_1', 'secret', client);

/** A person with an account who has asked for a change of address, and then the steps, one of which ends early. */
const live = async (steps: readonly Step[], death?: Death) => {
  const nodes = await createNodes(false);
  await nodes.startNode().people.registration.verify('per_1', proof, client);
  await nodes.react();
  const personal = await nodes.vault.seal('per_1', { name: 'Ada', email: 'new@example.com' });
  const ask = { type: 'AskAddressChange', changeId: 'chg_1', personal } as const;
  await nodes.persons.execute(personStream('per_1'), ask, { actor: 'person:per_1', commandId: 'ask' });
  await nodes.react();
  let commands = 0;
  for (const [n, step] of steps.entries()) {
    const node = nodes.startNode(n === steps.length - 1 ? death : undefined);
    await step(node).catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
    });
    commands = node.commands();
    await nodes.react();
  }
  // Routes and the process of another node may be ahead of each other.
  const events = (await nodes.types()).toSorted();
  await nodes.close();
  return { events, commands };
};

it.each([
  ['a change of address', [confirm], ['identity ClaimEndSet', 'account ContactChanged', 'mail MailQueued']],
  ['the undo of a change of address', [confirm, undo], ['identity IdentityReleased', 'person SessionsRevoked']],
] as const)(
  '%s has each effect once, also if the node dies before or after any of its commands',
  async (_, steps, effects) => {
    const whole = await live(steps);
    expect(whole.events).toEqual(expect.arrayContaining([...effects]));
    expect(whole.commands).toBeGreaterThan(3);
    // Before the first command nothing has happened: the person tries again.
    for (let at = 1; at < 2 * whole.commands; at++) {
      const death = { command: Math.floor(at / 2), after: at % 2 === 1 };
      expect((await live(steps, death)).events, JSON.stringify(death)).toEqual(whole.events);
    }
  },
);
