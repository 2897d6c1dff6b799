import { z } from 'zod';
import type { AccountCommand } from '../../../domain/account/decide.ts';
import { staff } from '../../auth/principals.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, changed, reason, revision } from '../router/fields.ts';
import { defineRoute, isProblem, type Identity } from '../router/route.ts';

const answer = z.strictObject({ account_id: accountId, may_resell: z.boolean(), changed, revision });
const example = { account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', may_resell: true, changed: true, revision: 8 };

export const authorizeResale = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/resale',
  principals: ['admin', ...staff('operator')],
  summary: 'Authorise resale or sharing of access',
  description:
    'The terms forbid both without an authorisation. Authorising again changes nothing, not even the reason. The owners receive a mail.',
  body: { schema: z.strictObject({ reason }), example: { reason: 'Contract of 2026-01-15' } },
  success: { status: 200, description: 'Resale is authorised', schema: answer, example },
  problems: ['account_not_found', 'account_closed'],
  handle: ({ params: { account_id }, body: { reason }, ...identity }, deps) =>
    execute(deps, identity, account_id, { type: 'AuthorizeResale', reason }),
});

export const endResale = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/resale/end',
  principals: ['admin', ...staff('operator')],
  summary: 'End the authorisation of resale',
  description: 'From then on resale or sharing is a violation again. The owners receive a mail.',
  body: { schema: z.strictObject({ reason }), example: { reason: 'The contract has ended' } },
  success: {
    status: 200,
    description: 'Resale is not authorised any more',
    schema: answer,
    example: { ...example, may_resell: false },
  },
  problems: ['account_not_found', 'account_closed', 'resale_not_authorized'],
  handle: ({ params: { account_id }, body: { reason }, ...identity }, deps) =>
    execute(deps, identity, account_id, { type: 'EndResaleAuthorization', reason }),
});

const effectOf = { AuthorizeResale: 'ResaleAuthorized', EndResaleAuthorization: 'ResaleAuthorizationEnded' } as const;

const execute = async (
  deps: ManagementDeps,
  identity: Identity,
  account_id: string,
  command: Extract<AccountCommand, { type: keyof typeof effectOf }>,
) => {
  const { type, reason } = command;
  const done = await carryOut(
    deps,
    identity,
    account_id,
    command,
    (event) => event.type === effectOf[type] && event.reason === reason,
  );
  if (isProblem(done)) return done;
  const { recorded, repeated, revision } = done;
  const may_resell = type === 'AuthorizeResale';
  return { answer: { account_id, may_resell, changed: recorded !== undefined, revision }, repeated };
};
