import { z } from 'zod';
import { meanTheSame, type Limits } from '../../../domain/account/limits/limits.ts';
import type { AccountEvent } from '../../../domain/account/events.ts';
import { invariant } from '../../../domain/decider.ts';
import { derivedId } from '../../../eventstore/ids.ts';
import { keyLimitsBody, keyLimitsExample, keyLimitsView, readKeyLimits, viewKeyLimits } from '../accounts/limits.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { carryOut } from '../router/execute-command.ts';
import { accountId, keyId, revision, time } from '../router/fields.ts';
import { published } from '../router/published.ts';
import { isProblem, type Identity, type Problem, type Reply } from '../router/route.ts';

const SHOWN_ONCE = 'Store the secret safely: it is shown only once and cannot be read again.';
const NOT_SHOWN_AGAIN =
  'The secret was shown when the key was issued. If it is lost, revoke this key and issue another.';

export const newKeyView = z.strictObject({
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
});

export type NewKeyView = z.output<typeof newKeyView>;

export const newKeyExample: NewKeyView = {
  account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
  key_id: 'key_8d2b64f09c1e4a7fb35d6c81',
  name: 'production',
  hint: 'x7Qd',
  limits: viewKeyLimits(readKeyLimits(keyLimitsBody.parse(keyLimitsExample))),
  secret: 'kiss_live_…x7Qd',
  note: SHOWN_ONCE,
  revision: 2,
  created_at: '2026-01-31T10:00:00.000Z',
};

export type NewKey = {
  readonly accountId: string;
  readonly name: string;
  /** By default those of the key that it replaces. */
  readonly limits: Limits | undefined;
  readonly replaces: string | undefined;
  /** How long the replaced key still works. */
  readonly overlapMs?: number;
};

/** Issues a key. The answer to a repetition has no secret. */
export const issue = async (
  deps: ManagementDeps,
  identity: Identity,
  { accountId, name, limits, replaces, overlapMs = 0 }: NewKey,
): Promise<Reply<NewKeyView> | Problem> => {
  const keyId = derivedId('key', identity.commandId);
  const { secret, hash, pepperId, hint } = deps.createSecret();
  const at = deps.now().getTime();
  const done = await carryOut(
    deps,
    identity,
    accountId,
    {
      ...{ type: 'IssueKey', keyId, name, hash, pepperId, hint, at },
      ...(limits === undefined ? {} : { limits }),
      ...(replaces === undefined ? {} : { replaces }),
      ...(overlapMs > 0 ? { overlapUntil: new Date(at + overlapMs).toISOString() } : {}),
    },
    (event, all) =>
      event.type === 'KeyIssued' &&
      event.name === name &&
      event.replaces === replaces &&
      // A key that was revoked before has neither.
      !all.some((one) => one.type === (overlapMs > 0 ? 'KeyRevoked' : 'KeyLimitsSet') && one.keyId === replaces) &&
      // A key that replaces another inherits its limits unless others are given.
      (limits === undefined && replaces !== undefined ? true : meanTheSame(limits ?? {}, limitsIn(all, keyId))),
  );
  if (isProblem(done)) return done;
  const { recorded, repeated, revision } = done;
  invariant(recorded?.event.type === 'KeyIssued', 'an issued key is in the log');
  // The answer is sent in any case, because no other has the secret.
  await published(deps, recorded.position);
  return {
    answer: {
      account_id: accountId,
      key_id: keyId,
      name,
      hint: recorded.event.hint,
      ...(replaces === undefined ? {} : { replaces }),
      limits: viewKeyLimits(limitsIn(done.events, keyId)),
      secret: repeated ? null : secret,
      note: repeated ? NOT_SHOWN_AGAIN : SHOWN_ONCE,
      revision,
      created_at: recorded.time.toISOString(),
    },
    repeated,
  };
};

const limitsIn = (events: readonly AccountEvent[], keyId: string): Limits => {
  for (const event of events) if (event.type === 'KeyLimitsSet' && event.keyId === keyId) return event.limits;
  return {};
};
