import { z } from 'zod';
import { staffRoles } from '../../../domain/identity/person-events.ts';
import type { ManagementToken, ServiceToken, Token } from '../../../identity/tokens.ts';
import type { TokenRefused } from '../../../people/credentials/tokens.ts';
import { scopes } from '../../auth/principals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import { personId } from '../people/fields.ts';
import { accountId, moment, text, time } from '../router/fields.ts';

export const tokenId = z.string().meta({ description: 'Token', example: 'tok_9e3d0b61f7a24c58ad1e6b02' });
export const tokenName = text(100).meta({ description: 'Name of the token. It is not in the log', example: 'Deploy' });
export const endsAt = moment.optional().meta({
  description: 'When it ends: at most a year from now. By default after 90 days',
  example: '2026-06-30T00:00:00Z',
});

export const scope = z.enum(scopes);
export const role = z
  .enum(staffRoles)
  .meta({ description: 'It may do what staff of this role may, except what only persons may' });

export const revocationQuery = z.strictObject({
  reason: text(500).optional().meta({ description: 'Reason; stored permanently in the log', example: 'Not used' }),
});
export const DEFAULT_REASON = 'revoked through the management API';

const common = {
  token_id: tokenId,
  name: z.string(),
  hint: z.string().meta({ description: 'The last characters of the token' }),
  created_by: personId.nullable().meta({ description: 'null if the administrator created it' }),
  created_at: time,
  ends_at: time,
  used_at: time.nullable().meta({ description: 'To the minute; null if it was never used' }),
};
const secret = {
  secret: z.string().nullable().meta({ description: 'For the header Authorization: Bearer TOKEN. Shown only here' }),
};

export const accountTokenView = z
  .strictObject({ account_id: accountId, ...common, scopes: z.array(scope) })
  .meta({ id: 'ManagementToken' });
export const newAccountTokenView = z.strictObject({ ...accountTokenView.shape, ...secret });
export const serviceTokenView = z.strictObject({ ...common, role }).meta({ id: 'ServiceToken' });
export const newServiceTokenView = z.strictObject({ ...serviceTokenView.shape, ...secret });

const viewToken = ({ id, name, hint, createdBy, createdAt, endsAt, usedAt }: Token) => ({
  token_id: id,
  name,
  hint,
  created_by: createdBy,
  created_at: createdAt.toISOString(),
  ends_at: endsAt.toISOString(),
  used_at: usedAt?.toISOString() ?? null,
});

export const viewAccountToken = (token: ManagementToken): z.output<typeof accountTokenView> => ({
  ...viewToken(token),
  account_id: token.accountId,
  scopes: scopes.filter((one) => token.scopes.includes(one)),
});

export const viewServiceToken = (token: ServiceToken): z.output<typeof serviceTokenView> => ({
  ...viewToken(token),
  role: token.role,
});

const example = {
  ...{ token_id: 'tok_9e3d0b61f7a24c58ad1e6b02', name: 'Deploy', hint: 'x7Qd' },
  created_by: 'per_5b0d27c41e8f4a96b3c7d810',
  ...{ created_at: '2026-01-31T10:00:00.000Z', ends_at: '2026-06-30T00:00:00.000Z', used_at: null },
};
export const accountTokenExample: z.output<typeof accountTokenView> = {
  ...{ ...example, account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20', scopes: ['read', 'keys'] },
};
export const serviceTokenExample: z.output<typeof serviceTokenView> = { ...example, name: 'Books', role: 'finance' };

export const revokedView = z.strictObject({ token_id: tokenId, revoked: z.literal(true) });
export const revokedExample = { token_id: 'tok_9e3d0b61f7a24c58ad1e6b02', revoked: true as const };

const INVALID_END = 'ends_at: must be in the future, and at most a year from now.';
const TOKEN_GONE = 'The token of this Idempotency-Key has ended. Send the request with a new key.';

export const tokenProblem = ({ code }: TokenRefused): Problem => {
  if (code === 'invalid_end') return problem('invalid_request', { message: INVALID_END, param: 'ends_at' });
  if (code === 'token_not_found') return problem(code, { message: TOKEN_GONE });
  // The caller has lost its role since the request was let in.
  return problem(code === 'member_not_found' ? 'not_allowed' : code);
};
