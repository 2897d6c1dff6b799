import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { checkDatabase } from '../eventstore/postgres/database/database-check.ts';
import { openEventLog } from './event-log.ts';
import { openContacts } from './contacting/contacts.ts';
import { createNotices } from './notices/notices.ts';
import { openMail } from './people/mail.ts';
import { openPayments } from './payments/payments.ts';
import { openPeople } from './people/people.ts';
import { startGatewayProcess } from './people/processes.ts';
import { createSecretsInUse, warnOfMissingSecrets, type Secrets } from './secrets.ts';
import { publishFurtherStarters } from './publishing/publish-terms.ts';
import { openViews } from './views.ts';
import { startOnDatabase } from './health/database-wait.ts';
import { startWatchers } from './health/watchers.ts';
import { createKeyring } from '../http/auth/api-keys.ts';
import { createErasure } from '../reactions/erasure.ts';
import { createProviders } from './providers.ts';
import { readProviderList } from '../config/provider-list.ts';

export type GatewayOptions = {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly adminToken: string;
  /** Signs the head of the log. */
  readonly signingKey: KeyObject;
  readonly secrets: Secrets;
  /** Begins an empty log at this time in the past; never set in production. */
  readonly clockStart?: Date | undefined;
  readonly log: Logger;
};

/** Opens everything that depends on the database: the log, its views and the watchers. */
export const openRooms = async (options: GatewayOptions, publicUrl: () => string) => {
  const { config, databaseUrl, secrets, signingKey, log } = options;
  const secretsInUse = createSecretsInUse(secrets, (inUse) =>
    log.info(inUse, 'new API keys and accounts use the newest pepper and master key that all running gateways accept'),
  );
  const start = startOnDatabase(options);
  await start.patiently(() =>
    checkDatabase({
      ...{ databaseUrl, production: config.production, copy: config.eventStoreUrl !== undefined },
      warn: (text) => log.warn(text),
    }),
  );
  const eventLog = await openEventLog({
    ...{ databaseUrl, eventStoreUrl: config.eventStoreUrl, secrets, dataDir: config.dataDir, ...start },
    ...{ production: config.production, clockStart: options.clockStart },
    priceMargin: config.priceMargin,
    wrapWith: () => secretsInUse.masterKeyId,
  });
  const providers = createProviders(config, eventLog.providers);
  const providerList = await readProviderList();
  const views = await openViews({ databaseUrl, store: eventLog.store, ...start });
  const { selfAuditEveryMs } = config;
  let generations: ReadonlySet<string> = new Set();
  const watchers = await startWatchers({
    ...{ databaseUrl, eventLog, views, secretsInUse, signingKey, selfAuditEveryMs, ...start },
    generations: () => generations,
  });
  eventLog.onRewind(views.startAgain);
  const { terms, termsTexts: texts, termsFiles: files } = eventLog;
  const { lookedUp } = views;
  const starters = await publishFurtherStarters({ terms, texts, files, now: watchers.now, lookedUp, log });
  const about = { config, databaseUrl, eventLog, publicUrl, now: watchers.now, metrics: watchers.metrics, ...start };
  const people = await openPeople({ ...about, views });
  const contacting = openContacts({ ...about, views, people });
  const notices = createNotices({ ...about, views });
  const mail = await openMail({ ...about, connections: notices.mail(contacting.mail) });
  const noticeProcess = notices.start();
  const payments = await openPayments({ ...about, views });
  const erasure = startGatewayProcess(
    about,
    createErasure({
      destroy: async (accountId) => {
        await watchers.keyNetworks.forget(accountId);
        await eventLog.dataKeys.destroy(accountId);
      },
    }),
  );

  const ends = eventLog.announceEnds(watchers.now);
  await warnOfMissingSecrets({
    ...{ databaseUrl, secrets, log },
    keysByPepper: views.keysByPepper(secretsInUse.accepts.peppers, watchers.now()),
    dataKeysByMasterKey: await eventLog.dataKeysByMasterKey(),
  });
  const keyring = createKeyring({
    mode: config.production ? 'live' : 'test',
    peppers: secrets.peppers,
    issueWith: () => secretsInUse.pepperId,
  });
  return {
    ...{
      eventLog,
      providers,
      providerList,
      views,
      watchers,
      people,
      contacting,
      mail,
      noticeProcess,
      payments,
      erasure,
      ends,
      starters,
    },
    keyring,
    /** Sets the generations in progress, which the watchers leave alone. */
    watchGenerations: (set: ReadonlySet<string>): void => void (generations = set),
  };
};

export type Rooms = Awaited<ReturnType<typeof openRooms>>;
