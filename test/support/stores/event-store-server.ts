/**
 * With TEST_STORE=eventstoredb, EventStoreDB commits every log of the run: on the server that EVENT_STORE_URL names, else on
 * the stand-in, which is started here.
 */
const startServer = async (): Promise<(() => Promise<void>) | undefined> => {
  if (process.env['TEST_STORE'] !== 'eventstoredb') return undefined;
  const named = process.env['EVENT_STORE_URL'];
  if (named !== undefined) {
    process.stderr.write('logs are committed in the EventStoreDB that EVENT_STORE_URL names\n');
    return undefined;
  }
  const { startEventStoreDbStandIn } = await import('@kissapi/eventstoredb-stand-in');
  const standIn = await startEventStoreDbStandIn();
  process.stderr.write(
    'logs are committed in the stand-in for EventStoreDB, because EVENT_STORE_URL names no server\n',
  );
  // Tests and the processes that they start have the environment of this process.
  process.env['EVENT_STORE_URL'] = standIn.url;
  return standIn.close;
};

export default startServer;
