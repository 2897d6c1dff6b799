import { z } from 'zod';
import { nameInMail, textInMail, type MailBody } from '../mail-body.ts';
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
};

/**
 * Texts of the operator or of staff, by name: the reason of a decision, the summary of a change. They are read from the log
 * when a mail is sent, because the params of a mail hold only plain facts, such as the place of the event.
 */
export type MailTexts = Readonly<Record<string, string>>;

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
  readonly secret: (which: keyof MailSecrets) => string;
  /** A text, as one line. Throws MissingSecret if it was not supplied. */
  readonly text: (which: string) => string;
  /** The same as lines, without empty ones. */
  readonly lines: (which: string) => readonly string[];
};

/** Fault: a template needs a secret or a text that was not supplied. */
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
  (which: keyof MailSecrets): string => {
    const value = secrets[which];
    if (value === undefined) throw new MissingSecret(`the mail needs "${which}", which was not supplied`);
    return which === 'accountName' || which === 'actorName' ? nameInMail(value) : value;
  };

export const textsFor = (texts: MailTexts) => {
  const find = (which: string): string => {
    const text = texts[which];
    if (text === undefined) throw new MissingSecret(`the mail needs the text "${which}", which was not supplied`);
    return text;
  };
  return {
    text: (which: string): string => textInMail(find(which)),
    lines: (which: string): readonly string[] =>
      find(which)
        .split('\n')
        .map((line) => textInMail(line, Infinity))
        .filter((line) => line !== ''),
  };
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
