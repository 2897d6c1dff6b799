import { accountStream } from '../domain/account/account.ts';
import { mailStream, type MailCommand } from '../domain/mail/mail.ts';
import type { MemberRole } from '../domain/account/events.ts';
import { derivedId } from '../eventstore/ids.ts';
import { queueMail, type ParamsOf } from '../mail/templates/templates.ts';
import type { PaymentsOptions } from './payments-options.ts';

const OF_MONEY: readonly MemberRole[] = ['owner', 'billing'];

type ToHolders = 'payment_received' | 'refund_completed' | 'refund_not_made';
type ToSupport = 'payment_disputed' | 'payment_quarantined';

/** Queues a mail for each owner and billing member. `eventId` makes it one mail. */
export const mailHolders = async <Name extends ToHolders>(
  options: PaymentsOptions,
  accountId: string,
  eventId: string,
  template: Name,
  params: ParamsOf<Name>,
): Promise<void> => {
  const { state } = await options.accounts.read(accountStream(accountId));
  for (const [personId, role] of state.members) {
    if (!OF_MONEY.includes(role)) continue;
    await queue(options, `${eventId} ${personId}`, queueMail(template, { kind: 'person', id: personId }, params));
  }
};

export const mailSupport = <Name extends ToSupport>(
  options: PaymentsOptions,
  eventId: string,
  template: Name,
  params: ParamsOf<Name>,
): Promise<void> => queue(options, eventId, queueMail(template, { kind: 'support', id: 'support' }, params));

const queue = async ({ mails }: PaymentsOptions, about: string, command: MailCommand): Promise<void> => {
  const mailId = `payment-${derivedId('mail', about)}`;
  const metadata = { actor: 'system:payments', commandId: derivedId('mail', mailId) };
  await mails.execute(mailStream(mailId), command, metadata, { mayRepeat: true });
};
