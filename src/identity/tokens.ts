import { hash } from 'node:crypto';
import type { StaffRole } from '../domain/identity/person-events.ts';
import { isWellFormed, newToken, type RandomBytes, type TokenFormat } from '../eventstore/secrets/token-format.ts';
import type { IdentityDatabase } from './database.ts';

type TokenBase = {
  /** `tok_…`. Not the token, and of no use to authenticate. */
  readonly id: string;
  readonly name: string;
  /** The last four characters of the token. */
  readonly hint: string;
  /** Null if the administrator created it. */
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly endsAt: Date;
  /** To the minute; null if it was never used. */
  readonly usedAt: Date | null;
};

/** For scripts of an account: what its scopes name. */
export type ManagementToken = TokenBase & {
  readonly kind: 'management';
  readonly accountId: string;
  readonly scopes: readonly string[];
};
/** For programs of the operator: what staff of its role may do. */
export type ServiceToken = TokenBase & { readonly kind: 'service'; readonly role: StaffRole };
export type Token = ManagementToken | ServiceToken;

type About = { readonly name: string; readonly createdBy: string | null; readonly endsAt: Date };
export type NewToken = About &
  (
    | { readonly kind: 'management'; readonly accountId: string; readonly scopes: readonly string[] }
    | { readonly kind: 'service'; readonly role: StaffRole }
  );

export type Tokens = {
  /** The secret is in no table: it must be shown now. */
  create(token: NewToken): Promise<{ readonly secret: string; readonly token: Token }>;
  /** As `create`, with an id that derives from a command. Undefined if there is a token with this id. */
  createOnce(id: string, token: NewToken): Promise<{ readonly secret: string; readonly token: Token } | undefined>;
  /** Undefined if it has ended, was revoked, or never existed. */
  find(secret: string): Promise<Token | undefined>;
  /** Those of an account that have not ended, the newest first. */
  listOfAccount(accountId: string): Promise<readonly ManagementToken[]>;
  /** Those that a person created and that have not ended, of all accounts and of the staff. */
  listCreatedBy(personId: string): Promise<readonly Token[]>;
  /** All that have not ended, the newest first. */
  listOfServices(): Promise<readonly ServiceToken[]>;
  /** False if the account has no such token. */
  revokeOfAccount(accountId: string, tokenId: string): Promise<boolean>;
  /** For an account that is closed. Resolves to the ids. */
  revokeAllOfAccount(accountId: string): Promise<readonly string[]>;
  /** False if there is no such token. */
  revokeOfService(tokenId: string): Promise<boolean>;
  /** For a person who loses the right to them, of one account or of all and of the staff. Resolves to the ids. */
  revokeCreatedBy(personId: string, accountId?: string): Promise<readonly string[]>;
  /** Resolves to the number of deleted rows. */
  deleteExpired(): Promise<number>;
};

export type TokensOptions = {
  readonly database: IdentityDatabase;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
};

const FORMATS: Readonly<Record<Token['kind'], TokenFormat>> = {
  management: { prefix: 'kiss_mgt_', randomCharacters: 32 },
  service: { prefix: 'kiss_svc_', randomCharacters: 32 },
};
const TOUCH_AFTER_MS = 60_000;

const COLUMNS = `id, kind, account_id as "accountId", grants, created_by as "createdBy", name, hint,
  created_at as "createdAt", ends_at as "endsAt", used_at as "usedAt"`;
type Row = TokenBase & {
  readonly kind: Token['kind'];
  readonly accountId: string | null;
  readonly grants: readonly string[];
};
type Id = { readonly id: string };

const tokenOf = ({ kind, accountId, grants, ...base }: Row): Token =>
  kind === 'management'
    ? { ...base, kind, accountId: accountId ?? '', scopes: grants }
    : { ...base, kind, role: grants[0] as StaffRole };

/** A look-up by hash reveals nothing about other tokens by its timing. */
const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer');

export const createTokens = ({ database: { query }, now, randomBytes }: TokensOptions): Tokens => {
  const idsOf = async (text: string, values: readonly unknown[]): Promise<readonly string[]> =>
    (await query<Id>(`${text} returning id`, values)).map(({ id }) => id);
  const list = async (where: string, ...values: readonly unknown[]): Promise<readonly Token[]> => {
    const order = 'order by created_at desc, id';
    const text = `select ${COLUMNS} from tokens where ends_at > $1 and ${where} ${order}`;
    return (await query<Row>(text, [now(), ...values])).map(tokenOf);
  };
  const insert = async (id: string, token: NewToken) => {
    const secret = newToken(FORMATS[token.kind], randomBytes);
    const [accountId, grants] =
      token.kind === 'management' ? [token.accountId, [...token.scopes]] : [null, [token.role]];
    const [row] = await query<Row>(
      `insert into tokens (hash, id, kind, account_id, grants, created_by, name, hint, created_at, ends_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing returning ${COLUMNS}`,
      [
        ...[hashOf(secret), id, token.kind, accountId, grants],
        ...[token.createdBy, token.name, secret.slice(-4), now(), token.endsAt],
      ],
    );
    return row && { secret, token: tokenOf(row) };
  };
  return {
    create: async (token) => {
      const created = await insert(`tok_${randomBytes(12).toString('hex')}`, token);
      if (!created) throw new Error('A random id is new.');
      return created;
    },
    createOnce: insert,
    find: async (secret) => {
      if (!Object.values(FORMATS).some((format) => isWellFormed(format, secret))) return undefined;
      const at = now();
      const [row] = await query<Row>(`select ${COLUMNS} from tokens where hash = $1 and ends_at > $2`, [
        ...[hashOf(secret), at],
      ]);
      const touchBefore = new Date(at.getTime() - TOUCH_AFTER_MS);
      if (!row || (row.usedAt !== null && row.usedAt > touchBefore)) return row && tokenOf(row);
      // Of requests at the same time, one writes.
      await query('update tokens set used_at = $2 where id = $1 and (used_at is null or used_at <= $3)', [
        ...[row.id, at, touchBefore],
      ]);
      return tokenOf({ ...row, usedAt: at });
    },
    listOfAccount: async (accountId) =>
      (await list('account_id = $2', accountId)).filter((token) => token.kind === 'management'),
    listCreatedBy: (personId) => list('created_by = $2', personId),
    listOfServices: async () => (await list(`kind = 'service'`)).filter((token) => token.kind === 'service'),
    revokeOfAccount: async (accountId, tokenId) =>
      (await idsOf('delete from tokens where account_id = $1 and id = $2', [accountId, tokenId])).length > 0,
    revokeAllOfAccount: (accountId) => idsOf('delete from tokens where account_id = $1', [accountId]),
    revokeOfService: async (tokenId) =>
      (await idsOf(`delete from tokens where kind = 'service' and id = $1`, [tokenId])).length > 0,
    revokeCreatedBy: (personId, accountId) =>
      idsOf('delete from tokens where created_by = $1 and ($2::text is null or account_id = $2)', [
        ...[personId, accountId ?? null],
      ]),
    deleteExpired: async () => (await idsOf('delete from tokens where ends_at <= $1', [now()])).length,
  };
};
