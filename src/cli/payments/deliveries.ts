import { readCommandConfig } from '../../config/config.ts';
import { readLocalSecret } from '../../config/local-secrets.ts';
import { parseSecretKey } from '../../config/secret-key.ts';
import { readLogClock } from '../../eventstore/postgres/log-clock.ts';
import { createDataKeys, withOlder } from '../../eventstore/secrets/data-keys.ts';
import { createKeptDeliveries, DELIVERIES_KEY, type KeptDelivery } from '../../payments/kept-deliveries.ts';
import { plain } from '../account-history/plain-text.ts';
import { counted } from '../terminal/counted.ts';
import { CliFault } from '../terminal/fault.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';
import { print, type ExitCode } from '../terminal/run.ts';

/** A delivery is kept for 30 days; more than these are not listed. */
const LISTED = 200;

/** Lists the deliveries that are kept for an operator, or prints the body of one, which has personal data. */
export const showDeliveries = async ({ url }: OpenDatabase, deliveryId: string | undefined): Promise<ExitCode> => {
  const { dataKeyId, dataKeysOld, dataKey, dataDir } = readCommandConfig();
  const key = dataKey ?? parseSecretKey((await readLocalSecret(dataDir, 'data-key')) ?? '');
  if (!key) throw new CliFault('The deliveries are encrypted: set KISSAPI_DATA_KEY, or KISSAPI_DATA of the gateway.');
  const dataKeys = createDataKeys(url, withOlder({ id: dataKeyId, key }, dataKeysOld));
  const { now } = await readLogClock(url);
  const kept = createKeptDeliveries(
    url,
    () => dataKeys.obtain(DELIVERIES_KEY),
    () => now,
  );
  try {
    if (deliveryId === undefined) return await list(await kept.list(LISTED));
    const body = await kept.open(deliveryId);
    if (body === undefined) throw new CliFault(`There is no kept delivery ${plain(deliveryId)}. See the list.`);
    await print(plain(body));
    return 0;
  } finally {
    await kept.close();
    await dataKeys.close();
  }
};

const list = async (deliveries: readonly KeptDelivery[]): Promise<ExitCode> => {
  for (const { deliveryId, eventId, eventType, reason, times, lastAt } of deliveries) {
    const event = `${plain(eventType ?? 'unknown type')} ${plain(eventId ?? '')}`.trimEnd();
    await print(
      `${lastAt.toISOString()}  ${deliveryId}  ${event}: ${plain(reason)}, received ${counted(times, 'time')}`,
    );
  }
  if (deliveries.length === 0) await print('No delivery is kept.');
  return 0;
};
