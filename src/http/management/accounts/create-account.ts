import { z } from 'zod';
import { staff } from '../../auth/principals.ts';
import { invariant } from '../../../domain/decider.ts';
import { derivedId } from '../../../eventstore/ids.ts';
import type { PersonalData } from '../../../eventstore/journal/personal-data.ts';
import { recordedBy } from '../../../eventstore/journal/recorded-by.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { acceptTermsOf, mayAccept, notInForce } from './accept-terms.ts';
import { accountAt } from './account-at.ts';
import { accountExample, accountView, viewAccount } from './views/account-view.ts';
import { carryOut, type Done } from '../router/execute-command.ts';
import { text } from '../router/fields.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { openHolder } from './holder.ts';
import { defineRoute, isProblem, type Identity } from '../router/route.ts';
import { TERMS_IN_EXAMPLES } from '../documentation/terms-in-examples.ts';

const registration = z.strictObject({
  name: text(200).meta({ description: 'Name of the person or the entity', example: 'Ada Lovelace' }),
  email: z
    .email('must be an e-mail address')
    .max(254)
    .meta({ description: 'Address for notices', example: 'ada@example.com' }),
  holder: z.enum(['person', 'entity']).default('person'),
  adult: z
    .boolean()
    .default(false)
    .meta({ description: 'The holder declared to be 18 or older; required of a person', example: true }),
  accept_terms: text(64).optional().meta({
    description: 'The version of the terms in force, if the holder has accepted it',
    example: TERMS_IN_EXAMPLES,
  }),
});

export const createAccount = defineRoute({
  method: 'post',
  path: '/accounts',
  principals: ['admin', ...staff('operator')],
  summary: 'Register an account',
  description:
    'No key can be issued until the terms in force are accepted, here with accept_terms or later with POST /accounts/{account_id}/terms.',
  body: {
    schema: registration,
    example: {
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      holder: 'person',
      adult: true,
      accept_terms: TERMS_IN_EXAMPLES,
    },
  },
  success: {
    status: 201,
    description: 'The account',
    schema: accountView,
    example: {
      ...accountExample,
      ...{ revision: 1, last_event_at: '2026-01-31T10:00:00.002Z' },
      ...{ balance_usd: '0.00', held_usd: '0.00', available_usd: '0.00', topped_up_usd: '0.00', charged_usd: '0.00' },
      ...{ lots: [], open_holds: [], keys: [] },
    },
  },
  problems: ['under_age', 'terms_not_in_force'],
  handle: async ({ body: { accept_terms: version, name, email, holder, adult }, ...identity }, deps) => {
    // A separate command, so that a retry completes it after a crash between the two.
    const ofTerms = { ...identity, commandId: `${identity.commandId}/terms` };
    const accountId = derivedId('acc', identity.commandId);
    if (version !== undefined && !(await mayAccept(deps, accountId, ofTerms.commandId, version))) {
      return notInForce(deps, 'accept_terms');
    }
    const personal = await sealOnce(deps, identity, accountId, { name, email });
    const registered = await carryOut(
      deps,
      identity,
      accountId,
      { type: 'RegisterAccount', holder, personal, adult },
      async (event) => {
        if (event.type !== 'AccountRegistered' || event.holder !== holder) return false;
        const known = await openHolder(deps, accountId, event.personal);
        return known ? known.name === name && known.email === email : erasedSince;
      },
    );
    if (isProblem(registered)) return registered.code === 'under_age' ? { ...registered, param: 'adult' } : registered;
    const done = await withTerms(deps, ofTerms, accountId, version, registered);
    if (isProblem(done)) return done;

    const at = await accountAt(deps, accountId, { revision: done.revision });
    invariant(at !== undefined, 'an account that was registered can be read');
    return { answer: viewAccount(accountId, at, { name, email }), repeated: done.repeated };
  },
});

const erasedSince = problem('idempotency_key_reused', {
  message:
    'This Idempotency-Key registered an account whose personal data has been erased since, so the requests cannot be ' +
    'compared. Send it with a new key to register another account.',
});

/** A repetition seals nothing, because an erased account must not get a new data key. */
const sealOnce = async (
  { store, vault }: ManagementDeps,
  { commandId, mayRepeat }: Identity,
  accountId: string,
  data: PersonalData,
): Promise<string> => {
  const recorded = mayRepeat ? await recordedBy(store, accountId, commandId) : undefined;
  return recorded?.event.type === 'AccountRegistered' ? recorded.event.personal : vault.seal(accountId, data);
};

const withTerms = async (
  deps: ManagementDeps,
  identity: Identity,
  accountId: string,
  version: string | undefined,
  registered: Done,
): Promise<Done | Problem> => {
  if (version !== undefined) {
    const accepted = await acceptTermsOf(deps, identity, accountId, version);
    return isProblem(accepted) ? accepted : { ...accepted, repeated: registered.repeated && accepted.repeated };
  }
  const acceptedBefore = registered.repeated && (await recordedBy(deps.store, accountId, identity.commandId));
  return acceptedBefore ? problem('idempotency_key_reused') : registered;
};
