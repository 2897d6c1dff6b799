import { createHmac, hash } from 'node:crypto';
import type { IdentityDatabase } from './database.ts';

export type CodePurpose =
  'verify_address' | 'sign_in' | 'change_address' | 'undo_change' | 'invite' | 'end_low_balance';

export type NewCode = {
  readonly purpose: CodePurpose;
  /** The person or the claim that the code is about. */
  readonly subject: string;
  /** Of the mail that will carry the code. Must never be used for another code. */
  readonly id: string;
  /** A random secret that the asking browser keeps. Absent if no browser asked, as for an invitation. */
  readonly nonce?: string | undefined;
  /** Ten minutes if absent. */
  readonly ttlMs?: number | undefined;
};

/** What the mail carries: eight digits to type in, and a secret of 256 bits for the link. */
export type CodeSecrets = { readonly code: string; readonly linkSecret: string };

export type Redemption = {
  readonly purpose: CodePurpose;
  readonly id: string;
  /** The secret of the browser that sends the request, if it has one. */
  readonly nonce?: string | undefined;
} & ({ readonly code: string } | { readonly linkSecret: string });

export type Redeemed =
  /** `sameBrowser`: the browser that asked has redeemed it. Only there may it be signed in by a verification. */
  | { readonly kind: 'redeemed'; readonly subject: string; readonly sameBrowser: boolean }
  | { readonly kind: 'wrong'; readonly triesLeft: number }
  /** Ended, replaced by a newer one, of another browser, or never issued. */
  | { readonly kind: 'expired' }
  /** Redeemed before, or a code that was tried five times. The link of such a code still works. */
  | { readonly kind: 'used_up' };

export type OneTimeCodes = {
  /**
   * Makes the code of this id redeemable, and replaces an older one of the same purpose and subject. Of sign-in codes only
   * that of the same browser is replaced: otherwise anybody could make the codes of others invalid. A repeat with the same id
   * changes nothing.
   */
  issue(code: NewCode): Promise<void>;
  /** Derives what the mail with this id carries. Stored nowhere, so that neither the log nor a dump contains a code. */
  secretsOf(id: string): CodeSecrets;
  /** Whether the code or its link can still be redeemed. If not, a mail that was not sent yet is obsolete. */
  isOpen(id: string): Promise<boolean>;
  /**
   * Redeems at most once, on all nodes. A code is accepted from the browser that asked; a link from any. Wrong links cost no
   * try, because a link secret cannot be guessed.
   */
  redeem(redemption: Redemption): Promise<Redeemed>;
  /** Whether a link that has not ended carries this secret, also after it was redeemed. It is not redeemed by that. */
  check(link: {
    readonly purpose: CodePurpose;
    readonly id: string;
    readonly linkSecret: string;
  }): Promise<
    | { readonly kind: 'valid'; readonly subject: string }
    | { readonly kind: 'wrong'; readonly triesLeft: number }
    | { readonly kind: 'expired' }
  >;
  /** Makes the open codes and links of a subject invalid, such as those that were sent to an address that has changed. */
  revoke(subject: string, ...purposes: readonly CodePurpose[]): Promise<void>;
  /** Deletes rows a day after their end, and resolves to their number. */
  deleteExpired(): Promise<number>;
};

export type OneTimeCodesOptions = {
  readonly database: IdentityDatabase;
  readonly now: () => Date;
  /** Shared by all nodes: `oneTimeCodes` of the shared secrets. */
  readonly secret: string;
};

const TTL_MS = 600_000;
const TRIES = 5;
const DIGITS = 8;
/** Until then a repeated `issue` finds its row, and cannot make an old code redeemable again. */
const KEEP_MS = 86_400_000;

const ISSUE = `
  insert into one_time_codes (id, purpose, subject, scope, code_mac, link_mac, browser, created_at, ends_at)
  select $1, $2, $3, $4, $5, $6, $7, $8, $9 where not exists (select from one_time_codes where id = $1)
  on conflict (purpose, subject, scope) do update set
    id = excluded.id, code_mac = excluded.code_mac, link_mac = excluded.link_mac, browser = excluded.browser,
    created_at = excluded.created_at, ends_at = excluded.ends_at, tries = 0, redeemed_at = null`;

type Tried = {
  readonly redeemed: boolean;
  readonly subject: string;
  readonly sameBrowser: boolean;
  readonly tries: number;
};
const TRIED = 'redeemed_at is not null as redeemed, subject, coalesce(browser = $4, false) as "sameBrowser", tries';
const REDEEMABLE = 'id = $1 and purpose = $2 and ends_at > $3 and redeemed_at is null';

// One statement each. Of concurrent ones each sees what the one before it wrote, so one redeems and five try.
const TRY_CODE = `
  update one_time_codes set redeemed_at = case when code_mac = $5 then $3 end,
    tries = tries + case when code_mac = $5 then 0 else 1 end
  where ${REDEEMABLE} and tries < $6 and (browser is null or browser = $4) returning ${TRIED}`;
