import { WrongMasterKey } from '../../../eventstore/secrets/data-keys.ts';
import type { PersonalData } from '../../../eventstore/journal/personal-data.ts';
import type { ManagementDeps } from '../router/deps.ts';

/**
 * The personal data of the holder; undefined if it was erased or is sealed under a master key that this node lacks. The
 * rest of the account stays readable.
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
