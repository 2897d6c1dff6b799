import { accountStream } from '../../domain/account/account.ts';
import type { AccountRefusal } from '../../domain/account/decide.ts';
import { mayHaveTokens } from '../../domain/account/members.ts';
import type { StaffRole } from '../../domain/identity/person-events.ts';
import { serviceTokenStream } from '../../domain/identity/service-tokens.ts';
import { derivedId, eventId } from '../../eventstore/ids.ts';
import type { ManagementToken, NewToken, ServiceToken, Token } from '../../identity/tokens.ts';
import type { PeopleOptions } from '../people-options.ts';
import { readPerson } from './asked.ts';

/** The request that creates or revokes a token. */
export type TokenRequest = {
  readonly actor: string;
  /** The person who asks; null for the administrator. */
  readonly personId: string | null;
  readonly commandId: string;
  readonly mayRepeat: boolean;
  readonly requestId: string;
};

export type NewManagementToken = { readonly name: string; readonly scopes: readonly string[]; readonly endsAt: Date };
export type NewServiceToken = { readonly name: string; readonly role: StaffRole; readonly endsAt: Date };

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
   * have tokens, a service token as long as the person who created it is an owner of the staff.
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
   * To be called after a person has lost the role that the tokens rest on: with an account, that of a member who may have tokens
   * there; without, that of the staff. May be repeated. Resolves to the ids.
   */
  revokeOf(personId: string, accountId?: string): Promise<readonly string[]>;
  /** To be called after an account was closed. May be repeated. Resolves to the ids. */
  revokeAllOfAccount(accountId: string, reason: string): Promise<readonly string[]>;
};

/** A year, if it is a leap year. */
const MAX_LIFETIME_MS = 366 * 86_400_000;
export const MAX_TOKENS = 100;

const refused = (code: TokenRefused['code']): TokenRefused => ({ kind: 'refused', code });

