import { createHmac } from 'node:crypto';
import type { DuplicateSignal } from '../domain/account/events.ts';
import type { IdentityDatabase } from './database.ts';

/** A person or an account by its id, or a key as `acc_…/key_…`. */
export type Subject = { readonly kind: 'person' | 'account' | 'key'; readonly id: string };

/**
 * A word of a name, a canonical address, an id or hint of a key, or what duplicates of an account have in common: the whole
 * name with the mail domain, or with the country of the entity.
 */
export type Term = {
  readonly field: 'name' | 'address' | 'key_id' | 'key_hint' | DuplicateSignal;
  readonly text: string;
};

export type SearchTerms = {
  /** Replaces all terms of a subject; without terms, it cannot be found any more. */
  replace(subject: Subject, terms: readonly Term[]): Promise<void>;
  /** The subjects that have all the terms, persons first; none if there are no terms. */
  find(terms: readonly Term[], limit: number): Promise<readonly Subject[]>;
};

export type SearchTermsOptions = {
  readonly database: IdentityDatabase;
  /** `identities` of the shared secrets. */
  readonly identitiesSecret: string;
};

const FIND = `
  select kind, subject as id from search_terms where hash = any($1)
  group by kind, subject having count(*) = $2 order by kind desc, subject limit $3`;

export const createSearchTerms = ({ database, identitiesSecret }: SearchTermsOptions): SearchTerms => {
  // A key of its own, so that a hash of an address here is not the name of its stream in the log.
  const key = createHmac('sha256', identitiesSecret).update('kissapi search terms v1').digest();
  const hashOf = ({ field, text }: Term): Buffer => createHmac('sha256', key).update(`${field}\n${text}`).digest();
  const hashesOf = (terms: readonly Term[]): readonly Buffer[] => {
    const hashes = new Map(terms.map((term) => [`${term.field}\n${term.text}`, hashOf(term)]));
    return [...hashes.values()];
  };
  return {
    replace: ({ kind, id }, terms) =>
      database.transaction(async (query) => {
        await query('delete from search_terms where kind = $1 and subject = $2', [kind, id]);
        await query('insert into search_terms (hash, kind, subject) select unnest($1::bytea[]), $2, $3', [
          ...[hashesOf(terms), kind, id],
        ]);
      }),
    find: async (terms, limit) => {
      const hashes = hashesOf(terms);
      return hashes.length === 0 ? [] : database.query<Subject>(FIND, [hashes, hashes.length, limit]);
    },
  };
};
