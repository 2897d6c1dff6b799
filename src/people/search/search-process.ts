import { accountOfStream, accountStream } from '../../domain/account/account.ts';
import type { Standing } from '../../domain/account/standing.ts';
import { readAddress } from '../../domain/identity/address.ts';
import { personOfStream, personStream } from '../../domain/identity/person.ts';
import { searchWords } from '../../domain/identity/search-words.ts';
import { BrokenSeal, type PersonalData } from '../../eventstore/journal/personal-data.ts';
import { WrongMasterKey } from '../../eventstore/secrets/data-keys.ts';
import type { Subject, Term } from '../../identity/search-terms.ts';
import type { Process, Reaction } from '../../reactions/process.ts';
import { flagDuplicates } from '../duplicates/flag-duplicates.ts';
import { signalsOf } from '../duplicates/signals.ts';
import type { PeopleOptions } from '../people-options.ts';

type SearchOptions = Pick<PeopleOptions, 'persons' | 'accounts' | 'store' | 'vault' | 'identity'>;

const OF_PERSONS = ['AddressVerified', 'NameChanged', 'AddressChanged', 'AddressChangeUndone', 'PersonErased'];
const OF_ACCOUNTS = ['AccountRegistered', 'ContactChanged', 'PersonalDataErased'];

/** Keeps the terms by which support finds persons, accounts and keys, and by which an account is compared with others. */
export const createSearchProcess = (options: SearchOptions): Process => ({
  name: 'search',
  types: new Set([...OF_PERSONS, ...OF_ACCOUNTS, 'KeyIssued']),
  from: 'start',
  react: ({ event, stream }) => {
    const [personId, accountId] = [personOfStream(stream), accountOfStream(stream)];
    if (personId !== undefined) return [does(() => indexPerson(options, personId))];
    if (accountId === undefined) return [];
    if (event.type === 'AccountRegistered') {
      // In this order: of two accounts that are registered at once, the one that is indexed last finds the other one.
      return [does(() => indexAccount(options, accountId)), does(() => flagDuplicates(options, accountId))];
    }
    if (event.type !== 'KeyIssued') return [does(() => indexAccount(options, accountId))];
    const { keyId, hint } = event;
    const key = { kind: 'key', id: `${accountId}/${keyId}` } as const;
    const terms: readonly Term[] = [
      { field: 'key_id', text: keyId },
      { field: 'key_hint', text: hint },
    ];
    return [does(() => options.identity.searchTerms.replace(key, terms))];
  },
});

const does =
  (work: () => Promise<void>): Reaction =>
  async () => {
    await work();
    return { kind: 'accepted' };
  };

const indexPerson = (options: SearchOptions, id: string): Promise<void> =>
  index(options, { kind: 'person', id }, async () => {
    const { state } = await options.persons.read(personStream(id));
    return state.status === 'verified' ? state.personal : null;
  });

const indexAccount = (options: SearchOptions, id: string): Promise<void> =>
  index(options, { kind: 'account', id }, async () => {
    const { state } = await options.accounts.read(accountStream(id));
    return sealedOf(state.standing);
  });

const sealedOf = ({ registration, erased }: Standing): string | null =>
  erased ? null : (registration?.personal ?? null);

/**
 * Writes the terms of what is true now and not of the fact. It is read once more afterwards: if the data was erased by
 * another node meanwhile, its terms must not come back.
 */
const index = async (
  { vault, identity }: SearchOptions,
  subject: Subject,
  sealedNow: () => Promise<string | null>,
): Promise<void> => {
  for (let [indexed, sealed] = [undefined as string | null | undefined, await sealedNow()]; indexed !== sealed;) {
    const personal = sealed === null ? undefined : await opened(vault, subject.id, sealed);
    await identity.searchTerms.replace(subject, personal ? termsOf(subject.kind, personal) : []);
    [indexed, sealed] = [sealed, await sealedNow()];
  }
};

/** Data that this node cannot open has no terms, and does not stop the data of others. */
const opened = async (vault: SearchOptions['vault'], id: string, sealed: string): Promise<PersonalData | undefined> => {
  try {
    return await vault.open(id, sealed);
  } catch (error) {
    if (error instanceof BrokenSeal || error instanceof WrongMasterKey) return undefined;
    throw error;
  }
};

const termsOf = (kind: Subject['kind'], personal: PersonalData): readonly Term[] => {
  const { name, email } = personal;
  const address = readAddress(email);
  return [
    ...searchWords(name).map((text) => ({ field: 'name', text }) as const),
    ...(address ? [{ field: 'address', text: address.canonical } as const] : []),
    ...(kind === 'account' ? signalsOf(personal) : []),
  ];
};
