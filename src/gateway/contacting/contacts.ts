import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import { withContactMail } from '../../people/contacting/contact-mail.ts';
import { createContactProcess } from '../../people/contacting/contact-process.ts';
import { createContacts } from '../../people/contacting/contacts.ts';
import { createExpiry } from '../../people/contacting/erase-contacts.ts';
import type { EventLog } from '../event-log.ts';
import type { OutageLog } from '../health/outage.ts';
import type { Metrics } from '../metrics.ts';
import type { openPeople } from '../people/people.ts';
import { startGatewayProcess } from '../people/processes.ts';
import { repeat } from '../repeat.ts';
import type { Views } from '../views.ts';

type OpenContactsOptions = {
  readonly config: Pick<Config, 'supportEmail' | 'supportUrl'>;
  readonly databaseUrl: string;
  readonly eventLog: EventLog;
  readonly views: Pick<Views, 'contacts' | 'contactsWaiting'>;
  readonly people: Awaited<ReturnType<typeof openPeople>>;
  readonly publicUrl: () => string;
  readonly now: () => Date;
  readonly metrics: Metrics;
  readonly outage: OutageLog;
  readonly log: Logger;
};

const EXPIRE_EVERY_MS = 5000;

/** Opens contact with support. Must be closed before the log and after the HTTP server. */
export const openContacts = (options: OpenContactsOptions) => {
  const { config, eventLog, views, people, publicUrl, now, metrics, outage, log } = options;
  const contacting = {
    ...{ contacts: eventLog.contacts, accounts: eventLog.accounts, persons: eventLog.persons, mails: eventLog.mails },
    ...{ store: eventLog.store, vault: eventLog.vault, destroyKey: eventLog.dataKeys.destroy, now },
    ...{ foldContact: eventLog.foldContact, listed: views.contacts },
    ...{ attemptLimits: people.identity.attemptLimits, identities: people.people.identities },
  };
  const running = startGatewayProcess(options, createContactProcess(contacting));
  const expire = createExpiry(contacting);
  // Only the node that runs the process erases old contacts.
  const expiring = repeat(
    EXPIRE_EVERY_MS,
    async () => (running.status.leads ? expire() : 0),
    (error) => {
      if (!outage.covers(error)) log.warn({ err: error }, 'old contacts could not be erased; the next attempt follows');
    },
  );
  metrics.watchContacts(() => views.contactsWaiting(now()));
  return {
    contacts: createContacts(contacting),
    /** The address only if SUPPORT_EMAIL is set: the mailbox of the sender may be unread. */
    support: () => ({ email: config.supportEmail, url: config.supportUrl ?? `${publicUrl()}/contact` }),
    mail: withContactMail(contacting, people.people.mail),
    close: async (): Promise<void> => {
      await expiring.close();
      await running.close();
    },
  };
};
