import type { MailContent, MailReference } from '../../domain/mail/mail.ts';
import { accountClosed } from './account-closed.ts';
import { accountReinstated, accountSuspended } from './conduct/account-suspended.ts';
import { accountTerminated } from './conduct/account-terminated.ts';
import { accountWarned } from './conduct/account-warned.ts';
import { resaleAuthorized, resaleEnded } from './conduct/resale.ts';
import { addressChanged } from './address-changed.ts';
import { adminTokenUsed } from './admin-token-used.ts';
import { alreadyRegistered } from './registration/already-registered.ts';
import { confirmAddress } from './confirm-address.ts';
import { contactAnswer, contactConfirmation, contactReceived } from './contact.ts';
import { keyLeaked } from './key-leaked.ts';
import { lowBalance } from './low-balance.ts';
import { memberInvitation } from './member-invitation.ts';
import { announcementWithdrawn } from './notices/announcement-withdrawn.ts';
import { modelDelisted } from './notices/model-delisted.ts';
import { priceChanged } from './notices/price-changed.ts';
import { termsChanged } from './notices/terms-changed.ts';
import { paymentDisputed, paymentQuarantined } from './payments/payment-disputed.ts';
import { paymentReceived } from './payments/payment-received.ts';
import { refundCompleted, refundNotMade } from './payments/refund-answered.ts';
import { registrationRefused } from './registration/registration-refused.ts';
import { signIn } from './sign-in.ts';
import { staffInvitation } from './staff-invitation.ts';
import { verifyAddress } from './registration/verify-address.ts';
import type { Template } from './template.ts';

/** The names are on disk. */
export const templates = {
  account_closed: accountClosed,
  account_reinstated: accountReinstated,
  account_suspended: accountSuspended,
  account_terminated: accountTerminated,
  account_warned: accountWarned,
  address_changed: addressChanged,
  admin_token_used: adminTokenUsed,
  already_registered: alreadyRegistered,
  announcement_withdrawn: announcementWithdrawn,
  confirm_address: confirmAddress,
  contact_answer: contactAnswer,
  contact_confirmation: contactConfirmation,
  contact_received: contactReceived,
  key_leaked: keyLeaked,
  low_balance: lowBalance,
  member_invitation: memberInvitation,
  model_delisted: modelDelisted,
  payment_disputed: paymentDisputed,
  payment_quarantined: paymentQuarantined,
  payment_received: paymentReceived,
  price_changed: priceChanged,
  refund_completed: refundCompleted,
  refund_not_made: refundNotMade,
  registration_refused: registrationRefused,
  resale_authorized: resaleAuthorized,
  resale_ended: resaleEnded,
  sign_in: signIn,
  staff_invitation: staffInvitation,
  terms_changed: termsChanged,
  verify_address: verifyAddress,
} as const;

export type TemplateName = keyof typeof templates;
export type ParamsOf<Name extends TemplateName> = ReturnType<(typeof templates)[Name]['parse']>;

/** The template of a queued mail; undefined if a newer release has queued it. */
export const findTemplate = (name: string): Template | undefined =>
  Object.hasOwn(templates, name) ? (templates[name as TemplateName] as unknown as Template) : undefined;

/** The command that queues a mail on the stream `mail-<id>`. */
export const queueMail = <Name extends TemplateName>(
  template: Name,
  to: MailReference,
  params: ParamsOf<Name>,
): { readonly type: 'QueueMail' } & MailContent => ({
  type: 'QueueMail',
  to,
  template,
  params: Object.fromEntries(
    Object.entries(params as Readonly<Record<string, string | undefined>>).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    ),
  ),
});
