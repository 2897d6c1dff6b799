import { readCommandConfig } from '../config/config.ts';
import {
  checkedMasterKeys,
  createDataKeys,
  withOlder,
  WrongMasterKey,
  type MasterKeys,
} from '../eventstore/secrets/data-keys.ts';
import { rewrapDataKeys } from '../eventstore/secrets/rewrap-data-keys.ts';
import { parseSecretKey } from '../config/secret-key.ts';
import { rewrapSharedSecrets } from '../eventstore/secrets/shared-secrets.ts';
import { checkSecrets, WrongSecret } from '../eventstore/secrets/secret-checks.ts';
import { readLocalSecret } from '../config/local-secrets.ts';
import { counted } from './terminal/counted.ts';
import { CliFault } from './terminal/fault.ts';
import { readLiveRuns } from './terminal/live-runs.ts';
import type { OpenDatabase } from './terminal/open-database.ts';
import { createBar } from './terminal/progress.ts';
import { createProgram, EXIT_CODES, print, runOnDatabase, type ExitCode } from './terminal/run.ts';

createProgram(
  'rewrap',
  'Wrap every data key by the newest master key, KISSAPI_DATA_KEY, instead of those of KISSAPI_DATA_KEYS_OLD. The\n' +
    'gateways may keep running, as long as each accepts both. An interrupted run is resumed by the next.',
)
  .usage('[options]')
  .addHelpText(
    'after',
    `
Example:
  $ KISSAPI_DATA_KEY=… KISSAPI_DATA_KEY_ID=2 KISSAPI_DATA_KEYS_OLD=1=… npm run rewrap
${EXIT_CODES}
The exit code is 1 if an older master key still wraps a data key: then keep it, and run this again.`,
  )
  .allowExcessArguments(false)
  .parse();

const readMasterKeys = async (): Promise<MasterKeys> => {
  const { dataKey, dataKeyId, dataKeysOld, dataDir } = readCommandConfig();
  const key = dataKey ?? parseSecretKey((await readLocalSecret(dataDir, 'data-key')) ?? '');
  if (!key) throw new CliFault('KISSAPI_DATA_KEY is not set. Set it to the new master key.');
  return withOlder({ id: dataKeyId, key }, dataKeysOld);
};

/** A gateway without the new key could not read the data keys that it wraps. */
const expectAccepted = async ({ rows }: OpenDatabase, [newest]: MasterKeys): Promise<void> => {
  const lacking = (await readLiveRuns(rows)).filter(({ masterKeys }) => !masterKeys.includes(newest.id));
  if (lacking.length === 0) return;
  throw new CliFault(
    `${counted(lacking.length, 'running gateway')} cannot read what the master key "${newest.id}" wraps. Give every gateway ` +
      'both keys (KISSAPI_DATA_KEY and KISSAPI_DATA_KEYS_OLD), restart it, and run this again.',
  );
};

const rewrap = async (opened: OpenDatabase): Promise<ExitCode> => {
  const { url } = opened;
  const masterKeys = await readMasterKeys();
  await expectAccepted(opened, masterKeys);
  const dataKeys = createDataKeys(url, masterKeys);
  const bar = createBar('rewrap', 'keys');
  bar.start(0, 0);
  try {
    // With a mistyped new key, no gateway could read the data keys that it wraps.
    await dataKeys.check();
    await checkSecrets(url, checkedMasterKeys(masterKeys));
    const done = await rewrapDataKeys({
      ...{ databaseUrl: url, masterKeys },
      progress: (wrapped, total) => {
        bar.setTotal(total);
        bar.update(wrapped);
      },
    });
    bar.stop();
    await rewrapSharedSecrets(url, masterKeys);
    const wrappedBy = await dataKeys.wrappedBy();
    await print(`Wrapped ${counted(done, 'data key')} by the master key "${masterKeys[0].id}".`);
    for (const [id, count] of wrappedBy) await print(`master key ${id}: ${counted(count, 'data key')}`);
    const left = [...wrappedBy.keys()].filter((id) => id !== masterKeys[0].id);
    if (left.length === 0) await print('No other master key is needed: remove KISSAPI_DATA_KEYS_OLD.');
    else console.error(`rewrap: keep the master key ${left.join(', ')}, and run this again with it.`);
    return left.length === 0 ? 0 : 1;
  } catch (error) {
    const isKnown = error instanceof WrongMasterKey || error instanceof WrongSecret;
    throw isKnown ? new CliFault(error.message, { cause: error }) : error;
  } finally {
    bar.stop();
    await dataKeys.close();
  }
};

await runOnDatabase('rewrap', rewrap);
