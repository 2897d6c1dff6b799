import { accountStream } from '../domain/account/account.ts';
import type { MailParams } from '../domain/mail/mail.ts';
import { decode } from '../eventstore/journal/codec.ts';
import type { QueuedMail } from '../mail/mail-sender.ts';
import type { MailTexts } from '../mail/templates/template.ts';
import type { TemplateName } from '../mail/templates/templates.ts';
import type { PeopleOptions } from './people-options.ts';

/** Reads the texts of a mail from the log, at the place that its params name. Undefined if the event no longer exists. */
type ReadTexts = (options: PeopleOptions, params: MailParams) => Promise<MailTexts | undefined>;

/** The reason of an event of an account: after a rewind of the log, there may be another event at its place, or none. */
const reasonOfEvent: ReadTexts = async ({ store }, { account_id = '', revision = '', at }) => {
  const [stored] = await store.readStream(accountStream(account_id), Number(revision), 1);
  if (!stored || stored.time.toISOString() !== at) return undefined;
  const { event } = decode(stored);
  return 'reason' in event && typeof event.reason === 'string' ? { reason: event.reason } : undefined;
};

/** The mails with texts of the operator or of staff. All other mails have none. */
const readers: Partial<Readonly<Record<TemplateName, ReadTexts>>> = {
  account_warned: reasonOfEvent,
  account_suspended: reasonOfEvent,
  account_reinstated: reasonOfEvent,
  account_terminated: reasonOfEvent,
  resale_authorized: reasonOfEvent,
  resale_ended: reasonOfEvent,
};

export const textsOfMail = async (
  options: PeopleOptions,
  { template, params }: QueuedMail,
): Promise<MailTexts | undefined> => {
  const read = Object.hasOwn(readers, template) ? readers[template as TemplateName] : undefined;
  return read ? read(options, params) : {};
};
