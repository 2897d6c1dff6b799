import { accountStream } from '../../../domain/account/account.ts';
import { WrongMasterKey } from '../../../eventstore/secrets/data-keys.ts';
import type { PersonalData } from '../../../eventstore/journal/personal-data.ts';
import type { ManagementDeps } from '../router/deps.ts';

/**
 * The personal data of the holder; undefined if it was erased or is sealed under a master key that this node lacks. The
 * rest of the account stays readable.
 */
export const openHolder = async (
  { vault, commands }: Pick<ManagementDeps, 'vault' | 'commands'>,
  accountId: string,
  personal: string,
): Promise<PersonalData | undefined> => {
  // The data key is destroyed shortly after the event, and some names were never sealed.
  const { state } = await commands.read(accountStream(accountId));
  if (state.standing.erased) return undefined;
  return vault.open(accountId, personal).catch((error: unknown) => {
    if (error instanceof WrongMasterKey) return undefined;
    throw error;
  });
};
