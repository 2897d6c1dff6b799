/** A mail as it is sent to one recipient. */
export type MailMessage = {
  /** An address without a display name. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** With angle brackets. The same for every attempt, so that a recipient can recognise a duplicate. */
  readonly messageId: string;
  /** A page on which the recipient ends mails of this kind; only for mail that is optional. */
  readonly unsubscribeUrl?: string | undefined;
};

/**
 * The answer of a mail server. `reply` is its code, and its enhanced status if it sent one (RFC 3463): `451 4.3.0`. The text
 * of the answer is left out, because it may contain the address.
 */
export type MailOutcome =
  | { readonly kind: 'accepted'; readonly reply: string }
  /** 4yz: the same mail may be accepted later. */
  | { readonly kind: 'temporary'; readonly reply: string }
  /** 5yz to the recipient or the content: the mail will not be accepted. */
  | { readonly kind: 'permanent'; readonly reply: string };

export type Mailer = {
  /** Rejects with MailServerUnavailable if the server gave no answer about this mail. It may have accepted it. */
  send(message: MailMessage): Promise<MailOutcome>;
};

/**
 * Fault: the mail server cannot be reached, breaks off, is too slow, or refuses us and not the recipient (our login, our
 * sender address). `cause` is left out: its text may contain the address.
 */
export class MailServerUnavailable extends Error {
  override readonly name = 'MailServerUnavailable';
  readonly code = 'mail_server_unavailable';

  constructor(reason: string) {
    super(`the mail server did not take the mail: ${reason}`);
  }
}

/** A mail server, from `SMTP_URL`. */
export type SmtpServer = {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte, instead of STARTTLS. */
  readonly secure: boolean;
  /** Refuses to send without TLS. */
  readonly requireTls: boolean;
  readonly auth: { readonly user: string; readonly pass: string } | undefined;
};

/** A sender: the display name and the address. */
export type Mailbox = { readonly name: string; readonly address: string };
