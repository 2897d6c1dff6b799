import type { ListSignals, Signal } from '../../http/management/conduct/list-signals.ts';
import type { Queries } from '../../projections/queries.ts';
import type { KeyNetworks } from '../../reactions/key-networks.ts';
import type { Refusals } from '../../reactions/refusals.ts';

type Sources = {
  readonly filteredOn: Queries['filteredOn'];
  readonly keyNetworks: Pick<KeyNetworks, 'spreads'>;
  readonly refusals: Pick<Refusals, 'limitedAllDay'>;
};

/** Signals from the tables beside the log and from the rows of requests. */
export const createSignals =
  ({ filteredOn, keyNetworks, refusals }: Sources): ListSignals =>
  async (day, accountId) => {
    const [spreads, filtered, limited] = await Promise.all([
      keyNetworks.spreads(day, accountId),
      filteredOn(day, accountId),
      refusals.limitedAllDay(day, accountId),
    ]);
    return [
      ...spreads.map(({ account_id, key_id, networks, median, since }): Signal => ({
        ...{ accountId: account_id, keyId: key_id, kind: 'networks', count: networks, median, since },
      })),
      ...filtered.map(({ account_id, key_id, count, since }): Signal => ({
        ...{ accountId: account_id, keyId: key_id, kind: 'content_filter', count, median: null, since },
      })),
      ...limited.map(({ account_id, key_id, hours, since }): Signal => ({
        ...{ accountId: account_id, keyId: key_id, kind: 'limits', count: hours, median: null, since },
      })),
    ];
  };
