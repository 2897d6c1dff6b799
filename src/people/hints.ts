import { mailStream } from '../domain/mail/mail.ts';
import { derivedId } from '../eventstore/ids.ts';
import { queueMail } from '../mail/templates/templates.ts';
import type { PeopleOptions } from './people-options.ts';

/** Mails the owner of an address that a registration or a change of address tried to use it: at most once an hour. */
export const hintOwner = async ({ mails }: Pick<PeopleOptions, 'mails'>, owner: string, at: Date): Promise<void> => {
  const hour = at.toISOString().slice(0, 13);
  const hint = queueMail('already_registered', { kind: 'person', id: owner }, {});
  const metadata = { actor: 'system:registration', commandId: derivedId('hint', `${owner} ${hour}`) };
  await mails.execute(mailStream(`registered-${owner}-${hour}`), hint, metadata, { mayRepeat: true });
};
