import { expect, it } from 'vitest';
import { createNodes, Died, type Death } from './nodes.ts';

const client = { address: undefined, userAgent: undefined };
const proof = { linkSecret: 'secret' };
const asked = {
  entity: { country: 'DE', number: 'HRB 2', name: 'Example GmbH' },
  accepted: { termsVersion: '2026-02', declared: { adult: true, wording: 'I may act for it.' } },
  ...{ client, commandId: 'ask', requestId: 'req_1' },
} as const;

/** A person with an account asks for another one, on a node that may die. */
const live = async (death?: Death) => {
  const nodes = await createNodes(false);
  await nodes.startNode().people.registration.verify('per_1', proof, client);
  await nodes.react();
  const before = (await nodes.types()).length;
  const node = nodes.startNode(death);
  const opened = await node.people.furtherAccounts.open('per_1', asked).catch((error: unknown) => {
    if (!(error instanceof Died)) throw error;
    return undefined;
  });
  await nodes.react();
  const events = (await nodes.types()).slice(before);
  const again = await nodes.startNode().people.furtherAccounts.open('per_1', asked);
  const repeated = (await nodes.types()).slice(before);
  await nodes.close();
  return { opened, again, events, repeated, commands: node.commands() };
};

it('a further account is opened once if the node dies before or after any command', async () => {
  const whole = await live();
  expect(whole.opened).toMatchObject({ kind: 'opened' });
  expect(whole.events).toEqual([
    ...['person AccountAsked', 'identity IdentityClaimed', 'person AccountOpened'],
    ...['account AccountRegistered', 'account MemberAdded', 'account TermsAccepted'],
  ]);
  expect(whole.commands).toBe(5);
  // Before the first command nothing has happened: the person asks again.
  for (let at = 1; at < 2 * whole.commands; at++) {
    const death = { command: Math.floor(at / 2), after: at % 2 === 1 };
    const { opened, again, events, repeated } = await live(death);
    expect(opened).toBeUndefined();
    expect(events, JSON.stringify(death)).toEqual(whole.events);
    expect(again).toEqual(whole.opened);
    expect(repeated).toEqual(events);
  }
});
