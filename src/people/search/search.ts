import { accountStream } from '../../domain/account/account.ts';
import { readAddress, type Address } from '../../domain/identity/address.ts';
import { accountsOfPerson, personStream } from '../../domain/identity/person.ts';
import { searchWords } from '../../domain/identity/search-words.ts';
import type { PersonalData } from '../../eventstore/journal/personal-data.ts';
import { WrongMasterKey } from '../../eventstore/secrets/data-keys.ts';
import type { Subject, Term } from '../../identity/search-terms.ts';
import type { PeopleOptions } from '../people-options.ts';

/** The cause of a match. `person`: an account of a person that matches. */
export type Match = 'account_id' | 'person_id' | 'email' | 'name' | 'key_id' | 'key_hint' | 'person';

type Named = { readonly personal: PersonalData | undefined; readonly matched: Match };
export type Found =
  | ({ readonly kind: 'person'; readonly personId: string } & Named)
  | ({ readonly kind: 'account'; readonly accountId: string; readonly personId: string | undefined } & Named)
  | { readonly kind: 'key'; readonly accountId: string; readonly keyId: string; readonly matched: Match };

/** Finds persons with their accounts, accounts and keys: by id, address, words of a name, or hint. At most `limit`. */
export type Search = (asked: string, limit: number) => Promise<readonly Found[]>;

type SearchOptions = Pick<PeopleOptions, 'persons' | 'accounts' | 'claims' | 'vault' | 'identity' | 'identities'>;
type Hit = { readonly subject: Subject; readonly matched: Match };

const ID = /^[\w-]{1,64}$/;

export const createSearch =
  (options: SearchOptions): Search =>
  async (asked, limit) => {
    const found = new Map<string, Found>();
    for (const hit of await hitsOf(options, asked.trim(), limit)) {
      if (found.size >= limit) break;
      for (const one of await describe(options, hit)) if (!found.has(keyOf(one))) found.set(keyOf(one), one);
    }
    return [...found.values()].slice(0, limit);
  };

/** The terms of what was erased are deleted soon after. */
const isOfPersonalData = (matched: Match): boolean => matched === 'name' || matched === 'email';

const keyOf = (one: Found): string => {
  if (one.kind === 'person') return one.personId;
  return one.kind === 'account' ? one.accountId : `${one.accountId}/${one.keyId}`;
};

const hitsOf = async (options: SearchOptions, asked: string, limit: number): Promise<readonly Hit[]> => {
  const address = readAddress(asked);
  if (address) return byAddress(options, address, limit);
  const by = async (matched: Match, terms: readonly Term[]): Promise<readonly Hit[]> =>
    (await options.identity.searchTerms.find(terms, limit)).map((subject) => ({ subject, matched }));
  const ids: readonly Hit[] = ID.test(asked)
    ? [
        { subject: { kind: 'account', id: asked }, matched: 'account_id' },
        { subject: { kind: 'person', id: asked }, matched: 'person_id' },
        ...(await by('key_id', [{ field: 'key_id', text: asked }])),
        ...(await by('key_hint', [{ field: 'key_hint', text: asked }])),
      ]
    : [];
  const words = searchWords(asked).map((text) => ({ field: 'name', text }) as const);
  return [...ids, ...(await by('name', words))];
};

/** The claims are current at once; the terms also know the contacts of accounts that the operator registered. */
const byAddress = async (
  { claims, identity, identities }: SearchOptions,
  address: Address,
  limit: number,
): Promise<readonly Hit[]> => {
  const { state } = await claims.read(identities.ofAddress(address));
  const owners = state.owners.map((id) => ({ kind: 'person', id }) as const);
  const others = await identity.searchTerms.find([{ field: 'address', text: address.canonical }], limit);
  return [...owners, ...others].map((subject) => ({ subject, matched: 'email' }));
};

/** What a hit is about now; empty if it does not exist. */
const describe = async (options: SearchOptions, { subject, matched }: Hit): Promise<readonly Found[]> => {
  const { kind, id } = subject;
  if (kind === 'person') return describePerson(options, id, matched);
  if (kind === 'account') return describeAccount(options, id, undefined, matched);
  const [accountId = '', keyId = ''] = id.split('/');
  const { state } = await options.accounts.read(accountStream(accountId));
  return state.keys.has(keyId) ? [{ kind, accountId, keyId, matched }] : [];
};

const describePerson = async (options: SearchOptions, personId: string, matched: Match): Promise<readonly Found[]> => {
  const { state } = await options.persons.read(personStream(personId));
  if (state.status === 'unknown' || (state.status === 'erased' && isOfPersonalData(matched))) return [];
  const personal = state.personal === null ? undefined : await opened(options, personId, state.personal);
  const accounts = await Promise.all(
    accountsOfPerson(state).map((id) => describeAccount(options, id, personId, 'person')),
  );
  return [{ kind: 'person', personId, personal, matched }, ...accounts.flat()];
};

const describeAccount = async (
  options: SearchOptions,
  accountId: string,
  personId: string | undefined,
  matched: Match,
): Promise<readonly Found[]> => {
  const { state } = await options.accounts.read(accountStream(accountId));
  const { registration, erased } = state.standing;
  if (!registration || (erased && isOfPersonalData(matched))) return [];
  const personal = erased ? undefined : await opened(options, accountId, registration.personal);
  return [{ kind: 'account', accountId, personId, personal, matched }];
};

/** Undefined if the data was erased, or is sealed under a master key that this node lacks. */
const opened = ({ vault }: SearchOptions, id: string, sealed: string): Promise<PersonalData | undefined> =>
  vault.open(id, sealed).catch((error: unknown) => {
    if (error instanceof WrongMasterKey) return undefined;
    throw error;
  });
