import { z } from 'zod';
import { accountStream } from '../../../domain/account/account.ts';
import { problem } from '../../server/problems.ts';
import { openHolder } from '../accounts/holder.ts';
import { accountId, text } from '../router/fields.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { carryOut } from '../router/execute-command.ts';
import { defineRoute, isProblem, personOf, type Identity, type Problem } from '../router/route.ts';
import { personId } from '../people/fields.ts';

const body = z.strictObject({ name: text(200).meta({ description: 'The new name', example: 'Ada King' }) });

export const changeMyName = defineRoute({
  method: 'put',
  path: '/me/name',
  principals: ['person'],
  summary: 'Change your name',
  description: 'Also that of the accounts which you hold as a person. An entity has a name of its own.',
  body: { schema: body, example: { name: 'Ada King' } },
  success: {
    status: 200,
    description: 'The name is changed',
    schema: z.strictObject({ person_id: personId, name: z.string() }),
    example: { person_id: 'per_5b0d27c41e8f4a96b3c7d810', name: 'Ada King' },
  },
  problems: ['person_not_found'],
  handle: async (asked, { people }) => {
    const { actor, commandId, requestId, body } = asked;
    const { personId } = personOf(asked);
    const isChanged = await people.changeName({ personId, name: body.name, actor, commandId, requestId });
    return isChanged ? { answer: { person_id: personId, name: body.name } } : problem('person_not_found');
  },
});

export const changeAccountName = defineRoute({
  method: 'put',
  path: '/accounts/{account_id}/name',
  principals: ['member:owner'],
  summary: 'Change the name of an entity',
  description: 'The account of a person has the name of that person: PUT /me/name changes it.',
  body: { schema: body, example: { name: 'Example Ltd' } },
  success: {
    status: 200,
    description: 'The name is changed',
    schema: z.strictObject({ account_id: accountId, name: z.string() }),
    example: { account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', name: 'Example Ltd' },
  },
  problems: ['account_not_found', 'name_of_person', 'contact_changed'],
  handle: async (asked, deps) => {
    const { account_id } = asked.params;
    const { name } = asked.body;
    let done = await renameEntity(deps, asked, account_id, name);
    for (let tries = 1; tries < MAX_TRIES && done?.code === 'contact_changed'; tries++) {
      done = await renameEntity(deps, asked, account_id, name);
    }
    return done ?? { answer: { account_id, name } };
  },
});

/** The address may change meanwhile. */
const MAX_TRIES = 5;

const renameEntity = async (
  deps: ManagementDeps,
  identity: Identity,
  account_id: string,
  name: string,
): Promise<Problem | undefined> => {
  const { state } = await deps.commands.read(accountStream(account_id));
  const { registration } = state.standing;
  const contact = registration ? await openHolder(deps, account_id, registration.personal) : undefined;
  if (!registration || !contact) return problem('account_not_found');
  if (registration.holder === 'person') return problem('name_of_person');
  if (contact.name === name) return undefined;
  const personal = await deps.vault.seal(account_id, { ...contact, name });
  const command = { type: 'ChangeContact', from: registration.personal, personal } as const;
  const done = await carryOut(deps, identity, account_id, command, () => true);
  return isProblem(done) ? done : undefined;
};
