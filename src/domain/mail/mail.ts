import { accept, refuse, type Decider, type Decision } from '../decider.ts';

/** The recipient as a reference, which is resolved to an address when the mail is sent. Never an address. */
export type MailReference = {
  /** For example `person`, `claim`, `invitation` or `support`. */
  readonly kind: string;
  readonly id: string;
};

/** What a template shows that is neither personal nor secret: amounts, dates, ids. By name. */
export type MailParams = Readonly<Record<string, string>>;

export type MailContent = { readonly to: MailReference; readonly template: string; readonly params: MailParams };

/** The cause that a mail was not sent. `obsolete`: what it carries was no longer valid, such as an expired code. */
export type MailFailure = 'rejected' | 'gave_up' | 'no_address' | 'obsolete';

export type MailEvent =
  /** finance: nothing. A mail is to be sent. */
  | ({ readonly type: 'MailQueued' } & MailContent)
  /** finance: nothing. The attempt failed for now. `reply` is null if the mail server could not be reached. */
  | { readonly type: 'MailDeferred'; readonly attempt: number; readonly reply: string | null; readonly until: Date }
  /** finance: nothing. The mail server has accepted the mail. */
  | { readonly type: 'MailSent'; readonly messageId: string; readonly reply: string }
  /** finance: nothing. The mail is not sent, now or later. */
  | { readonly type: 'MailFailed'; readonly reason: MailFailure; readonly reply: string | null };

/** A reply is the code and the enhanced status of the server, such as `451 4.3.0`: its text may contain the address. */
export type MailCommand =
  | ({ readonly type: 'QueueMail' } & MailContent)
  | { readonly type: 'RecordSent'; readonly messageId: string; readonly reply: string }
  | { readonly type: 'RecordDeferral'; readonly reply: string | null; readonly at: Date }
  | { readonly type: 'RecordRejection'; readonly reply: string }
  | { readonly type: 'AbandonMail'; readonly reason: 'no_address' | 'obsolete' };

export type MailRefusal = { readonly code: 'mail_not_found' | 'mail_exists' | 'mail_not_private' };

export type Mail =
  | { readonly status: 'unknown' }
  | (MailContent & {
      readonly status: 'waiting' | 'sent' | 'failed';
      /** How many attempts have failed. */
      readonly attempts: number;
      /** Not before this time; undefined: at once. */
      readonly dueAt: Date | undefined;
    });

export const mailStream = (mailId: string): string => `mail-${mailId}`;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The wait after each failed attempt. After nine attempts, in 65 hours, the mail has failed. */
export const BACK_OFF_MS: readonly number[] = [
  ...[MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS],
  ...[HOUR_MS, 4 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS, 24 * HOUR_MS],
];

/** Ids, amounts and times. No blank and no `@`, so that neither a name nor an address can be stored. */
export const PLAIN_FACT = /^[\w.:+-]{1,100}$/;

const isPrivate = ({ to, params }: MailContent): boolean =>
  [to.kind, to.id, ...Object.entries(params).flat()].every((text) => PLAIN_FACT.test(text));

const isSame = (one: MailContent, other: MailContent): boolean => {
  const names = Object.keys({ ...one.params, ...other.params });
  return (
    one.template === other.template &&
    one.to.kind === other.to.kind &&
    one.to.id === other.to.id &&
    names.every((name) => one.params[name] === other.params[name])
  );
};

const defer = (attempts: number, reply: string | null, at: Date): Decision<MailEvent, never> => {
  const waitMs = BACK_OFF_MS[attempts];
  if (waitMs === undefined) return accept({ type: 'MailFailed', reason: 'gave_up', reply });
  return accept({ type: 'MailDeferred', attempt: attempts + 1, reply, until: new Date(at.getTime() + waitMs) });
};

export const decideMail = (command: MailCommand, mail: Mail): Decision<MailEvent, MailRefusal> => {
  if (command.type === 'QueueMail') {
    const { to, template, params } = command;
    if (!isPrivate(command)) return refuse({ code: 'mail_not_private' });
    if (mail.status === 'unknown') return accept({ type: 'MailQueued', to, template, params });
    return isSame(command, mail) ? accept() : refuse({ code: 'mail_exists' });
  }
  if (mail.status === 'unknown') return refuse({ code: 'mail_not_found' });
  if (mail.status !== 'waiting') return accept();
  switch (command.type) {
    case 'RecordSent':
      return accept({ type: 'MailSent', messageId: command.messageId, reply: command.reply });
    case 'RecordDeferral':
      return defer(mail.attempts, command.reply, command.at);
    case 'RecordRejection':
      return accept({ type: 'MailFailed', reason: 'rejected', reply: command.reply });
    case 'AbandonMail':
      return accept({ type: 'MailFailed', reason: command.reason, reply: null });
  }
};

export const evolveMail = (mail: Mail, event: MailEvent): Mail => {
  if (event.type === 'MailQueued') {
    const { to, template, params } = event;
    return { status: 'waiting', to, template, params, attempts: 0, dueAt: undefined };
  }
  if (mail.status === 'unknown') return mail;
  switch (event.type) {
    case 'MailDeferred':
      return { ...mail, attempts: event.attempt, dueAt: event.until };
    case 'MailSent':
      return { ...mail, status: 'sent', dueAt: undefined };
    case 'MailFailed':
      return { ...mail, status: 'failed', dueAt: undefined };
  }
};

export const mailDecider: Decider<Mail, MailCommand, MailEvent, MailRefusal> = {
  initial: () => ({ status: 'unknown' }),
  evolve: evolveMail,
  decide: decideMail,
};
