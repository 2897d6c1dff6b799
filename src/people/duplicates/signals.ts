import type { DuplicateSignal } from '../../domain/account/events.ts';
import { readAddress } from '../../domain/identity/address.ts';
import { searchWords } from '../../domain/identity/search-words.ts';
import type { PersonalData } from '../../eventstore/journal/personal-data.ts';
import { isPublicDomain } from '../../identity/disposable-domains.ts';

export type Signal = { readonly field: DuplicateSignal; readonly text: string };

/** What an account has in common with its duplicates: accounts with an equal signal may have the same holder. */
export const signalsOf = ({ name, email, entity }: PersonalData): readonly Signal[] => {
  // The order of the words does not count. A name without words, such as one of single letters, is no signal.
  const words = [...searchWords(name)].sort().join(' ');
  if (words === '') return [];
  const domain = readAddress(email)?.canonical.replace(/^.*@/, '');
  const isShared = domain !== undefined && !isPublicDomain(domain);
  return [
    ...(entity ? [{ field: 'same_entity_name', text: `${words}\n${entity.country.toUpperCase()}` } as const] : []),
    ...(isShared ? [{ field: 'same_name_and_domain', text: `${words}\n${domain}` } as const] : []),
  ];
};
