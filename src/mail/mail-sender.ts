import { setTimeout as sleep } from 'node:timers/promises';
import { mailStream, type Mail, type MailCommand, type MailContent, type MailEvent } from '../domain/mail/mail.ts';
import type { MailReference, MailRefusal } from '../domain/mail/mail.ts';
import type { Commands } from '../eventstore/commands.ts';
import { derivedId } from '../eventstore/ids.ts';
import { openLockSession, type LockSession } from '../eventstore/postgres/session-locks.ts';
import { composeMail, type Recipient } from './compose.ts';
import { NOTICES_AT_ONCE, type DueMails } from './due-mails.ts';
import { MailServerUnavailable, type Mailer } from './mailer.ts';
import type { MailSecrets, MailTexts, Operator } from './templates/template.ts';

export type MailCommands = Commands<Mail, MailCommand, MailEvent, MailRefusal>;

export type QueuedMail = MailContent & { readonly mailId: string };

/** What a mail needs when it is sent, and what the log does not hold. */
export type MailData = {
  /** Undefined if there is no address any more, for example after an erasure: the mail has then failed. */
  readonly addressOf: (to: MailReference) => Promise<Recipient | undefined>;
  /**
   * Codes, links and names. Called for each attempt. Undefined if the mail has become obsolete, for example because its
   * code has expired: the mail has then failed.
   */
  readonly secretsOf: (mail: QueuedMail) => Promise<MailSecrets | undefined>;
  /** Reads the texts of a mail from the log, for each attempt. Undefined if the mail is obsolete. */
  readonly textsOf: (mail: QueuedMail) => Promise<MailTexts | undefined>;
};

export type MailSenderOptions = MailData & {
  readonly databaseUrl: string;
  readonly mails: Pick<MailCommands, 'execute' | 'read'>;
  readonly due: Pick<DueMails, 'due' | 'postpone' | 'remove'>;
  readonly mailer: Mailer;
  readonly operator: () => Operator;
  readonly now: () => Date;
  /** Called with each event of an attempt. */
  readonly attempted: (mailId: string, event: MailEvent) => void;
  /** The mail server did not answer, or an attempt could not be made. The error contains nothing personal. */
  readonly failed: (error: unknown, mailId?: string) => void;
  readonly everyMs?: number;
};

const EVERY_MS = 1000;
/** Connections to the mail server at the same time, per node. */
const AT_ONCE = 4;
const MAX_DUE = 100;
/** After a fault of ours, such as an unreachable database. The log does not record it. */
const AFTER_FAULT_MS = 60_000;

/** Makes one attempt to send a mail, and records its outcome in the log. */
const createAttempt = (options: MailSenderOptions) => {
  const { mails, due, mailer, operator, now, attempted, failed, addressOf, secretsOf, textsOf } = options;

  const send = async (mailId: string, mail: MailContent): Promise<MailCommand> => {
    const recipient = await addressOf(mail.to);
    if (!recipient) return { type: 'AbandonMail', reason: 'no_address' };
    const { to, template, params } = mail;
    const queued = { mailId, to, template, params };
    const secrets = await secretsOf(queued);
    const texts = secrets && (await textsOf(queued));
    if (!texts) return { type: 'AbandonMail', reason: 'obsolete' };
    const message = composeMail({ mailId, mail, recipient, secrets, texts, operator: operator() });
    const outcome = await mailer.send(message).catch((error: unknown) => {
      if (!(error instanceof MailServerUnavailable)) throw error;
      failed(error, mailId);
      return { kind: 'unanswered' } as const;
    });
    switch (outcome.kind) {
      case 'accepted':
        return { type: 'RecordSent', messageId: message.messageId, reply: outcome.reply };
      case 'temporary':
        return { type: 'RecordDeferral', reply: outcome.reply, at: now() };
      case 'unanswered':
        return { type: 'RecordDeferral', reply: null, at: now() };
      case 'permanent':
        return { type: 'RecordRejection', reply: outcome.reply };
    }
  };

  return async (mailId: string): Promise<void> => {
    const stream = mailStream(mailId);
    const { state: mail } = await mails.read(stream);
    if (mail.status !== 'waiting') return due.remove(mailId);
    if (mail.dueAt && mail.dueAt > now()) return due.postpone(mailId, mail.dueAt);
    const command = await send(mailId, mail);
    const commandId = derivedId('mail', `${mailId}#${mail.attempts}#${command.type}`);
    const outcome = await mails.execute(stream, command, { actor: 'system:mail', commandId }, { mayRepeat: true });
    const event = outcome.kind === 'accepted' ? outcome.events.at(-1) : undefined;
    if (event) attempted(mailId, event);
    if (event?.type === 'MailDeferred') await due.postpone(mailId, event.until);
    else await due.remove(mailId);
  };
};

/**
 * Sends the mails that are due. Every node does; a lock that ends with the session keeps two from sending the same mail. A
 * mail is sent at least once: a crash between the server's answer and our event sends it again, with the same Message-Id.
 */
export const startMailSender = (options: MailSenderOptions): { wake(): void; close(): Promise<void> } => {
  const { databaseUrl, due, now, failed, everyMs = EVERY_MS } = options;
  const stopping = new AbortController();
  const { signal: stopped } = stopping;
  const attempt = createAttempt(options);
  let waking = new AbortController();

  const attemptAlone = async (session: LockSession, mailId: string): Promise<void> => {
    const lock = `mail:${mailId}`;
    if (!(await session.tryLock(lock))) return;
    try {
      await attempt(mailId);
    } catch (error) {
      failed(error, mailId);
      await due.postpone(mailId, new Date(now().getTime() + AFTER_FAULT_MS));
    } finally {
      await session.unlock(lock);
    }
  };

  /** Resolves to whether more mails may be due. */
  const sendDue = async (session: LockSession): Promise<boolean> => {
    const all = await due.due(now(), MAX_DUE);
    const ids = all.values();
    const work = async (): Promise<void> => {
      for (const mailId of ids) {
        if (stopped.aborted || session.lost.aborted) return;
        await attemptAlone(session, mailId);
      }
    };
    // All of them end before the session does, because its end frees the locks of mails that are being sent.
    const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
    const failure = ended.find((one) => one.status === 'rejected');
    if (failure) throw failure.reason;
    return all.length >= NOTICES_AT_ONCE;
  };

  const rest = async (): Promise<void> => {
    await sleep(everyMs, undefined, { signal: AbortSignal.any([stopped, waking.signal]) }).catch(() => undefined);
    waking = new AbortController();
  };

  const round = async (): Promise<void> => {
    const session = await openLockSession(databaseUrl, { name: 'kissapi-mail' });
    try {
      while (!stopped.aborted && !session.lost.aborted) if (!(await sendDue(session))) await rest();
    } finally {
      await session.close();
    }
  };
  const running = (async () => {
    for (; !stopped.aborted; await rest()) await round().catch((error: unknown) => failed(error));
  })();

  return {
    /** A mail may be due. */
    wake: () => waking.abort(),
    close: async () => {
      stopping.abort();
      await running;
    },
  };
};
