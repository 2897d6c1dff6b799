import { z } from 'zod';
import { members, staff } from '../../auth/principals.ts';
import type { Recorded } from '../../../eventstore/journal/codec.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, changed, keyId, revision, time } from '../router/fields.ts';
import {
  accountLimitsBody,
  accountLimitsExample,
  accountLimitsView,
  keyLimitsBody,
  keyLimitsExample,
  keyLimitsView,
  readAccountLimits,
  readKeyLimits,
  viewAccountLimits,
  viewKeyLimits,
} from './limits.ts';
import { defineRoute, isProblem } from '../router/route.ts';

const DESCRIPTION =
  'Replaces all limits: an omitted or null field means no limit, and {} removes all limits. Idempotent. Applies to every ' +
  'request that begins from now on, on all nodes. Limits per minute apply to any 60 seconds; days and months are UTC and ' +
  'include what was already spent in them.';

const recording = {
  changed,
  revision,
  time: time.nullable().meta({ description: 'When it was recorded; null if nothing changed' }),
};
const recordingOf = (recorded: Recorded | undefined) => ({
  changed: recorded !== undefined,
  time: recorded?.time.toISOString() ?? null,
});
const exampleOf = { account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', changed: true, revision: 9 };

export const setKeyLimits = defineRoute({
  method: 'put',
  path: '/accounts/{account_id}/keys/{key_id}/limits',
  principals: ['admin', ...members('owner', 'developer'), 'token:limits', ...staff('support')],
  summary: 'Set the limits of an API key',
  description: DESCRIPTION,
  body: { schema: keyLimitsBody, example: keyLimitsExample },
  success: {
    status: 200,
    description: 'The limits of the key',
    schema: z.strictObject({ account_id: accountId, key_id: keyId, limits: keyLimitsView, ...recording }),
    example: {
      ...exampleOf,
      key_id: 'key_8d2b64f09c1e4a7fb35d6c81',
      limits: viewKeyLimits(readKeyLimits(keyLimitsBody.parse(keyLimitsExample))),
      time: '2026-01-31T12:00:00.000Z',
    },
  },
  problems: ['account_not_found', 'key_not_found', 'key_already_replaced'],
  handle: async ({ params: { account_id, key_id }, body, ...identity }, deps) => {
    const limits = readKeyLimits(body);
    const command = { type: 'SetKeyLimits', keyId: key_id, limits } as const;
    const done = await carryOut(deps, identity, account_id, command, () => true);
    if (isProblem(done)) return done;
    const { recorded, revision } = done;
    return { answer: { account_id, key_id, limits: viewKeyLimits(limits), revision, ...recordingOf(recorded) } };
  },
});

export const setAccountLimits = defineRoute({
  method: 'put',
  path: '/accounts/{account_id}/limits',
  principals: ['admin', ...staff('support', 'operator')],
  summary: 'Set the limits of an account',
  description: `They apply to all keys together, in addition to the limits of each key. ${DESCRIPTION}`,
  body: { schema: accountLimitsBody, example: accountLimitsExample },
  success: {
    status: 200,
    description: 'The limits of the account',
    schema: z.strictObject({ account_id: accountId, limits: accountLimitsView, ...recording }),
    example: {
      ...exampleOf,
      limits: viewAccountLimits(readAccountLimits(accountLimitsBody.parse(accountLimitsExample))),
      time: '2026-01-31T12:00:00.000Z',
    },
  },
  problems: ['account_not_found'],
  handle: async ({ params: { account_id }, body, ...identity }, deps) => {
    const limits = readAccountLimits(body);
    const done = await carryOut(deps, identity, account_id, { type: 'SetAccountLimits', limits }, () => true);
    if (isProblem(done)) return done;
    const { recorded, revision } = done;
    return { answer: { account_id, limits: viewAccountLimits(limits), revision, ...recordingOf(recorded) } };
  },
});
