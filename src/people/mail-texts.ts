import type { MailParams } from '../domain/mail/mail.ts';
import type { QueuedMail } from '../mail/mail-sender.ts';
import type { MailTexts } from '../mail/templates/template.ts';
import type { TemplateName } from '../mail/templates/templates.ts';
import type { PeopleOptions } from './people-options.ts';

/** Reads what a mail shows of the log, from the params that name the place. Undefined if it is not there any more. */
type ReadTexts = (options: PeopleOptions, params: MailParams) => Promise<MailTexts | undefined>;

/** The mails with texts of the operator or of staff. All other mails have none. */
const readers: Partial<Readonly<Record<TemplateName, ReadTexts>>> = {};

export const textsOfMail = async (
  options: PeopleOptions,
  { template, params }: QueuedMail,
): Promise<MailTexts | undefined> => {
  const read = Object.hasOwn(readers, template) ? readers[template as TemplateName] : undefined;
  return read ? read(options, params) : {};
};
