import { expect, it } from 'vitest';
import { personStream } from '../../src/domain/identity/person.ts';
import type { Session } from '../../src/identity/sessions.ts';
import { createNodes } from './nodes.ts';

it('a person needs a recent sign-in to be erased, because it is final', async () => {
  const nodes = await createNodes(false);
  const { people } = nodes.startNode();
  await people.registration.verify('per_1', { linkSecret: 'secret' }, { address: undefined, userAgent: undefined });
  // The clock of these nodes stands at 0.
  const erase = (createdAt: number) => {
    const session = { personId: 'per_1', createdAt: new Date(createdAt), secondStepAt: null } as Session;
    const metadata = { actor: 'person:per_1', commandId: `erase ${createdAt}` };
    return people.erase('per_1', { session, cause: 'own_wish', reason: 'asked for', metadata, mayRepeat: false });
  };
  const open = { kind: 'refused', code: 'accounts_open' };
  expect(await erase(-3_600_000)).toEqual({ kind: 'recent_sign_in_required' });
  expect(await erase(-30_000)).toEqual(open);
  const enabled = { actor: 'person:per_1', commandId: 'totp' };
  await nodes.persons.execute(personStream('per_1'), { type: 'EnableTotp' }, enabled);
  expect(await erase(-3_600_000)).toEqual({ kind: 'recent_sign_in_required' });
  expect(await erase(-60_000)).toEqual(open);
  await nodes.close();
});
