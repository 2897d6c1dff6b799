import type { MailContent } from '../domain/mail/mail.ts';
import { nameInMail, renderHtml, renderText } from './mail-body.ts';
import type { MailMessage } from './mailer.ts';
import { secretsFor, textsFor, type MailSecrets, type MailTexts, type Operator } from './templates/template.ts';
import { findTemplate } from './templates/templates.ts';

export type Recipient = {
  readonly email: string;
  /** Undefined if it is not known. */
  readonly name: string | undefined;
};

export type ComposeInput = {
  readonly mailId: string;
  readonly mail: MailContent;
  readonly recipient: Recipient;
  readonly secrets: MailSecrets;
  readonly texts?: MailTexts;
  readonly operator: Operator;
};

/** Fault: a newer release has queued a mail of a template that this one lacks. A gateway of that release sends it. */
export class UnknownTemplate extends Error {
  override readonly name = 'UnknownTemplate';
  readonly code = 'unknown_template';
}

/** Derives from the id of the mail and the host of PUBLIC_URL, so that every attempt has the same one. */
export const messageIdOf = (mailId: string, publicUrl: string): string => `<${mailId}@${new URL(publicUrl).hostname}>`;

/** The mail as it is sent. Throws UnknownTemplate or MissingSecret. */
export const composeMail = ({ mailId, mail, recipient, secrets, texts = {}, operator }: ComposeInput): MailMessage => {
  const template = findTemplate(mail.template);
  if (!template) throw new UnknownTemplate(`the template ${mail.template} is unknown`);
  const name = recipient.name === undefined ? undefined : nameInMail(recipient.name);
  const body = template.body({
    params: template.parse(mail.params),
    operator,
    name: name === '' ? undefined : name,
    secret: secretsFor(secrets),
    ...textsFor(texts),
  });
  return {
    to: recipient.email,
    subject: body.subject,
    text: renderText(body),
    html: renderHtml(body),
    messageId: messageIdOf(mailId, operator.publicUrl),
    ...(template.optional ? { unsubscribeUrl: secretsFor(secrets)('link') } : {}),
  };
};
