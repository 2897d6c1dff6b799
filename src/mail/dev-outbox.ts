import type { Mailer, MailMessage } from './mailer.ts';

/** A mail that was not sent. */
export type OutboxMail = MailMessage & { readonly at: Date };

export type DevOutbox = Mailer & {
  /** Newest first. */
  list(): readonly OutboxMail[];
};

const MAX_MAILS = 200;

/** Development only: keeps the newest mails in memory instead of sending them. */
export const createDevOutbox = (now: () => Date): DevOutbox => {
  let mails: readonly OutboxMail[] = [];
  return {
    send: (message) => {
      mails = [{ ...message, at: now() }, ...mails].slice(0, MAX_MAILS);
      return Promise.resolve({ kind: 'accepted', reply: '250' });
    },
    list: () => mails,
  };
};
