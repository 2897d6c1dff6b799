import { readCommandConfig } from '../../config/config.ts';
import { createDataKeys, withOlder, WrongMasterKey } from '../../eventstore/secrets/data-keys.ts';
import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { BrokenSeal, createVault, readPlain } from '../../eventstore/journal/personal-data.ts';
import { parseSecretKey } from '../../config/secret-key.ts';
import { readLocalSecret } from '../../config/local-secrets.ts';
import type { Holder } from './sentences.ts';

export type FoundHolder = {
  readonly holder: Holder;
  /** Why the holder is unknown although a key is available. */
  readonly trouble?: string;
  /** The sealed data in the log is corrupt; the key is not the cause. */
  readonly broken?: true;
};

/**
 * Finds the holder of an account. Without the right master key the holder stays sealed, and the rest of the history is
 * still readable.
 */
export const findHolder = async (databaseUrl: string, accountId: string, personal: string): Promise<FoundHolder> => {
  const { dataKey, dataKeyId, dataKeysOld, dataDir } = readCommandConfig();
  const key = dataKey ?? parseSecretKey((await readLocalSecret(dataDir, 'data-key')) ?? '');
  if (!key) return { holder: readPlain(accountId, personal) ?? 'sealed' };
  const dataKeys = createDataKeys(databaseUrl, withOlder({ id: dataKeyId, key }, dataKeysOld));
  try {
    return { holder: (await createVault(dataKeys).open(accountId, personal)) ?? 'erased' };
  } catch (error) {
    if (error instanceof BrokenSeal) return { holder: 'sealed', trouble: error.message, broken: true };
    const isOurs = error instanceof WrongMasterKey || error instanceof StoreUnavailable;
    if (isOurs) return { holder: 'sealed', trouble: error.message };
    throw error;
  } finally {
    await dataKeys.close();
  }
};
