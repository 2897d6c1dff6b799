import type { MemberRole } from '../../domain/account/events.ts';
import type { StaffRole } from '../../domain/identity/person-events.ts';
import type { Session } from '../../identity/sessions.ts';
import type { Token } from '../../identity/tokens.ts';
import { problem, type Problem } from '../server/problems.ts';

/** What a management token of an account can be used for. */
export const scopes = ['read', 'keys', 'limits'] as const;
export type Scope = (typeof scopes)[number];

/** Each route declares which of these may call it. Members and tokens may do so for their own account only. */
export type PrincipalRule =
  | 'public'
  /** An API key of an account, for /v1. */
  | 'key'
  /** KISSAPI_ADMIN_TOKEN. */
  | 'admin'
  /** A person who is signed in, about that person's own data. */
  | 'person'
  | `member:${MemberRole}`
  | `token:${Scope}`
  | `staff:${StaffRole}`
  | `service:${StaffRole}`;

/** The caller of a request, as its credential identifies it. */
export type Principal =
  | { readonly kind: 'admin' }
  | { readonly kind: 'session'; readonly session: Session; readonly staffRole: StaffRole | null }
  | { readonly kind: 'token'; readonly token: Token };

/** Everything that reads an account. */
export const readers = (): readonly PrincipalRule[] => [
  ...(['admin', ...members('owner', 'billing', 'developer'), 'token:read'] as const),
  ...staff('support', 'finance', 'operator'),
];

/** Everything that reads the payments of an account. */
export const paymentReaders = (): readonly PrincipalRule[] => [
  ...(['admin', ...members('owner', 'billing')] as const),
  ...staff('support', 'finance', 'operator'),
];

export const members = (...roles: readonly MemberRole[]): readonly PrincipalRule[] =>
  roles.map((role) => `member:${role}` as const);

/** Staff of these roles, and programs that have one of them. Owners may do what any of them may. */
export const staff = (...roles: readonly StaffRole[]): readonly PrincipalRule[] =>
  [...new Set<StaffRole>([...roles, 'owner'])].flatMap((role) => [
    `staff:${role}` as const,
    `service:${role}` as const,
  ]);

/** Staff as persons: what no program may do. */
export const staffOnly = (...roles: readonly StaffRole[]): readonly PrincipalRule[] =>
  [...new Set<StaffRole>([...roles, 'owner'])].map((role) => `staff:${role}` as const);

/** The role that a caller acts in for the operator; undefined for customers. */
export const roleOf = (principal: Principal | undefined): StaffRole | 'admin' | undefined => {
  switch (principal?.kind) {
    case 'admin':
      return 'admin';
    case 'session':
      return principal.staffRole ?? undefined;
    case 'token':
      return principal.token.kind === 'service' ? principal.token.role : undefined;
    case undefined:
      return undefined;
  }
};

/** The actor of a command, as it is recorded in the log, such as `person:per_…`. */
export type Access = { readonly actor: string };

/** Whether the actor of an access is a customer: a member, who may also be of the staff, or a management token. */
export const isCustomer = ({ actor }: Access): boolean => actor.startsWith('person:') || actor.startsWith('token:');

export type AccessQuestion = {
  readonly rules: readonly PrincipalRule[];
  readonly principal: Principal;
  /** The account in the path of the route. */
  readonly accountId: string | undefined;
  /** The role of a person in an account; undefined without one. */
  readonly roleIn: (accountId: string, personId: string) => Promise<MemberRole | undefined>;
};

/** Whether the principal may call a route. Foreign accounts do not exist for members and tokens. */
export const accessOf = async ({ rules, principal, accountId, roleIn }: AccessQuestion): Promise<Access | Problem> => {
  const has = (rule: PrincipalRule): boolean => rules.includes(rule);
  if (principal.kind === 'admin') return has('admin') ? { actor: 'admin' } : problem('not_allowed');
  if (principal.kind === 'token') return accessOfToken(principal.token, has, accountId);
  const { session, staffRole } = principal;
  const { personId } = session;
  if (has('person')) return { actor: `person:${personId}` };
  const role = accountId === undefined ? undefined : await roleIn(accountId, personId);
  if (role !== undefined && has(`member:${role}`)) return { actor: `person:${personId}` };
  if (staffRole !== null && has(`staff:${staffRole}`)) {
    return session.secondStepAt ? { actor: `staff:${personId}` } : problem('second_step_required');
  }
  const isForeign = accountId !== undefined && role === undefined && staffRole === null;
  return problem(isForeign ? 'account_not_found' : 'not_allowed');
};

const accessOfToken = (
  token: Token,
  has: (rule: PrincipalRule) => boolean,
  accountId: string | undefined,
): Access | Problem => {
  const allowed: Access = { actor: `${token.kind === 'service' ? 'service' : 'token'}:${token.id}` };
  if (token.kind === 'service') return has(`service:${token.role}`) ? allowed : problem('not_allowed');
  if (accountId !== undefined && accountId !== token.accountId) return problem('account_not_found');
  return token.scopes.some((scope) => has(`token:${scope as Scope}`)) ? allowed : problem('not_allowed');
};
