import { InvalidArgumentError } from 'commander';
import { readEventStoreUrls } from '../../config/config.ts';
import {
  EventStoreNotProtected,
  protectEventStore,
  tryEventStore,
} from '../../eventstore/eventstoredb/fitness/access.ts';
import { UnfitEventStore } from '../../eventstore/eventstoredb/fitness/unfit-event-store.ts';
import { CliFault } from '../terminal/fault.ts';
import { createProgram, print, runAlone, type ExitCode } from '../terminal/run.ts';

let chosen: () => Promise<ExitCode> = () => Promise.resolve(2);

const userNamed = (text: string): string => {
  if (/^[\w.@-]{1,64}$/.test(text) && !['admin', 'ops'].includes(text)) return text;
  throw new InvalidArgumentError('It must be the name of a user that was created for the gateways, such as kissapi.');
};

const program = createProgram(
  'event-store',
  'Prepare EventStoreDB for the log, and check it. PostgreSQL alone needs none of this (docs/eventstoredb.md).',
)
  .usage('<command> [options]')
  .addHelpText(
    'after',
    `
Examples:
  $ export EVENT_STORE_ADMIN_URL='esdb://admin:…@10.0.0.11:2113?tlsCAFile=/path/ca.crt'
  $ npm run event-store -- protect --user kissapi
  $ export EVENT_STORE_URL='esdb://kissapi:…@10.0.0.11:2113?tlsCAFile=/path/ca.crt'
  $ npm run event-store -- check

Exit codes:
  0  done, and all is as it should be
  1  done, and something is not as it should be
  2  not done; stderr says why`,
  )
  .allowExcessArguments(false);

program
  .command('protect')
  .summary('Let one user append and read, and only administrators delete.')
  .description(
    'Run once as an administrator of EventStoreDB. Sets the default ACL of user streams and the ACL of $all: the named user ' +
      'appends and reads; only administrators delete streams and set metadata. Other users keep what they may append and ' +
      'read, but not as "every user". The second run changes nothing.',
  )
  .usage('[options]')
  .option('--user <name>', 'the user of the gateways, which must exist and be in no group', userNamed, 'kissapi')
  .option('--url <address>', 'with an administrator; better in EVENT_STORE_ADMIN_URL, because others can see options')
  .allowExcessArguments(false)
  .action((options: { readonly user: string; readonly url?: string }) => {
    chosen = () => protect(options);
  });

program
  .command('check')
  .description(
    'Make the checks that a gateway makes before it uses EventStoreDB, as the user in EVENT_STORE_URL. Appends one small ' +
      'event to the stream kissapi-check.starts.',
  )
  .usage('[options]')
  .option('--url <address>', 'instead of EVENT_STORE_URL')
  .allowExcessArguments(false)
  .action(({ url }: { readonly url?: string }) => {
    chosen = () => check(url);
  });

program.parse();

const addressOf = (url: string | undefined, variable: string): string => {
  if (url === undefined) throw new CliFault(`Set ${variable} to the address of EventStoreDB, or pass it with --url.`);
  if (/^esdb(\+discover)?:\/\//.test(url)) return url;
  throw new CliFault(
    `The address of EventStoreDB must begin with esdb:// or esdb+discover:// (${variable}, or --url).`,
  );
};

const protect = async ({ user, url }: { readonly user: string; readonly url?: string }): Promise<ExitCode> => {
  const address = addressOf(url ?? readEventStoreUrls().adminUrl, 'EVENT_STORE_ADMIN_URL');
  const { changed, othersMayAppend, othersMayDelete } = await protectEventStore(address, user);
  const did = (one: (typeof changed)[number]): string => (changed.includes(one) ? 'set' : 'already set');
  await print(`default ACL of user streams: ${did('default-acl')} (${user} appends and reads, and cannot delete)`);
  await print(`ACL of $all: ${did('acl-of-all')} (${user} reads)`);
  if (othersMayAppend.length > 0) await print(`others that may append to user streams: ${othersMayAppend.join(', ')}`);
  if (othersMayDelete.length > 0) {
    await print(`others that may delete streams or set metadata, and should not: ${othersMayDelete.join(', ')}`);
    return 1;
  }
  await print('read back: as it should be. Now run: npm run event-store -- check');
  return 0;
};

const check = async (url: string | undefined): Promise<ExitCode> => {
  const address = addressOf(url ?? readEventStoreUrls().url, 'EVENT_STORE_URL');
  try {
    const { insecure } = await tryEventStore(address, () => new Date());
    if (!insecure) {
      await print('fit: a gateway can use this EventStoreDB, and its user cannot delete events.');
      return 0;
    }
    await print('fit for development only: without TLS, EventStoreDB lets every client delete events.');
    return 1;
  } catch (error) {
    if (!(error instanceof UnfitEventStore)) throw error;
    await print(`unfit: ${error.message}`);
    return 1;
  }
};

await runAlone('event-store', async () => {
  try {
    return await chosen();
  } catch (error) {
    throw error instanceof EventStoreNotProtected ? new CliFault(error.message, { cause: error }) : error;
  }
});

// A connection to a server that does not answer would keep the process alive.
process.exit(process.exitCode);
