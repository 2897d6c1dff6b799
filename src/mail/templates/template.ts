import { z } from 'zod';
import { nameInMail, type MailBody } from '../mail-body.ts';
import type { MailParams } from '../../domain/mail/mail.ts';

/** What is resolved when a mail is sent, because it is secret or personal and not in the log. */
export type MailSecrets = {
  /** A one-time code. */
  readonly code?: string;
  /** An absolute URL, often with a token. */
  readonly link?: string;
  /** The name of the account or entity that a mail is about. */
  readonly accountName?: string;
  /** The name of the person that has caused the mail. */
  readonly actorName?: string;
  /** What staff has written, in lines. */
  readonly text?: string;
  /** What the operator has written, and what was announced, by name. It is in the log, but not in the mail's events. */
  readonly texts?: Readonly<Record<string, string>>;
};

export type Operator = {
  readonly name: string;
  readonly supportEmail: string;
  /** The address of the gateway, without a slash at the end. */
  readonly publicUrl: string;
};

export type TemplateInput<Params> = {
  readonly params: Params;
  readonly operator: Operator;
  /** The name of the recipient, fit for a mail; undefined if it is not known. */
  readonly name: string | undefined;
  /** Throws MissingSecret if it was not supplied. Names are fit for a mail. */
  readonly secret: (which: Exclude<keyof MailSecrets, 'texts'>) => string;
  /** A text of `texts`. Throws MissingSecret if it was not supplied. */
  readonly text: (name: string) => string;
};

/** Fault: a template needs a value that was not supplied. */
export class MissingSecret extends Error {
  override readonly name = 'MissingSecret';
  readonly code = 'missing_secret';
}

export type Template<Params = never> = {
  /** Throws if the params are not those of the template. */
  readonly parse: (params: MailParams) => Params;
  /** Mail that a recipient can end. All other mail is part of the contract. */
  readonly optional: boolean;
  readonly body: (input: TemplateInput<Params>) => MailBody;
};

type Definition<Shape extends z.ZodRawShape> = {
  /** All of them are texts: ids, amounts and times. */
  readonly params: Shape;
  readonly optional?: boolean;
  readonly body: (input: TemplateInput<z.output<z.ZodObject<Shape>>>) => MailBody;
};

export const defineTemplate = <Shape extends z.ZodRawShape>({ params, optional = false, body }: Definition<Shape>) => {
  const schema = z.strictObject(params);
  return { parse: (given: MailParams) => schema.parse(given), optional, body } as unknown as Template<
    z.output<typeof schema>
  >;
};

export const secretsFor =
  (secrets: MailSecrets) =>
  (which: Exclude<keyof MailSecrets, 'texts'>): string => {
    const value = secrets[which];
    if (value === undefined) throw new MissingSecret(`the mail needs "${which}", which was not supplied`);
    return which === 'accountName' || which === 'actorName' ? nameInMail(value) : value;
  };

/** RFC 5322 allows lines of 998 characters, and a word is never broken later. */
const LONG_WORD = /\S{500}/g;

export const textsFor =
  ({ texts = {} }: MailSecrets) =>
  (name: string): string => {
    const value = texts[name];
    if (value === undefined) throw new MissingSecret(`the mail needs the text "${name}", which was not supplied`);
    return value.replace(/\s+/g, ' ').trim().replace(LONG_WORD, '$& ');
  };

export const usd = z.string().regex(/^\d+(?:\.\d+)?$/);
export const instant = z.iso.datetime();
/** An id of ours, such as `key_…`. */
export const id = z.string().regex(/^[\w-]+$/);

/** `2026-12-01 14:05 UTC` */
export const timeInMail = (text: string): string =>
  `${new Date(text).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** How every mail ends. */
export const ending = ({ name, supportEmail, publicUrl }: Operator): string =>
  `This mail was sent by ${name} (${publicUrl}). Questions: ${supportEmail}`;
