import { hash } from 'node:crypto';
import type { RandomBytes } from '../eventstore/secrets/token-format.ts';
import type { IdentityDatabase } from './database.ts';

/** For a person whose second step is lost: each passes it once. */
export type RecoveryCodes = {
  /** Ten new codes, to be shown now. Earlier ones become invalid. */
  renew(personId: string): Promise<readonly string[]>;
  /** True once for each code. */
  redeem(personId: string, code: string): Promise<boolean>;
  /** How many are left. */
  count(personId: string): Promise<number>;
  remove(personId: string): Promise<void>;
};

export type RecoveryCodesOptions = { readonly database: IdentityDatabase; readonly randomBytes: RandomBytes };

const CODES = 10;
/** Base 32 of Crockford: no I, L, O or U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Five bits each: 80 bits, too many to be guessed from a hash. */
const CHARACTERS = 16;

export const createRecoveryCodes = ({ database, randomBytes }: RecoveryCodesOptions): RecoveryCodes => ({
  renew: (personId) =>
    database.transaction(async (query) => {
      const codes = Array.from({ length: CODES }, () =>
        [...randomBytes(CHARACTERS)].map((byte) => ALPHABET.charAt(byte % ALPHABET.length)).join(''),
      );
      // One renewal of a person at a time: otherwise the codes of both would be valid.
      await query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`recovery-codes ${personId}`]);
      await query('delete from recovery_codes where person_id = $1', [personId]);
      await query('insert into recovery_codes (person_id, hash) select $1, unnest($2::bytea[])', [
        ...[personId, codes.map((code) => hashOf(personId, code))],
      ]);
      return codes.map((code) => code.replace(/.{4}(?!$)/g, '$&-'));
    }),
  redeem: async (personId, code) => {
    const values = [personId, hashOf(personId, code)];
    const text = 'delete from recovery_codes where person_id = $1 and hash = $2 returning person_id';
    return (await database.query(text, values)).length > 0;
  },
  count: async (personId) => {
    const text = 'select count(*)::int as codes from recovery_codes where person_id = $1';
    return (await database.query<{ codes: number }>(text, [personId]))[0]?.codes ?? 0;
  },
  remove: async (personId) => {
    await database.query('delete from recovery_codes where person_id = $1', [personId]);
  },
});

/** Letters that are easily confused are read as the digits that they look like, as the alphabet defines. */
const hashOf = (personId: string, code: string): Buffer => {
  const letters = code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return hash('sha256', `kissapi recovery-code v1\n${personId}\n${letters}`, 'buffer');
};
