import { isDeepStrictEqual } from 'node:util';
import type { Act } from '../../../domain/approvals/approvals.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import type { Deferred, Identity } from '../router/route.ts';
import { viewApproval } from './approval-view.ts';

/** The admin token counts as a person only in development, where there is no staff. Such a caller needs no second person. */
export const actsAlone = (
  { recordsAdminToken }: Pick<ManagementDeps, 'recordsAdminToken'>,
  { principal }: Pick<Identity, 'principal'>,
): boolean => principal?.kind === 'admin' && !recordsAdminToken;

/** The person behind a caller: of a service token, the person who created it. */
const personBehind = ({ principal }: Identity): string | null => {
  if (principal?.kind === 'session') return principal.session.personId;
  return principal?.kind === 'token' ? principal.token.createdBy : null;
};

/** Asks for the approval of a second person; giving it carries the act out. Answered with 202. */
export const askSecondPerson = async (
  { people, now }: Pick<ManagementDeps, 'people' | 'now'>,
  identity: Identity,
  act: Act,
  reason: string,
): Promise<Deferred | Problem> => {
  const { actor, commandId, mayRepeat, requestId } = identity;
  const personId = personBehind(identity);
  const asked = await people.roles.approvals.ask({ act, reason, actor, personId, commandId, mayRepeat, requestId });
  const isAsked = isDeepStrictEqual(asked.act, act) && asked.reason === reason;
  return isAsked ? { deferred: viewApproval(asked, now()) } : problem('idempotency_key_reused');
};
