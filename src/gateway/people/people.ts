import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import type { MigrateOptions } from '../../eventstore/postgres/database/migrate.ts';
import type { Patiently } from '../../eventstore/postgres/database/patience.ts';
import { createIdentity } from '../../identity/identity.ts';
import { migrateIdentity } from '../../identity/database.ts';
import { createIdentities } from '../../people/identities.ts';
import { createPeople } from '../../people/people.ts';
import type { EventLog } from '../event-log.ts';
import type { OutageLog } from '../health/outage.ts';
import type { Metrics } from '../metrics.ts';
import { DEFAULT_SENDER } from './mail.ts';
import { startGatewayProcess } from './processes.ts';
import { repeat } from '../repeat.ts';
import type { Views } from '../views.ts';

export type OpenPeopleOptions = {
  readonly config: Pick<Config, 'supportEmail' | 'mailFrom' | 'newAccountLimits'>;
  readonly databaseUrl: string;
  readonly eventLog: EventLog;
  readonly views: Pick<Views, 'openInvitations'>;
  readonly publicUrl: () => string;
  readonly now: () => Date;
  readonly metrics: Metrics;
  readonly patiently: Patiently;
  readonly outage: OutageLog;
  readonly migration: MigrateOptions;
  readonly log: Logger;
};

const DELETE_EXPIRED_EVERY_MS = 10 * 60_000;
const LAPSE_EVERY_MS = 5000;

/** Opens the tables of persons, and the rules that rest on them. Must be closed before the log and after the HTTP server. */
export const openPeople = async (options: OpenPeopleOptions) => {
  const { config, databaseUrl, eventLog, publicUrl, now, patiently, migration, outage, log } = options;
  await patiently(() => migrateIdentity(databaseUrl, migration));
  const identity = createIdentity({
    ...{ databaseUrl, now, randomBytes, dataKeys: eventLog.dataKeys, serviceName: 'KissAPI' },
    ...{ oneTimeCodesSecret: eventLog.oneTimeCodesSecret, identitiesSecret: eventLog.identitiesSecret, publicUrl },
  });
  const work = createAfterwards((error) => {
    if (!outage.covers(error)) log.warn({ err: error }, 'work after an answer failed');
  });
  const people = createPeople({
    ...{ identity, identities: createIdentities(eventLog.identitiesSecret), randomBytes, now, publicUrl },
    ...{ persons: eventLog.persons, claims: eventLog.claims, accounts: eventLog.accounts, mails: eventLog.mails },
    ...{ serviceTokens: eventLog.serviceTokens, store: eventLog.store, vault: eventLog.vault, afterwards: work.add },
    ...{ invitations: eventLog.invitations, staff: eventLog.staff },
    ...{ approvals: eventLog.approvals, adminToken: eventLog.adminToken, destroyKey: eventLog.dataKeys.destroy },
    payments: eventLog.payments,
    openInvitations: (accountId) => options.views.openInvitations(accountId, now()),
    newAccountLimits: config.newAccountLimits,
    supportEmail: () => config.supportEmail ?? (config.mailFrom ?? DEFAULT_SENDER).address,
  });
  const running = startGatewayProcess(options, people.process);
  const searching = startGatewayProcess(options, people.searchProcess);
  const warn = (text: string) => (error: unknown) => {
    if (!outage.covers(error)) log.warn({ err: error }, text);
  };
  const cleaning = repeat(
    DELETE_EXPIRED_EVERY_MS,
    identity.deleteExpired,
    warn('ended sessions and codes were not deleted: this is tried again'),
  );
  // The node that runs the process, so that one node at a time does this.
  const lapse = async () => (running.status.leads ? people.lapseRegistrations() : 0);
  const lapsing = repeat(LAPSE_EVERY_MS, lapse, warn('registrations did not lapse: this is tried again'));
  return {
    ...{ identity, people },
    close: async (): Promise<void> => {
      await cleaning.close();
      await lapsing.close();
      await running.close();
      await searching.close();
      await work.settled();
      await identity.close();
    },
  };
};

/** Work that an answer does not wait for. */
const createAfterwards = (failed: (error: unknown) => void) => {
  const running = new Set<Promise<unknown>>();
  return {
    add: (work: () => Promise<unknown>): void => {
      const one: Promise<unknown> = work()
        .catch(failed)
        .finally(() => running.delete(one));
      running.add(one);
    },
    settled: async (): Promise<void> => {
      while (running.size > 0) await Promise.all(running);
    },
  };
};
