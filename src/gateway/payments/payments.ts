import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import { accountStream } from '../../domain/account/account.ts';
import type { MigrateOptions } from '../../eventstore/postgres/database/migrate.ts';
import type { Patiently } from '../../eventstore/postgres/database/patience.ts';
import { createKeptDeliveries, DELIVERIES_KEY, migratePayments } from '../../payments/kept-deliveries.ts';
import { createPayments } from '../../payments/payments.ts';
import type { EventLog } from '../event-log.ts';
import type { OutageLog } from '../health/outage.ts';
import type { Metrics } from '../metrics.ts';
import { startGatewayProcess } from '../people/processes.ts';
import { repeat } from '../repeat.ts';
import type { Views } from '../views.ts';
import { openPartner } from './partner.ts';
import { createRound, SWEEP_EVERY_MS } from './round.ts';

type OpenPaymentsOptions = {
  readonly config: Pick<Config, 'payments' | 'dataDir' | 'port'>;
  readonly databaseUrl: string;
  readonly eventLog: EventLog;
  readonly views: Pick<Views, 'openPayments' | 'paymentOf'>;
  readonly publicUrl: () => string;
  readonly now: () => Date;
  readonly metrics: Metrics;
  readonly patiently: Patiently;
  readonly outage: OutageLog;
  readonly migration: MigrateOptions;
  readonly log: Logger;
};

const LOOK_EVERY_MS = 5000;

/** Opens the payment partner, and what payments cause. Must be closed before the log and after the HTTP server. */
export const openPayments = async (options: OpenPaymentsOptions) => {
  const { databaseUrl, eventLog, views, publicUrl, now, patiently, migration, outage, log } = options;
  await patiently(() => migratePayments(databaseUrl, migration));
  const opened = await openPartner(options);
  const kept = createKeptDeliveries(databaseUrl, () => eventLog.dataKeys.obtain(DELIVERIES_KEY), now);
  const payments = createPayments({
    ...{ payments: eventLog.payments, accounts: eventLog.accounts, mails: eventLog.mails, kept, publicUrl, now },
    ...{ partner: opened.partner, paymentOf: views.paymentOf },
    unpaid: async () => (await views.openPayments()).unpaid(),
    expired: async (openedAfter) => (await views.openPayments()).expired(openedAfter),
    openDisputes: async () => (await views.openPayments()).disputes(),
    customerOf: async (accountId) => {
      const { state } = await eventLog.accounts.read(accountStream(accountId));
      const sealed = state.standing.registration?.personal;
      return sealed === undefined ? undefined : eventLog.vault.open(accountId, sealed);
    },
    alarm: (alert, facts) => log.error({ alert, ...facts }, 'a payment needs an operator'),
  });
  const running = startGatewayProcess(options, payments.process);
  const closings = startGatewayProcess(options, payments.closings);
  const failed = (error: unknown): void => {
    if (!outage.covers(error)) log.warn({ err: error }, 'payments could not be compared with the partner: tried again');
  };
  const rounds = repeat(LOOK_EVERY_MS, createRound({ payments, now, log, leads: () => running.status.leads }), failed);
  const deleting = repeat(SWEEP_EVERY_MS, kept.deleteOld, failed);
  return {
    payments,
    kept,
    operatorPage: opened.operatorPage,
    deliverTo: opened.deliverTo,
    close: async (): Promise<void> => {
      await rounds.close();
      await deleting.close();
      await closings.close();
      await running.close();
      await opened.close();
      await kept.close();
    },
  };
};
