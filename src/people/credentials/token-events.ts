import { accountStream } from '../../domain/account/account.ts';
import { serviceTokenStream } from '../../domain/identity/service-tokens.ts';
import { derivedId, eventId } from '../../eventstore/ids.ts';
import type { ManagementToken, NewToken, ServiceToken, Token } from '../../identity/tokens.ts';
import type { PeopleOptions } from '../people-options.ts';
import type { CreatedToken, NewManagementToken, NewServiceToken, TokenRefused, TokenRequest } from './tokens.ts';

const DEFAULT_LIFETIME_MS = 90 * 86_400_000;
/** A year, if it is a leap year. */
const MAX_LIFETIME_MS = 366 * 86_400_000;
export const MAX_TOKENS = 100;

const refused = (code: TokenRefused['code']): TokenRefused => ({ kind: 'refused', code });

/** The command that revokes a token. It is the same for each cause, so that there is one event. */
const revocationOf = (tokenId: string): string => derivedId('rvk', tokenId);

/** The actor of a revocation: the caller of a request, or a rule. */
export type By = { readonly actor: string; readonly requestId: string | undefined };

const metadataOf = ({ actor, requestId }: By, commandId: string) => ({
  ...{ actor, commandId },
  ...(requestId === undefined ? {} : { correlationId: requestId }),
});

/** The management tokens of accounts, with their events. */
export const createAccountTokens = (options: PeopleOptions) => {
  const { accounts, store, now, identity } = options;
  const { tokens } = identity;
  const find = async (accountId: string, tokenId: string): Promise<ManagementToken | undefined> =>
    (await tokens.listOfAccount(accountId)).find(({ id }) => id === tokenId);
  return {
    create: async (
      accountId: string,
      { name, scopes, endsAt: asked }: NewManagementToken,
      { personId, commandId, mayRepeat, ...by }: TokenRequest & { readonly personId: string },
    ): Promise<CreatedToken<ManagementToken> | TokenRefused> => {
      const tokenId = derivedId('tok', commandId);
      const endsAt = asked ?? new Date(now().getTime() + DEFAULT_LIFETIME_MS);
      const isKnown = (await store.findEvent(accountStream(accountId), eventId(commandId, 0))) !== undefined;
      if (!isKnown && !mayEndAt(endsAt, now())) return refused('invalid_end');
      if (!isKnown && (await tokens.listOfAccount(accountId)).length >= MAX_TOKENS) return refused('too_many_tokens');
      const command = { type: 'CreateToken', tokenId, by: personId, scopes, endsAt: endsAt.getTime() } as const;
      const metadata = metadataOf(by, commandId);
      const outcome = await accounts.execute(accountStream(accountId), command, metadata, { mayRepeat });
      if (outcome.kind === 'refused') return refused(outcome.refusal.code);
      const [event] = outcome.events;
      if (event?.type !== 'TokenCreated' || !isEndOf(event, asked) || !isSame(event.scopes, scopes)) {
        return refused('idempotency_key_reused');
      }
      const isRevoked = (): Promise<unknown> => store.findEvent(accountStream(accountId), eventId(revocationOf(tokenId), 0)); // prettier-ignore
      const about = { name, createdBy: personId, endsAt: new Date(event.endsAt) };
      const token = { kind: 'management', accountId, scopes, ...about } as const;
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

/** The service tokens, each with a stream of its own. */
export const createServiceTokens = (options: PeopleOptions) => {
  const { serviceTokens, now, identity } = options;
  const { tokens } = identity;
  const find = async (tokenId: string): Promise<ServiceToken | undefined> =>
    (await tokens.listOfServices()).find(({ id }) => id === tokenId);
  return {
    create: async (
      { name, role, endsAt: asked }: NewServiceToken,
      { personId, commandId, mayRepeat, ...by }: TokenRequest,
    ): Promise<CreatedToken<ServiceToken> | TokenRefused> => {
      const tokenId = derivedId('tok', commandId);
      const endsAt = asked ?? new Date(now().getTime() + DEFAULT_LIFETIME_MS);
      const stream = serviceTokenStream(tokenId);
      const isKnown = (await serviceTokens.read(stream)).state !== 'unknown';
      if (!isKnown && !mayEndAt(endsAt, now())) return refused('invalid_end');
      if (!isKnown && (await tokens.listOfServices()).length >= MAX_TOKENS) return refused('too_many_tokens');
      const command = { type: 'CreateServiceToken', tokenId, role, endsAt: endsAt.getTime() } as const;
      const outcome = await serviceTokens.execute(stream, command, metadataOf(by, commandId), { mayRepeat });
      if (outcome.kind === 'refused') return refused(outcome.refusal.code);
      const [event] = outcome.events;
      if (event?.type !== 'ServiceTokenCreated' || !isEndOf(event, asked) || event.role !== role) {
        return refused('idempotency_key_reused');
      }
      const isRevoked = async (): Promise<boolean> => (await serviceTokens.read(stream)).state === 'revoked';
      const token = { kind: 'service', role, name, createdBy: personId, endsAt: new Date(event.endsAt) } as const;
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

/** A repetition without an end has that of the first request. */
const isEndOf = ({ endsAt }: { readonly endsAt: number }, asked: Date | undefined): boolean =>
  asked === undefined || asked.getTime() === endsAt;

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
