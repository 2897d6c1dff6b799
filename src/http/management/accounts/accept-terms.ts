import { z } from 'zod';
import { members } from '../../auth/principals.ts';
import { recordedBy } from '../../../eventstore/journal/recorded-by.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { carryOut, type Done } from '../router/execute-command.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { accountId, changed, revision, text, time } from '../router/fields.ts';
import { defineRoute, isProblem, type Identity } from '../router/route.ts';
import { TERMS_IN_EXAMPLES } from '../documentation/terms-in-examples.ts';

/** Stored with the acceptance as evidence. On disk: do not change. */
const howOf = ({ actor }: Identity): string =>
  actor.startsWith('person:')
    ? 'accepted by the holder through the API'
    : 'told by the administrator through the management API';

/** A repeated request may name a version that is no longer in force. */
export const mayAccept = async (
  { store, termsInForce }: ManagementDeps,
  accountId: string,
  commandId: string,
  version: string,
): Promise<boolean> => {
  if (version === termsInForce()) return true;
  const recorded = await recordedBy(store, accountId, commandId);
  return recorded?.event.type === 'TermsAccepted' && recorded.event.version === version;
};

export const notInForce = ({ termsInForce }: ManagementDeps, param: string): Problem =>
  problem('terms_not_in_force', {
    message: `Only the terms in force can be accepted: version ${termsInForce()}. GET /terms returns their text.`,
    param,
  });

export const acceptTermsOf = (
  deps: ManagementDeps,
  identity: Identity,
  accountId: string,
  version: string,
): Promise<Done | Problem> =>
  carryOut(
    deps,
    identity,
    accountId,
    { type: 'AcceptTerms', version, how: howOf(identity) },
    (event) => event.type === 'TermsAccepted' && event.version === version,
  );

export const acceptTerms = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/terms',
  principals: ['admin', ...members('owner')],
  summary: 'Record that the holder accepted the terms',
  body: {
    schema: z.strictObject({
      version: text(64).meta({ description: 'The version in force', example: TERMS_IN_EXAMPLES }),
    }),
    example: { version: TERMS_IN_EXAMPLES },
  },
  success: {
    status: 200,
    description: 'The terms bind the account',
    schema: z.strictObject({
      account_id: accountId,
      terms_version: z.string(),
      changed,
      revision,
      time: time.nullable().meta({ description: 'When it was recorded; null if nothing changed' }),
    }),
    example: {
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      terms_version: TERMS_IN_EXAMPLES,
      changed: true,
      revision: 1,
      time: '2026-01-31T10:00:00.000Z',
    },
  },
  problems: ['account_not_found', 'account_closed', 'terms_not_in_force'],
  handle: async ({ params, body: { version }, ...identity }, deps) => {
    if (!(await mayAccept(deps, params.account_id, identity.commandId, version))) {
      return notInForce(deps, 'version');
    }
    const done = await acceptTermsOf(deps, identity, params.account_id, version);
    if (isProblem(done)) return done;
    const { recorded, repeated, revision } = done;
    return {
      answer: {
        account_id: params.account_id,
        terms_version: version,
        changed: recorded !== undefined,
        revision,
        time: recorded?.time.toISOString() ?? null,
      },
      repeated,
    };
  },
});
