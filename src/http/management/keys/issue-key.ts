import { z } from 'zod';
import type { AccountEvent } from '../../../domain/account/events.ts';
import { meanTheSame, type Limits } from '../../../domain/account/limits.ts';
import { invariant } from '../../../domain/decider.ts';
import { derivedId } from '../../../eventstore/ids.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, keyId, keyName, revision, time } from '../router/fields.ts';
import { keyLimitsBody, keyLimitsExample, keyLimitsView, readKeyLimits, viewKeyLimits } from '../accounts/limits.ts';
import { published } from '../router/published.ts';
import { defineRoute, isProblem } from '../router/route.ts';

const SHOWN_ONCE = 'Store the secret safely: it is shown only once and cannot be read again.';
const NOT_SHOWN_AGAIN =
  'The secret was shown when the key was issued. If it is lost, revoke this key and issue another.';

export const issueKey = defineRoute({
  method: 'post',
  path: '/accounts/{account_id}/keys',
  summary: 'Issue an API key',
  description:
    'The secret is shown only in this response. The key works on this node at once, and on all nodes within a second.',
  body: {
    schema: z.strictObject({
      name: keyName,
      limits: keyLimitsBody.optional(),
      replaces: keyId.optional().meta({
        description:
          'A key of this account to replace. The new key has the same limits unless others are given, the usage of the old ' +
          'key counts against them, and the old key is revoked in the same step',
      }),
    }),
    example: { name: 'production', limits: keyLimitsExample },
  },
  success: {
    status: 201,
    description: 'The key. A repetition with the same Idempotency-Key returns it without its secret',
    schema: z.strictObject({
      account_id: accountId,
      key_id: keyId,
      name: z.string(),
      hint: z.string().meta({ description: 'The last characters of the secret' }),
      replaces: keyId.optional(),
      limits: keyLimitsView,
      secret: z.string().nullable().meta({ description: 'The API key for clients' }),
      note: z.string(),
      revision,
      created_at: time,
    }),
    example: {
      account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
      key_id: 'key_8d2b64f09c1e4a7fb35d6c81',
      name: 'production',
      hint: 'x7Qd',
      limits: viewKeyLimits(readKeyLimits(keyLimitsBody.parse(keyLimitsExample))),
      secret: 'kiss_live_…x7Qd',
      note: SHOWN_ONCE,
      revision: 2,
      created_at: '2026-01-31T10:00:00.000Z',
    },
  },
  problems: [
    'account_not_found',
    'account_suspended',
    'terms_not_accepted',
    'too_many_keys',
    'key_not_found',
    'key_already_replaced',
  ],
  handle: async ({ params: { account_id }, body: { name, limits: asked, replaces }, ...identity }, deps) => {
    const keyId = derivedId('key', identity.commandId);
    const limits = asked === undefined ? undefined : readKeyLimits(asked);
    const { secret, hash, pepperId, hint } = deps.createSecret();
    const done = await carryOut(
      deps,
      identity,
      account_id,
      {
        ...{ type: 'IssueKey', keyId, name, hash, pepperId, hint },
        ...(limits === undefined ? {} : { limits }),
        ...(replaces === undefined ? {} : { replaces }),
      },
      (event, all) =>
        event.type === 'KeyIssued' &&
        event.name === name &&
        event.replaces === replaces &&
        // A key that replaces another inherits its limits unless others are given.
        (limits === undefined && replaces !== undefined ? true : meanTheSame(limits ?? {}, limitsIn(all))),
    );
    if (isProblem(done)) return done.code === 'key_not_found' ? { ...done, param: 'replaces' } : done;
    const { recorded, repeated, revision } = done;
    invariant(recorded?.event.type === 'KeyIssued', 'an issued key is in the log');
    // The answer is sent in any case, because no other has the secret.
    await published(deps, recorded.position);
    return {
      answer: {
        account_id,
        key_id: keyId,
        name,
        hint: recorded.event.hint,
        ...(replaces === undefined ? {} : { replaces }),
        limits: viewKeyLimits(limitsIn(done.events)),
        secret: repeated ? null : secret,
        note: repeated ? NOT_SHOWN_AGAIN : SHOWN_ONCE,
        revision,
        created_at: recorded.time.toISOString(),
      },
      repeated,
    };
  },
});

const limitsIn = (events: readonly AccountEvent[]): Limits =>
  events.find((event) => event.type === 'KeyLimitsSet')?.limits ?? {};
