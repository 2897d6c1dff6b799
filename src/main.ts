import { pino, type Logger } from 'pino';
import { InvalidConfig, readConfig, type Config } from './config/config.ts';
import { openDemoAccount } from './gateway/start/demo.ts';
import {
  EmbeddedPostgresFault,
  startBundledPostgres,
  type EmbeddedPostgres,
} from './gateway/start/bundled-postgres.ts';
import { withOlder, WrongMasterKey } from './eventstore/secrets/data-keys.ts';
import { ClockNotMoved } from './eventstore/postgres/log-clock.ts';
import { WrongSecret } from './eventstore/secrets/secret-checks.ts';
import { UnfitEventStore } from './eventstore/eventstoredb/fitness/unfit-event-store.ts';
import { databaseFaultInWords, UnfitDatabase } from './eventstore/postgres/database/database-faults.ts';
import type { SecretKey } from './eventstore/secrets/sealed-bytes.ts';
import { parseSecretKey } from './config/secret-key.ts';
import { startGateway } from './gateway/gateway.ts';
import { CannotListen } from './gateway/http-server.ts';
import { TermsFault } from './gateway/publishing/publish-terms.ts';
import { exposedSecrets, LocalSecretFault, localSecret } from './config/local-secrets.ts';
import { localSigningKey } from './config/signing-key.ts';
import { readStartArguments, type StartArguments } from './config/start-arguments.ts';
import { welcome } from './gateway/start/welcome.ts';

const run = async (config: Config, { clock }: StartArguments, log: Logger, stopper: Stopper): Promise<void> => {
  const embedded = config.databaseUrl === undefined ? startDatabase(config, log) : undefined;
  // Also while it is starting; otherwise it would outlive this process.
  const stopDatabase = async (): Promise<void> => (await embedded?.catch(() => undefined))?.stop();
  stopper.cleanUpWith(stopDatabase);
  const databaseUrl = config.databaseUrl ?? (await embedded)?.url ?? '';

  const adminToken = config.adminToken === undefined ? await localSecret(config.dataDir, 'admin-token') : undefined;
  const pepper = config.keyPepper ?? (await localSecret(config.dataDir, 'key-pepper')).secret;
  const masterKey = config.dataKey ?? (await localDataKey(config.dataDir));
  const signingKey = config.signingKey ?? (await localSigningKey(config.dataDir));
  const gateway = await startGateway({
    config,
    databaseUrl,
    signingKey,
    adminToken: config.adminToken ?? adminToken?.secret ?? '',
    secrets: {
      peppers: [
        { id: config.keyPepperId, secret: pepper },
        ...[...config.keyPeppersOld].map(([id, secret]) => ({ id, secret })),
      ],
      masterKeys: withOlder({ id: config.dataKeyId, key: masterKey }, config.dataKeysOld),
    },
    clockStart: clock,
    log,
  });
  for (const file of await exposedSecrets(config.dataDir, LOCAL_SECRETS)) {
    log.warn({ file }, 'other users of this machine can read this secret: replace it and restrict its permissions');
  }
  stopper.cleanUpWith(() => gateway.close().finally(stopDatabase));
  const { port, publicUrl, runId } = gateway;
  log.info({ port, publicUrl, runId, production: config.production }, 'the gateway is open');
  if (config.production && config.publicUrl === undefined) {
    log.warn({ publicUrl }, 'PUBLIC_URL is not set: links point to this machine');
  }
  const demo = config.production || !config.simulated ? undefined : await openDemoAccount(gateway, config.dataDir);
  process.stdout.write(
    welcome({
      url: publicUrl,
      dataDir: config.dataDir,
      clock: gateway.clock(),
      apiKey: demo?.apiKey,
      newAdminToken: adminToken?.created ? adminToken.secret : undefined,
      simulatedPayments: gateway.simulatedPayments,
    }),
  );
};

const LOCAL_SECRETS = ['admin-token', 'key-pepper', 'signing-key', 'data-key'];

