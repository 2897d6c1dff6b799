import { pino, type Logger } from 'pino';
import { InvalidConfig, readConfig, type Config } from './config.ts';
import { openDemoAccount } from './demo.ts';
import { EmbeddedPostgresFault, startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts';
import { startGateway, type Gateway } from './gateway.ts';
import { localSecret } from './local-secrets.ts';
import { welcome } from './welcome.ts';

const run = async (config: Config, log: Logger, stopper: Stopper): Promise<void> => {
  let embedded: EmbeddedPostgres | undefined;
  let gateway: Gateway | undefined;
  stopper.cleanUpWith(async () => {
    await gateway?.close();
    await embedded?.stop();
  });

  if (config.databaseUrl === undefined) {
    process.stdout.write(`Starting the embedded PostgreSQL; its data is under ${config.dataDir} …\n`);
    embedded = await startEmbeddedPostgres({ dataDir: config.dataDir, log: (line) => log.info(line) });
  }
  const databaseUrl = config.databaseUrl ?? embedded?.url ?? '';
  const adminToken = config.adminToken === undefined ? await localSecret(config.dataDir, 'admin-token') : undefined;
  const keyPepper = config.keyPepper ?? (await localSecret(config.dataDir, 'key-pepper')).secret;
  gateway = await startGateway({
    config,
    databaseUrl,
    adminToken: config.adminToken ?? adminToken?.secret ?? '',
    keyPepper,
    log,
  });
  const { port, runId } = gateway;
  log.info({ port, runId, production: config.production }, 'the gateway is open');
  const demo = config.production || !config.simulated ? undefined : await openDemoAccount(gateway, config.dataDir);
  process.stdout.write(
    welcome({
      port,
      dataDir: config.dataDir,
      apiKey: demo?.apiKey,
      newAdminToken: adminToken?.created ? adminToken.secret : undefined,
    }),
  );
};

type Stopper = ReturnType<typeof createStopper>;

/** Ends the process in order: at a signal once, at a second signal at once. */
const createStopper = (log: Logger) => {
  let cleanUp = (): Promise<void> => Promise.resolve();
  let stopping = false;
  const stop = async (why: string, exitCode: number): Promise<void> => {
    if (stopping) {
      log.warn('asked twice: leaving at once');
      process.exit(1);
    }
    stopping = true;
    log.info({ why }, 'stopping: requests under way are let finish');
    let code = exitCode;
    await cleanUp().catch((error: unknown) => {
      log.error({ err: error }, 'stopping failed');
      code = 1;
    });
    log.info('stopped');
    process.exit(code);
  };
  process.on('SIGINT', () => void stop('SIGINT', 0));
  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error that nobody caught');
    if (!stopping) void stop('an uncaught error', 1);
  });
  return {
    stop,
    cleanUpWith: (clean: () => Promise<void>): void => {
      cleanUp = clean;
    },
  };
};

const say = (error: unknown): void => {
  const known = error instanceof InvalidConfig || error instanceof EmbeddedPostgresFault;
  const text = error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${text}\n`);
};

try {
  const config = readConfig();
  // Standard output is for people; what happens goes to standard error, one JSON object a line.
  const log = pino(
    { level: config.logLevel, base: null, redact: ['*.secret', '*.authorization', '*.apiKey'] },
    pino.destination(2),
  );
  const stopper = createStopper(log);
  await run(config, log, stopper).catch(async (error: unknown) => {
    say(error);
    await stopper.stop('the start failed', 1);
  });
} catch (error) {
  say(error);
  process.exitCode = 1;
}