/** The command that revokes a token. It is the same for each cause, so that there is one event. */
const revocationOf = (tokenId: string): string => derivedId('rvk', tokenId);

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
    revokeOf: async (personId, accountId) => {
      const reason = 'the person who created it has lost the role';
      const ids: string[] = [];
      for (const token of await tokens.listCreatedBy(personId)) {
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
  if (token.kind === 'service') return (await readPerson(options, createdBy)).staffRole === 'owner';
  const { state } = await options.accounts.read(accountStream(token.accountId));
  return mayHaveTokens(state.members.get(createdBy));
};

const onlyValid = async <Kind extends Token>(
  options: PeopleOptions,
  all: readonly Kind[],
): Promise<readonly Kind[]> => {
  const valid = await Promise.all(all.map((token) => isValid(options, token)));
  return all.filter((_, n) => valid[n]);
};

/** The actor of a revocation: the caller of a request, or a rule. */
type By = { readonly actor: string; readonly requestId: string | undefined };

const metadataOf = ({ actor, requestId }: By, commandId: string) => ({
  ...{ actor, commandId },
  ...(requestId === undefined ? {} : { correlationId: requestId }),
});

const createAccountTokens = (options: PeopleOptions) => {
  const { accounts, store, now, identity } = options;
  const { tokens } = identity;
  const find = async (accountId: string, tokenId: string): Promise<ManagementToken | undefined> =>
    (await tokens.listOfAccount(accountId)).find(({ id }) => id === tokenId);
  return {
    create: async (
      accountId: string,
      { name, scopes, endsAt }: NewManagementToken,
      { personId, commandId, mayRepeat, ...by }: TokenRequest & { readonly personId: string },
    ): Promise<CreatedToken<ManagementToken> | TokenRefused> => {
      const tokenId = derivedId('tok', commandId);
      const isKnown = (await store.findEvent(accountStream(accountId), eventId(commandId, 0))) !== undefined;
      if (!isKnown && !mayEndAt(endsAt, now())) return refused('invalid_end');
      if (!isKnown && (await tokens.listOfAccount(accountId)).length >= MAX_TOKENS) return refused('too_many_tokens');
      const command = { type: 'CreateToken', tokenId, by: personId, scopes, endsAt: endsAt.getTime() } as const;
      const metadata = metadataOf(by, commandId);
      const outcome = await accounts.execute(accountStream(accountId), command, metadata, { mayRepeat });
      if (outcome.kind === 'refused') return refused(outcome.refusal.code);
      const [event] = outcome.events;
      const isAsked =
        event?.type === 'TokenCreated' && event.endsAt === command.endsAt && isSame(event.scopes, command.scopes);
      if (!isAsked) return refused('idempotency_key_reused');
      const isRevoked = (): Promise<unknown> => store.findEvent(accountStream(accountId), eventId(revocationOf(tokenId), 0)); // prettier-ignore
      const token = { kind: 'management', accountId, scopes, name, createdBy: personId, endsAt } as const;
      return obtain(options, tokenId, token, { find: () => find(accountId, tokenId), isRevoked });
    },
    /** The event comes first, so that no token ends without evidence. */
    revoke: async (accountId: string, tokenId: string, reason: string, by: By): Promise<void> => {
      const metadata = metadataOf(by, revocationOf(tokenId));
      const command = { type: 'RevokeToken', tokenId, reason } as const;
      await accounts.execute(accountStream(accountId), command, metadata, { mayRepeat: true });
      await tokens.revokeOfAccount(accountId, tokenId);
    },
  };
};

const createServiceTokens = (options: PeopleOptions) => {
  const { serviceTokens, now, identity } = options;
  const { tokens } = identity;
  const find = async (tokenId: string): Promise<ServiceToken | undefined> =>
    (await tokens.listOfServices()).find(({ id }) => id === tokenId);
  return {
    create: async (
      { name, role, endsAt }: NewServiceToken,
      { personId, commandId, mayRepeat, ...by }: TokenRequest,
    ): Promise<CreatedToken<ServiceToken> | TokenRefused> => {
      const tokenId = derivedId('tok', commandId);
      const stream = serviceTokenStream(tokenId);
      const isKnown = (await serviceTokens.read(stream)).state !== 'unknown';
      if (!isKnown && !mayEndAt(endsAt, now())) return refused('invalid_end');
      if (!isKnown && (await tokens.listOfServices()).length >= MAX_TOKENS) return refused('too_many_tokens');
      const command = { type: 'CreateServiceToken', tokenId, role, endsAt: endsAt.getTime() } as const;
      const outcome = await serviceTokens.execute(stream, command, metadataOf(by, commandId), { mayRepeat });
      if (outcome.kind === 'refused') return refused(outcome.refusal.code);
      const [event] = outcome.events;
      const isAsked =
        event?.type === 'ServiceTokenCreated' && event.endsAt === command.endsAt && event.role === command.role;
      if (!isAsked) return refused('idempotency_key_reused');
      const isRevoked = async (): Promise<boolean> => (await serviceTokens.read(stream)).state === 'revoked';
      const token = { kind: 'service', role, name, createdBy: personId, endsAt } as const;
      return obtain(options, tokenId, token, { find: () => find(tokenId), isRevoked });
    },
    revoke: async (tokenId: string, reason: string, by: By): Promise<void> => {
      const metadata = metadataOf(by, revocationOf(tokenId));
      const command = { type: 'RevokeServiceToken', tokenId, reason } as const;
      await serviceTokens.execute(serviceTokenStream(tokenId), command, metadata, { mayRepeat: true });
      await tokens.revokeOfService(tokenId);
    },
  };
};

const mayEndAt = (endsAt: Date, now: Date): boolean =>
  endsAt > now && endsAt.getTime() - now.getTime() <= MAX_LIFETIME_MS;

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((one, n) => one === others[n]);

/**
 * Stores the token whose event is in the log. A repetition finds the row, or, if the node that wrote the event stopped before
 * the row, stores it; the token of a repetition after the revocation is not stored again.
 */
const obtain = async <Kind extends Token>(
  { identity: { tokens }, now }: PeopleOptions,
  tokenId: string,
  token: NewToken & { readonly kind: Kind['kind'] },
  about: { readonly find: () => Promise<Kind | undefined>; readonly isRevoked: () => Promise<unknown> },
): Promise<CreatedToken<Kind> | TokenRefused> => {
  const before = await about.find();
  if (before) return before.name === token.name ? shownBefore(before) : refused('idempotency_key_reused');
  if ((await about.isRevoked()) || token.endsAt <= now()) return refused('token_not_found');
  const created = await tokens.createOnce(tokenId, token);
  if (created) return { kind: 'created', token: created.token as Kind, secret: created.secret };
  const meanwhile = await about.find();
  return meanwhile ? shownBefore(meanwhile) : refused('token_not_found');
};

const shownBefore = <Kind extends Token>(token: Kind): CreatedToken<Kind> => ({ kind: 'created', token, secret: null });