const localDataKey = async (dataDir: string): Promise<SecretKey> => {
  const key = parseSecretKey((await localSecret(dataDir, 'data-key')).secret);
  if (key) return key;
  throw new InvalidConfig(
    `${dataDir}/data-key does not contain a key of 32 bytes. Set KISSAPI_DATA_KEY, or restore the file.`,
  );
};

const startDatabase = ({ dataDir }: Config, log: Logger): Promise<EmbeddedPostgres> => {
  process.stdout.write(`Starting the bundled PostgreSQL; its data is in ${dataDir} …\n`);
  return startBundledPostgres({ dataDir, log: (line) => log.info(line), alarm: (line) => log.error(line) });
};

type Stopper = ReturnType<typeof createStopper>;

/** npm forwards signals that the terminal also sends to us, so one Ctrl-C arrives twice. */
const SAME_SIGNAL_MS = 500;

/** Stops the process: after the first signal in order, after a second one at once. */
const createStopper = (log: Logger) => {
  let cleanUp = (): Promise<void> => Promise.resolve();
  let stopping: Promise<never> | undefined;
  let signalledAt: number | undefined;

  const exit = async (why: string, exitCode: number): Promise<never> => {
    log.info({ why }, 'stopping: requests in progress are completed first');
    let code = exitCode;
    await cleanUp().catch((error: unknown) => {
      log.error({ err: error }, 'stopping failed');
      code = 1;
    });
    log.info('stopped');
    process.exit(code);
  };
  const stop = (why: string, exitCode: number): Promise<never> => (stopping ??= exit(why, exitCode));

  const onSignal = (signal: NodeJS.Signals): void => {
    if (signalledAt !== undefined && performance.now() - signalledAt > SAME_SIGNAL_MS) {
      log.warn('received a second signal: exiting at once');
      process.exit(1);
    }
    signalledAt ??= performance.now();
    void stop(signal, 0);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // Sent when a terminal is closed. Without a listener the process would exit at once and leave its PostgreSQL running.
  process.on('SIGHUP', onSignal);
  // Without a listener Node.js opens its debugger, through which local users can run code in this process.
  process.on('SIGUSR1', () => log.warn('SIGUSR1 is ignored'));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught error');
    void stop('an uncaught error', 1);
  });
  return {
    stop,
    get stopping() {
      return stopping !== undefined;
    },
    cleanUpWith: (clean: () => Promise<void>): void => {
      cleanUp = clean;
    },
  };
};

/** The fault, or a plain description if it concerns the database of DATABASE_URL. */
const described = (error: unknown, { databaseUrl }: Config): unknown =>
  databaseUrl === undefined ? error : (databaseFaultInWords(error, databaseUrl) ?? error);

const report = (error: unknown): void => {
  const known = [
    InvalidConfig,
    EmbeddedPostgresFault,
    CannotListen,
    WrongMasterKey,
    WrongSecret,
    ClockNotMoved,
    LocalSecretFault,
    TermsFault,
    UnfitDatabase,
    UnfitEventStore,
  ].some((fault) => error instanceof fault);
  const text = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${text}\n`);
};

// Ignore EPIPE, for example of `npm start | head`.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
try {
  const config = readConfig();
  const startArguments = readStartArguments(process.argv.slice(2), config);
  // Standard output is for people; the log goes to standard error, one JSON object per line.
  // Not pino's own destination, which retries forever if the reader is gone.
  const log = pino(
    { level: config.logLevel, base: null, redact: ['*.secret', '*.authorization', '*.apiKey'] },
    process.stderr,
  );
  const stopper = createStopper(log);
  await run(config, startArguments, log, stopper).catch(async (error: unknown) => {
    // A start that is interrupted by a stop also fails; that is not reported.
    if (!stopper.stopping) report(described(error, config));
    await stopper.stop('the start failed', 1);
  });
} catch (error) {
  report(error);
  process.exitCode = 1;
}
