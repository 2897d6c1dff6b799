import type { Account } from '../domain/account/account.ts';
import type { AccountCommand, AccountRefusal } from '../domain/account/decide.ts';
import type { AccountEvent } from '../domain/account/events.ts';
import type { PaymentCommand, PaymentRefusal } from '../domain/payments/commands.ts';
import type { PaymentEvent } from '../domain/payments/events.ts';
import type { Payment } from '../domain/payments/payment.ts';
import type { Commands } from '../eventstore/commands.ts';
import type { MailCommands } from '../mail/mail-sender.ts';
import type { KeptDeliveries } from './kept-deliveries.ts';
import type { PaymentPartner } from './partner.ts';

type On<State, Command, Event, Refusal> = Pick<Commands<State, Command, Event, Refusal>, 'execute' | 'read'>;

export type PaymentCommands = On<Payment, PaymentCommand, PaymentEvent, PaymentRefusal>;

/** The dependencies of the rules of payments. */
export type PaymentsOptions = {
  readonly payments: PaymentCommands;
  readonly accounts: On<Account, AccountCommand, AccountEvent, AccountRefusal>;
  readonly mails: Pick<MailCommands, 'execute'>;
  /** Undefined: customers cannot pay. */
  readonly partner: PaymentPartner | undefined;
  /** The payment of a transaction or an order of the partner, if the log has it. */
  readonly paymentOf: (of: {
    readonly transactionId: string;
    readonly orderId: string | null;
  }) => Promise<string | undefined>;
  /** The payments that were opened and are neither paid nor expired, and the disputes without an outcome. */
  readonly unpaid: () => Promise<
    readonly { readonly paymentId: string; readonly accountId: string; readonly since: Date }[]
  >;
  /** The payments that expired and were opened after a time. Their pages may have been paid since. */
  readonly expired: (openedAfter: Date) => Promise<readonly { readonly paymentId: string }[]>;
  readonly openDisputes: () => Promise<
    readonly { readonly paymentId: string; readonly disputeId: string; readonly since: Date }[]
  >;
  /** For the partner's page alone; undefined if it was erased. */
  readonly customerOf: (accountId: string) => Promise<{ readonly email: string; readonly name: string } | undefined>;
  readonly kept: KeptDeliveries;
  readonly publicUrl: () => string;
  readonly now: () => Date;
  /** Reports what an operator must look at, without bodies and personal data. */
  readonly alarm: (alert: PaymentAlert, facts: Readonly<Record<string, string | number | null>>) => void;
};

export type PaymentAlert =
  | 'webhook_bad_signature'
  | 'webhook_wrong_mode'
  | 'webhook_unreadable'
  | 'payment_unmatched'
  | 'payment_fact_refused'
  | 'payment_page_failed'
  | 'refund_refused_by_partner';
