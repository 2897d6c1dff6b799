/**
 * The EventStoreDB that commits the logs of the tests, as a variable for processes; empty if PostgreSQL does so.
 * TEST_STORE=eventstoredb switches the whole suite: see event-store-server.ts.
 */
export const storeEnv = (): Readonly<Record<string, string>> => {
  const url = process.env['EVENT_STORE_URL'];
  return url === undefined ? {} : { EVENT_STORE_URL: url };
};

export const usesEventStoreDb = (): boolean => 'EVENT_STORE_URL' in storeEnv();
