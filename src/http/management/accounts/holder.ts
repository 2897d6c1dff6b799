import { WrongMasterKey } from '../../../eventstore/secrets/data-keys.ts';
import type { PersonalData } from '../../../eventstore/journal/personal-data.ts';
import type { ManagementDeps } from '../router/deps.ts';

/**
 * Who an account is of; undefined where nobody can read that any more: it was erased, or sealed under a master key that is
 * not at hand. The rest of the account can be read all the same.
 */
export const openHolder = (
  { vault }: Pick<ManagementDeps, 'vault'>,
  accountId: string,
  personal: string,
): Promise<PersonalData | undefined> =>
  vault.open(accountId, personal).catch((error: unknown) => {
    if (error instanceof WrongMasterKey) return undefined;
    throw error;
  });
