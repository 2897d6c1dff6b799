import { describe, expect, it } from 'vitest';
import { createNodes, Died } from './nodes.ts';

const proof = { linkSecret: 'secret' };
const client = { address: undefined, userAgent: undefined };

describe.each([
  ['of a person', false],
  ['of an entity', true],
])('a verification %s', (_, entity) => {
  const whole = async () => {
    const nodes = await createNodes(entity);
    const node = nodes.startNode();
    expect(await node.people.registration.verify('per_1', proof, client)).toMatchObject({ kind: 'verified' });
    await nodes.react();
    const events = (await nodes.types()).filter((type) => !type.startsWith('mail'));
    await nodes.close();
    return { events, commands: node.commands() };
  };

  it('has each effect once, whether or not the process of another node repeats it', async () => {
    const { events } = await whole();
    expect(events).toEqual([
      ...['person PersonRegistered', 'identity IdentityClaimed', 'person AddressVerified'],
      ...(entity ? ['identity IdentityClaimed'] : []),
      ...['person AccountOpened', 'account AccountRegistered', 'account MemberAdded', 'account TermsAccepted'],
    ]);
  });

  it('is completed by the process if the node dies before or after any of its commands', async () => {
    const { events, commands } = await whole();
    expect(commands).toBeGreaterThan(4);
    // Before the first command nothing has happened: the person asks again.
    for (let at = 1; at < 2 * commands; at++) {
      const nodes = await createNodes(entity);
      const death = { command: Math.floor(at / 2), after: at % 2 === 1 };
      await expect(nodes.startNode(death).people.registration.verify('per_1', proof, client)).rejects.toThrow(Died);
      await nodes.react();
      const left = (await nodes.types()).filter((type) => !type.startsWith('mail'));
      expect(left, JSON.stringify(death)).toEqual(events);
      await nodes.close();
    }
  });
});

it('of two registrations of one address, the one that is verified first opens an account', async () => {
  const nodes = await createNodes(false, ['per_1', 'per_2']);
  const { people } = nodes.startNode();
  expect(await people.registration.verify('per_2', proof, client)).toMatchObject({ kind: 'verified' });
  expect(await people.registration.verify('per_1', proof, client)).toEqual({ kind: 'address_taken' });
  await nodes.react();
  expect((await nodes.types()).filter((type) => type === 'account AccountRegistered')).toHaveLength(1);
  await nodes.close();
});
