import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { MailEvent } from '../../domain/mail/mail.ts';
import type { MigrateOptions } from '../../eventstore/postgres/database/migrate.ts';
import type { Patiently } from '../../eventstore/postgres/database/patience.ts';
import { createDevOutbox } from '../../mail/dev-outbox.ts';
import { createDueMails, migrateMail } from '../../mail/due-mails.ts';
import { createMailProcess, type MailProcessOptions } from '../../mail/mail-process.ts';
import { startMailSender, type MailData } from '../../mail/mail-sender.ts';
import { createSmtpMailer } from '../../mail/smtp.ts';
import type { EventLog } from '../event-log.ts';
import type { OutageLog } from '../health/outage.ts';
import type { Metrics } from '../metrics.ts';
import { startGatewayProcess } from './processes.ts';

/** What mail needs from the part that keeps people and addresses. */
export type MailConnections = MailData & Pick<MailProcessOptions, 'failed'>;

export type MailOptions = {
  readonly config: Pick<Config, 'production' | 'smtp' | 'mailFrom' | 'supportEmail'>;
  readonly databaseUrl: string;
  readonly eventLog: Pick<EventLog, 'store' | 'mails' | 'reactions' | 'commonPosition' | 'onRewind'>;
  readonly connections: MailConnections;
  readonly publicUrl: () => string;
  readonly now: () => Date;
  readonly metrics: Metrics;
  readonly patiently: Patiently;
  readonly outage: OutageLog;
  readonly migration: MigrateOptions;
  readonly log: Logger;
};

export const DEFAULT_SENDER = { name: 'KissAPI', address: 'no-reply@localhost' } as const;

/** SMTP if it is set; otherwise the outbox page in development, and nothing in production. */
const createMailer = ({ config, now, log }: MailOptions) => {
  const { production, smtp: server, mailFrom: from = DEFAULT_SENDER } = config;
  if (server) return { mailer: createSmtpMailer({ server, from }), outbox: undefined };
  if (production) {
    log.warn('SMTP_URL is not set: mail stays queued until a gateway starts that has it');
    return { mailer: undefined, outbox: undefined };
  }
  const outbox = createDevOutbox(now);
  return { mailer: outbox, outbox };
};

const outcomeOf = { MailQueued: 'queued', MailDeferred: 'deferred', MailSent: 'sent', MailFailed: 'failed' } as const;

const startSender = (options: MailOptions, mailer: ReturnType<typeof createMailer>['mailer'], due: DueMails) => {
  const { config, databaseUrl, eventLog, connections, publicUrl, now, metrics, outage, log } = options;
  if (!mailer) return undefined;
  const from = config.mailFrom ?? DEFAULT_SENDER;
  return startMailSender({
    ...{ databaseUrl, mailer, due, now, mails: eventLog.mails, ...connections },
    operator: () => ({
      name: from.name === '' ? DEFAULT_SENDER.name : from.name,
      supportEmail: config.supportEmail ?? from.address,
      publicUrl: publicUrl(),
    }),
    attempted: (mailId: string, event: MailEvent) => {
      metrics.mail(outcomeOf[event.type]);
      if (event.type === 'MailFailed') log.warn({ mailId, ...event }, 'a mail was not sent, and is not tried again');
    },
    failed: (error, mailId) => {
      if (!outage.covers(error)) log.warn({ err: error, mailId }, 'a mail could not be sent now: it is tried again');
    },
  });
};

type DueMails = ReturnType<typeof createDueMails>;

/** Sends the mails that are queued in the log. Must be closed before the log. */
export const openMail = async (options: MailOptions) => {
  const { databaseUrl, eventLog, connections, now, metrics, patiently, migration } = options;
  await patiently(() => migrateMail(databaseUrl, migration));
  const due = createDueMails(databaseUrl);
  const { mailer, outbox } = createMailer(options);
  const sender = startSender(options, mailer, due);
  const running = startGatewayProcess(
    options,
    createMailProcess({
      ...{ due, mails: eventLog.mails },
      queued: () => {
        metrics.mail('queued');
        sender?.wake();
      },
      failed: connections.failed,
    }),
  );
  metrics.watchMail(async () => {
    const { waiting, oldestQueuedAt } = await due.backlog();
    return { waiting, oldestMs: oldestQueuedAt ? Math.max(now().getTime() - oldestQueuedAt.getTime(), 0) : 0 };
  });
  return {
    /** The page of simulated mails; undefined in production, and if SMTP_URL is set. */
    outboxPage: outbox?.page,
    close: async (): Promise<void> => {
      await running.close();
      await sender?.close();
      await due.close();
    },
  };
};
