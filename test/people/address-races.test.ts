import { expect, it } from 'vitest';
import { accountStream } from '../../src/domain/account/account.ts';
import { readAddress } from '../../src/domain/identity/address.ts';
import { personStream } from '../../src/domain/identity/person.ts';
import { createNodes } from './nodes.ts';

const proof = { linkSecret: 'secret' };
const client = { address: undefined, userAgent: undefined };
type Nodes = Awaited<ReturnType<typeof createNodes>>;
type Step = (node: ReturnType<Nodes['startNode']>) => Promise<unknown>;

const confirm: Step = ({ people }) => people.addressChanges.confirm('chg_1', proof, client);
const undo: Step = ({ people }) => people.addressChanges.undo('chg_1', 'secret', client);
const rename: Step = ({ people }) =>
  people.changeName({ personId: 'per_1', name: 'Ada King', actor: 'person:per_1', commandId: 'n', requestId: 'r' });

/** Runs `step` on one node, and `other` on another one before the n-th time that the first opens or seals a text. */
const race = async (before: readonly Step[], step: Step, other: Step, n: number) => {
  const nodes = await createNodes(false);
  await nodes.startNode().people.registration.verify('per_1', proof, client);
  await nodes.react();
  const sealed = await nodes.vault.seal('per_1', { name: 'Ada', email: 'new@example.com' });
  const ask = { type: 'AskAddressChange', changeId: 'chg_1', personal: sealed } as const;
  await nodes.persons.execute(personStream('per_1'), ask, { actor: 'person:per_1', commandId: 'ask' });
  for (const one of before) await one(nodes.startNode());
  const { open, seal } = nodes.vault;
  let calls = 0;
  const intrude = async (): Promise<void> => {
    if (calls++ === n) await other(nodes.startNode());
  };
  Object.assign(nodes.vault, {
    open: async (...given: Parameters<typeof open>) => (await intrude(), open(...given)),
    seal: async (...given: Parameters<typeof seal>) => (await intrude(), seal(...given)),
  });
  await step(nodes.startNode());
  Object.assign(nodes.vault, { open, seal });
  const { state: person } = await nodes.persons.read(personStream('per_1'));
  const accountId = person.accounts[0] ?? '';
  const { standing } = (await nodes.accounts.read(accountStream(accountId))).state;
  const claimed: string[] = [];
  for (const email of ['ada@example.com', 'new@example.com']) {
    const address = readAddress(email);
    const { state } = await nodes.claims.read(address ? nodes.identities.ofAddress(address) : '');
    if (state.owners.includes('per_1')) claimed.push(email);
  }
  const found = {
    person: await nodes.vault.open('per_1', person.personal ?? ''),
    account: await nodes.vault.open(accountId, standing.registration?.personal ?? ''),
    claimed,
  };
  await nodes.close();
  return { found, isOver: calls <= n, isUndone: person.changes[0]?.undone };
};

const old = 'ada@example.com';
const next = 'new@example.com';

it.each<[string, readonly Step[], Step, Step, string, string, readonly string[]]>([
  ['a change of the name during an undo', [confirm], undo, rename, 'Ada King', old, [old]],
  ['an undo during a change of the name', [confirm], rename, undo, 'Ada King', old, [old]],
  ['a change of the name during a change of address', [], confirm, rename, 'Ada King', next, [old, next]],
  ['a change of address during a change of the name', [], rename, confirm, 'Ada King', next, [old, next]],
])('%s loses neither, at any moment', async (_, before, step, other, name, email, claimed) => {
  let n = 0;
  for (; ; n++) {
    const { found, isOver } = await race(before, step, other, n);
    if (isOver) break;
    const contact = { name, email };
    expect(found, `call ${n}`).toMatchObject({ person: contact, account: contact, claimed });
  }
  expect(n).toBeGreaterThan(3);
});

it('an undo while the change of address takes effect leaves the claim of the old address alone, at any moment', async () => {
  let undone = 0;
  for (let n = 0; ; n++) {
    const { found, isOver, isUndone } = await race([], confirm, undo, n);
    if (isOver) break;
    if (isUndone !== true) continue;
    undone += 1;
    const contact = { name: 'Ada', email: old };
    expect(found, `call ${n}`).toMatchObject({ person: contact, account: contact, claimed: [old] });
  }
  expect(undone).toBeGreaterThan(3);
});