const TRY_LINK = `update one_time_codes set redeemed_at = $3 where ${REDEEMABLE} and link_mac = $5 returning ${TRIED}`;
const CHECK_LINK = `
  select subject, link_mac = $4 as "isRight" from one_time_codes where id = $1 and purpose = $2 and ends_at > $3`;
const FIND = `
  select redeemed_at is not null as redeemed, tries, browser is null or coalesce(browser = $4, false) as ours
  from one_time_codes where id = $1 and purpose = $2 and ends_at > $3`;

/** People copy codes with spaces. */
const digitsOf = (code: string): string => code.replace(/[\s-]/g, '');
/** Another node inserted the same code between the check and the insert of `ISSUE`: its row is as good as ours. */
const unlessIssuedMeanwhile = (error: unknown): void => {
  if (!(error instanceof Error && 'constraint' in error && error.constraint === 'one_time_codes_pkey')) throw error;
};
const browserOf = (nonce: string | undefined): Buffer | null => (nonce ? hash('sha256', nonce, 'buffer') : null);

export const createOneTimeCodes = ({ database, now, secret }: OneTimeCodesOptions): OneTimeCodes => {
  const { query } = database;
  const derive = (...about: readonly string[]): Buffer =>
    createHmac('sha256', secret)
      .update(['kissapi one-time code v1', ...about].join('\n'))
      .digest();
  const macOf = (purpose: CodePurpose, id: string, part: keyof CodeSecrets, value: string): Buffer =>
    derive('check', purpose, id, part, value);

  const secretsOf: OneTimeCodes['secretsOf'] = (id) => ({
    // 64 bits modulo 10^8: the bias is less than one in 10^11.
    code: String(derive('code', id).readBigUInt64BE() % 10n ** BigInt(DIGITS)).padStart(DIGITS, '0'),
    linkSecret: derive('link', id).toString('base64url'),
  });

  /** Why a code or link was not redeemed. */
  const refusalOf = async ({ purpose, id, ...given }: Redemption): Promise<Redeemed> => {
    const [row] = await query<{ redeemed: boolean; tries: number; ours: boolean }>(FIND, [
      ...[id, purpose, now(), browserOf(given.nonce)],
    ]);
    if (!row) return { kind: 'expired' };
    if (row.redeemed) return { kind: 'used_up' };
    if ('linkSecret' in given) return { kind: 'wrong', triesLeft: TRIES - row.tries };
    return { kind: row.ours ? 'used_up' : 'expired' };
  };

  const redeem: OneTimeCodes['redeem'] = async (redemption) => {
    const { purpose, id, nonce } = redemption;
    const found = [id, purpose, now(), browserOf(nonce)];
    const [row] =
      'code' in redemption
        ? await query<Tried>(TRY_CODE, [...found, macOf(purpose, id, 'code', digitsOf(redemption.code)), TRIES])
        : await query<Tried>(TRY_LINK, [...found, macOf(purpose, id, 'linkSecret', redemption.linkSecret)]);
    if (!row) return refusalOf(redemption);
    const { redeemed, subject, sameBrowser, tries } = row;
    return redeemed ? { kind: 'redeemed', subject, sameBrowser } : { kind: 'wrong', triesLeft: TRIES - tries };
  };

  return {
    issue: async ({ purpose, subject, id, nonce, ttlMs = TTL_MS }) => {
      const [at, { code, linkSecret }, browser] = [now(), secretsOf(id), browserOf(nonce)];
      const scope = (purpose === 'sign_in' ? browser : null) ?? Buffer.alloc(0);
      const macs = [macOf(purpose, id, 'code', code), macOf(purpose, id, 'linkSecret', linkSecret)];
      const values = [id, purpose, subject, scope, ...macs, browser, at, new Date(at.getTime() + ttlMs)];
      await query(ISSUE, values).catch(unlessIssuedMeanwhile);
    },
    secretsOf,
    isOpen: async (id) => {
      const text = 'select from one_time_codes where id = $1 and redeemed_at is null and ends_at > $2';
      return (await query(text, [id, now()])).length > 0;
    },
    redeem,
    check: async ({ purpose, id, linkSecret }) => {
      const [row] = await query<{ subject: string; isRight: boolean }>(CHECK_LINK, [
        ...[id, purpose, now(), macOf(purpose, id, 'linkSecret', linkSecret)],
      ]);
      if (!row) return { kind: 'expired' };
      return row.isRight ? { kind: 'valid', subject: row.subject } : { kind: 'wrong', triesLeft: TRIES };
    },
    revoke: async (subject, ...purposes) => {
      const text = `update one_time_codes set ends_at = $3
        where subject = $1 and purpose = any($2) and redeemed_at is null and ends_at > $3`;
      await query(text, [subject, purposes, now()]);
    },
    deleteExpired: async () => {
      const before = new Date(now().getTime() - KEEP_MS);
      return (await query('delete from one_time_codes where ends_at <= $1 returning id', [before])).length;
    },
  };
};
