import { Option } from 'commander';
import { listenerOn } from './cpu.ts';

/** Which store commits the log. */
export type Store = 'postgres' | 'eventstoredb';

export const NAMES: Readonly<Record<Store, string>> = { postgres: 'PostgreSQL', eventstoredb: 'EventStoreDB' };

export const storeOption = (): Option =>
  new Option('--store <store>', 'which store commits the log; EVENT_STORE_URL names the EventStoreDB')
    .choices(['postgres', 'eventstoredb', 'both'])
    .default('postgres');

export const storesOf = (asked: Store | 'both'): readonly Store[] =>
  asked === 'both' ? ['postgres', 'eventstoredb'] : [asked];

/** The EventStoreDB of a benchmark; undefined if only PostgreSQL is measured. Throws if it is not named. */
export const eventStoreFor = (stores: readonly Store[]): string | undefined => {
  if (!stores.includes('eventstoredb')) return undefined;
  const url = process.env['EVENT_STORE_URL'] ?? '';
  if (url === '')
    throw new Error('set EVENT_STORE_URL to an EventStoreDB of one node, such as esdb://127.0.0.1:2113?tls=false');
  return url;
};

/** The process of an EventStoreDB on this machine; undefined if it runs elsewhere. */
export const eventStorePid = async (url: string | undefined): Promise<number | undefined> => {
  const port = /:(\d+)(?:[/?]|$)/.exec(url ?? '')?.[1];
  return port === undefined || !/127\.0\.0\.1|localhost/.test(url ?? '') ? undefined : listenerOn(Number(port));
};
