import { accountStream } from '../../domain/account/account.ts';
import type { AccountRefusal } from '../../domain/account/decide.ts';
import { mayHaveTokens } from '../../domain/account/holder/members.ts';
import { STAFF_STREAM } from '../../domain/identity/staff.ts';
import type { StaffRole } from '../../domain/identity/person-events.ts';
import type { ManagementToken, ServiceToken, Token } from '../../identity/tokens.ts';
import type { PeopleOptions } from '../people-options.ts';
import { createAccountTokens, createServiceTokens } from './token-events.ts';

/** The request that creates or revokes a token. */
export type TokenRequest = {
  readonly actor: string;
  /** The person who asks; null for the administrator. */
  readonly personId: string | null;
  readonly commandId: string;
  readonly mayRepeat: boolean;
  readonly requestId: string;
};

/** Without an end, it ends after 90 days. */
type About = { readonly name: string; readonly endsAt: Date | undefined };
export type NewManagementToken = About & { readonly scopes: readonly string[] };
export type NewServiceToken = About & { readonly role: StaffRole };

export type CreatedToken<Kind extends Token> = {
  readonly kind: 'created';
  readonly token: Kind;
  /** Null in the answer to a repetition: it was shown. */
  readonly secret: string | null;
};

export type TokenRefused = {
  readonly kind: 'refused';
  readonly code:
    AccountRefusal['code'] | 'invalid_end' | 'too_many_tokens' | 'token_not_found' | 'idempotency_key_reused';
};

export type PeopleTokens = {
  /**
   * The token of a request; undefined if it is not valid. A management token is valid as long as the member who created it may
   * have tokens and the account is open, a service token as long as the person who created it is an owner of the staff.
   */
  find(secret: string): Promise<Token | undefined>;
  createOfAccount(
    accountId: string,
    token: NewManagementToken,
    request: TokenRequest & { readonly personId: string },
  ): Promise<CreatedToken<ManagementToken> | TokenRefused>;
  createOfService(token: NewServiceToken, request: TokenRequest): Promise<CreatedToken<ServiceToken> | TokenRefused>;
  /** Those that are valid, the newest first. */
  listOfAccount(accountId: string): Promise<readonly ManagementToken[]>;
  listOfServices(): Promise<readonly ServiceToken[]>;
  /** False if there is no such token. */
  revokeOfAccount(accountId: string, tokenId: string, reason: string, request: TokenRequest): Promise<boolean>;
  revokeOfService(tokenId: string, reason: string, request: TokenRequest): Promise<boolean>;
  /**
   * After a person has lost the role that the tokens rest on: with an account, that of a member who may have tokens there; without,
   * that of the staff. Tokens that were created after `lostAt`, because the person has the role again, stay. May be repeated.
   * Resolves to the ids. The process does this after each event that ends a role.
   */
  revokeOf(personId: string, accountId?: string, lostAt?: Date): Promise<readonly string[]>;
  /** After an account was closed. May be repeated. Resolves to the ids. */
  revokeAllOfAccount(accountId: string, reason: string): Promise<readonly string[]>;
};

export const createPeopleTokens = (options: PeopleOptions): PeopleTokens => {
  const { tokens } = options.identity;
  const ofAccount = createAccountTokens(options);
  const ofServices = createServiceTokens(options);
  const system = { actor: 'system:tokens', requestId: undefined };
  return {
    find: async (secret) => {
      const token = await tokens.find(secret);
      return token && (await isValid(options, token)) ? token : undefined;
    },
    createOfAccount: ofAccount.create,
    createOfService: ofServices.create,
    listOfAccount: async (accountId) => onlyValid(options, await tokens.listOfAccount(accountId)),
    listOfServices: async () => onlyValid(options, await tokens.listOfServices()),
    revokeOfAccount: async (accountId, tokenId, reason, request) => {
      if (!(await tokens.listOfAccount(accountId)).some(({ id }) => id === tokenId)) return false;
      await ofAccount.revoke(accountId, tokenId, reason, request);
      return true;
    },
    revokeOfService: async (tokenId, reason, request) => {
      if (!(await tokens.listOfServices()).some(({ id }) => id === tokenId)) return false;
      await ofServices.revoke(tokenId, reason, request);
      return true;
    },
    revokeOf: async (personId, accountId, lostAt) => {
      const reason = 'the person who created it has lost the role';
      const ids: string[] = [];
      for (const token of await tokens.listCreatedBy(personId)) {
        if (lostAt !== undefined && token.createdAt > lostAt && (await isValid(options, token))) continue;
        if (token.kind === 'service' && accountId === undefined) await ofServices.revoke(token.id, reason, system);
        else if (token.kind === 'management' && token.accountId === accountId)
          await ofAccount.revoke(accountId, token.id, reason, system);
        else continue;
        ids.push(token.id);
      }
      return ids;
    },
    revokeAllOfAccount: async (accountId, reason) => {
      const all = await tokens.listOfAccount(accountId);
      for (const { id } of all) await ofAccount.revoke(accountId, id, reason, system);
      return all.map(({ id }) => id);
    },
  };
};

/** Checked at each use, because a token may be created while its creator loses the role. */
const isValid = async (options: PeopleOptions, token: Token): Promise<boolean> => {
  const { createdBy } = token;
  if (createdBy === null) return true;
  if (token.kind === 'service') return (await options.staff.read(STAFF_STREAM)).state.get(createdBy) === 'owner';
  const { state } = await options.accounts.read(accountStream(token.accountId));
  return state.standing.status !== 'closed' && mayHaveTokens(state.members.get(createdBy));
};

const onlyValid = async <Kind extends Token>(
  options: PeopleOptions,
  all: readonly Kind[],
): Promise<readonly Kind[]> => {
  const valid = await Promise.all(all.map((token) => isValid(options, token)));
  return all.filter((_, n) => valid[n]);
};
