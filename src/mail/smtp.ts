import { createTransport, type SendMailOptions } from 'nodemailer';
import {
  MailServerUnavailable,
  type Mailbox,
  type Mailer,
  type MailMessage,
  type MailOutcome,
  type SmtpServer,
} from './mailer.ts';

export type SmtpOptions = {
  readonly server: SmtpServer;
  readonly from: Mailbox;
  /** The longest time for one mail, from the connection to the answer. */
  readonly sendWithinMs?: number;
};

const CONNECT_WITHIN_MS = 10_000;
const SEND_WITHIN_MS = 60_000;

/** Code and enhanced status at the start of a reply. */
const REPLY = /^(\d{3})(?:[ -](\d\.\d{1,3}\.\d{1,3})(?!\S))?/;

const replyOf = (text: string | undefined): string | undefined => {
  const [, code, status] = REPLY.exec(text ?? '') ?? [];
  return code === undefined ? undefined : [code, status].filter((part) => part !== undefined).join(' ');
};

/** The errors of nodemailer. `command` is the one that the server answered. */
type SmtpError = { readonly code?: string; readonly command?: string; readonly response?: string };

/** The commands whose rejection concerns this recipient or this content. A rejection of any other command concerns our settings. */
const ABOUT_THE_MAIL = new Set(['RCPT TO', 'DATA']);

const outcomeOf = (error: SmtpError): MailOutcome => {
  const { code = 'no code', command = 'CONN', response } = error;
  const reply = replyOf(response);
  if (reply?.startsWith('4')) return { kind: 'temporary', reply };
  // 5.7.x is a policy of the server, such as "relay access denied" for wrong credentials (RFC 3463, 3.8).
  const isPolicy = /^5\d\d 5\.7\./.test(reply ?? '');
  if (reply?.startsWith('5') && ABOUT_THE_MAIL.has(command) && !isPolicy) return { kind: 'permanent', reply };
  throw new MailServerUnavailable(`${code} after ${command}${reply === undefined ? '' : `, reply ${reply}`}`);
};

/** `signal` is supported by nodemailer and missing from its types. */
type Abortable = SendMailOptions & { readonly signal: AbortSignal };

const optionsOf = (from: Mailbox, message: MailMessage, signal: AbortSignal): Abortable => {
  const { to, subject, text, html, messageId, unsubscribeUrl } = message;
  return {
    from: { name: from.name, address: from.address },
    to: { name: '', address: to },
    envelope: { from: from.address, to: [to] },
    ...{ subject, text, html, messageId, signal },
    headers: {
      'Auto-Submitted': 'auto-generated',
      ...(unsubscribeUrl === undefined ? {} : { 'List-Unsubscribe': `<${unsubscribeUrl}>` }),
    },
    textEncoding: 'quoted-printable',
    disableFileAccess: true,
    disableUrlAccess: true,
  };
};

/** Sends mail by SMTP, over one connection for each mail. */
export const createSmtpMailer = ({ server, from, sendWithinMs = SEND_WITHIN_MS }: SmtpOptions): Mailer => {
  const { host, port, secure, requireTls: requireTLS, auth } = server;
  const transport = createTransport({
    ...{ host, port, secure, requireTLS, ...(auth ? { auth } : {}) },
    connectionTimeout: Math.min(CONNECT_WITHIN_MS, sendWithinMs),
    greetingTimeout: Math.min(CONNECT_WITHIN_MS, sendWithinMs),
    socketTimeout: sendWithinMs,
  });
  return {
    send: async (message) => {
      const signal = AbortSignal.timeout(sendWithinMs);
      try {
        const { response } = await transport.sendMail(optionsOf(from, message, signal));
        return { kind: 'accepted', reply: replyOf(response) ?? '250' };
      } catch (error) {
        return outcomeOf(error as SmtpError);
      }
    },
  };
};
