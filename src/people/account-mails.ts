import { accountStream } from '../domain/account/account.ts';
import { mailStream, type MailCommand } from '../domain/mail/mail.ts';
import { derivedId } from '../eventstore/ids.ts';
import { queueMail } from '../mail/templates/templates.ts';
import type { MemberRole } from '../domain/account/events.ts';
import type { PeopleOptions } from './people-options.ts';

export type LeakedKey = { readonly keyId: string; readonly since: number | null; readonly at: Date };

/** Mails because of what happened to an account. Each may be queued again, which changes nothing. */
export type AccountMails = {
  /** To support. */
  keyLeaked(accountId: string, key: LeakedKey): Promise<void>;
};

export const mailsOfAccount = (options: Pick<PeopleOptions, 'accounts' | 'mails'>): AccountMails => ({
  keyLeaked: (accountId, { keyId, since, at }) => {
    const params = {
      ...{ account_id: accountId, key_id: keyId, reported_at: at.toISOString() },
      ...(since === null ? {} : { since: new Date(since).toISOString() }),
    };
    return queue(options, `leaked-${keyId}`, queueMail('key_leaked', { kind: 'support', id: 'support' }, params));
  },
});

const queue = async ({ mails }: Pick<PeopleOptions, 'mails'>, mailId: string, command: MailCommand): Promise<void> => {
  const metadata = { actor: 'system:account-mails', commandId: derivedId('mail', mailId) };
  await mails.execute(mailStream(mailId), command, metadata, { mayRepeat: true });
};

/** The members of an account with one of these roles. */
export const membersOf = async (
  { accounts }: Pick<PeopleOptions, 'accounts'>,
  accountId: string,
  ...roles: readonly MemberRole[]
): Promise<readonly string[]> => {
  const { state } = await accounts.read(accountStream(accountId));
  return [...state.members].flatMap(([personId, role]) => (roles.includes(role) ? [personId] : []));
};
