import { pino, type Logger } from 'pino';
import { InvalidConfig, readConfig, type Config } from './config/config.ts';
import { openDemoAccount } from './gateway/demo.ts';
import { EmbeddedPostgresFault, startBundledPostgres, type EmbeddedPostgres } from './gateway/bundled-postgres.ts';
import { withOlder, WrongMasterKey } from './eventstore/secrets/data-keys.ts';
import { WrongSecret } from './eventstore/secrets/secret-checks.ts';
import { databaseFaultInWords, UnfitDatabase } from './eventstore/postgres/database-faults.ts';
import type { SecretKey } from './eventstore/secrets/sealed-bytes.ts';
import { parseSecretKey } from './config/secret-key.ts';
import { startGateway } from './gateway/gateway.ts';
import { CannotListen } from './gateway/http-server.ts';
import { TermsFault } from './gateway/publish-terms.ts';
import { exposedSecrets, LocalSecretFault, localSecret } from './config/local-secrets.ts';
import { localSigningKey } from './config/signing-key.ts';
import { welcome } from './gateway/welcome.ts';

const run = async (config: Config, log: Logger, stopper: Stopper): Promise<void> => {
  const embedded = config.databaseUrl === undefined ? startDatabase(config, log) : undefined;
  // Also where it is only just starting, or it would outlive us.
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
    log,
  });
  for (const file of await exposedSecrets(config.dataDir, LOCAL_SECRETS)) {
    log.warn({ file }, 'other users of this machine can read this secret: replace it, and let only its owner read it');
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
      apiKey: demo?.apiKey,
      newAdminToken: adminToken?.created ? adminToken.secret : undefined,
    }),
  );
};

const LOCAL_SECRETS = ['admin-token', 'key-pepper', 'signing-key', 'data-key'];

const localDataKey = async (dataDir: string): Promise<SecretKey> => {
  const key = parseSecretKey((await localSecret(dataDir, 'data-key')).secret);
  if (key) return key;
  throw new InvalidConfig(`${dataDir}/data-key holds no key of 32 bytes. Set KISSAPI_DATA_KEY, or put the key back.`);
};

const startDatabase = ({ dataDir }: Config, log: Logger): Promise<EmbeddedPostgres> => {
  process.stdout.write(`Starting the embedded PostgreSQL; its data is under ${dataDir} …\n`);
  return startBundledPostgres({ dataDir, log: (line) => log.info(line), alarm: (line) => log.error(line) });
};

type Stopper = ReturnType<typeof createStopper>;

/** npm passes on to us what a terminal has sent to both, so that one Ctrl-C comes twice. */
const SAME_WISH_MS = 500;

/** Ends the process in order: at a signal once, at a second signal at once. */
const createStopper = (log: Logger) => {
  let cleanUp = (): Promise<void> => Promise.resolve();
  let stopping: Promise<never> | undefined;
  let askedAt: number | undefined;

  const leave = async (why: string, exitCode: number): Promise<never> => {
    log.info({ why }, 'stopping: requests under way are let finish');
    let code = exitCode;
    await cleanUp().catch((error: unknown) => {
      log.error({ err: error }, 'stopping failed');
      code = 1;
    });
    log.info('stopped');
    process.exit(code);
  };
  const stop = (why: string, exitCode: number): Promise<never> => (stopping ??= leave(why, exitCode));

  const asked = (signal: NodeJS.Signals): void => {
    if (askedAt !== undefined && performance.now() - askedAt > SAME_WISH_MS) {
      log.warn('asked twice: leaving at once');
      process.exit(1);
    }
    askedAt ??= performance.now();
    void stop(signal, 0);
  };
  process.on('SIGINT', asked);
  process.on('SIGTERM', asked);
  // A terminal that is closed. Without a listener the process would end at once, and leave its PostgreSQL running.
  process.on('SIGHUP', asked);
  // Without a listener Node.js opens its debugger, through which any local user can run code in this process.
  process.on('SIGUSR1', () => log.warn('SIGUSR1 is ignored'));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error that nobody caught');
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

/** The fault itself, unless it is the database of DATABASE_URL that cannot be used. */
const inWords = (error: unknown, { databaseUrl }: Config): unknown =>
  databaseUrl === undefined ? error : (databaseFaultInWords(error, databaseUrl) ?? error);

const say = (error: unknown): void => {
  const known = [
    InvalidConfig,
    EmbeddedPostgresFault,
    CannotListen,
    WrongMasterKey,
    WrongSecret,
    LocalSecretFault,
    TermsFault,
    UnfitDatabase,
  ].some((fault) => error instanceof fault);
  const text = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${text}\n`);
};

// Who reads along may leave, as `head` does; the gateway goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
try {
  const config = readConfig();
  // Standard output is for people; what happens goes to standard error, one JSON object a line.
  // Not pino's own way to it, which tries for ever to tell its last words where nobody reads any more.
  const log = pino(
    { level: config.logLevel, base: null, redact: ['*.secret', '*.authorization', '*.apiKey'] },
    process.stderr,
  );
  const stopper = createStopper(log);
  await run(config, log, stopper).catch(async (error: unknown) => {
    // A start that is broken off by the end fails too.
    if (!stopper.stopping) say(inWords(error, config));
    await stopper.stop('the start failed', 1);
  });
} catch (error) {
  say(error);
  process.exitCode = 1;
}
