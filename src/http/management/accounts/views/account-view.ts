import { z } from 'zod';
import {
  noticeOutcomes,
  violationCategories,
  violationConsequences,
} from '../../../../domain/account/conduct/events.ts';
import { owed } from '../../../../domain/account/closing.ts';
import { memberRoles, restsOfCredits } from '../../../../domain/account/events.ts';
import type { Conduct } from '../../../../domain/account/conduct/conduct.ts';
import type { Standing, Suspension } from '../../../../domain/account/standing.ts';
import { available, openDebt, type Wallet } from '../../../../domain/account/wallet.ts';
import { formatUsd, type Credits } from '../../../../domain/money.ts';
import type { PersonalData } from '../../../../eventstore/journal/personal-data.ts';
import type { AccountAt } from '../account-at.ts';
import { viewAbout } from './conduct-event-view.ts';
import { lotExample, lotView, viewLots } from './lot-view.ts';
import { accountLimitsView, keyLimitsView, viewAccountLimits, viewKeyLimits } from '../limits.ts';
import { TERMS_IN_EXAMPLES } from '../../documentation/terms-in-examples.ts';
import { accountId, generationId, keyId, lotId, revision, time, usd } from '../../router/fields.ts';

const suspension = z.strictObject({
  cause: z.enum(['staff', 'violation', 'dispute', 'debt']),
  reason: z.string(),
  dispute_id: z.string().optional().meta({ description: 'Of a dispute about a payment' }),
  violation_id: z.string().optional().meta({ description: 'The violation; only if the kind is violation' }),
});

const violation = z.strictObject({
  violation_id: z.string(),
  category: z.enum(violationCategories),
  consequence: z.enum(violationConsequences),
});

const notice = z.strictObject({
  notice_id: z.string(),
  about: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('terms'), document: z.string(), version: z.string() }),
    z.strictObject({ kind: z.literal('price'), model: z.string(), version: z.int() }),
    z.strictObject({ kind: z.literal('delisting'), model: z.string(), effective_from: time }),
  ]),
  outcome: z
    .enum(['pending', ...noticeOutcomes])
    .meta({ description: 'Whether a mail server accepted the mail of an owner' }),
});

export const keyView = z
  .strictObject({
    key_id: keyId,
    name: z.string().meta({ example: 'production' }),
    hint: z.string().meta({ description: 'The last characters of the secret', example: 'x7Qd' }),
    revoked: z.boolean(),
    replaces: keyId.optional().meta({ description: 'The key that it replaced, if any' }),
    limits: keyLimitsView,
  })
  .meta({ id: 'Key' });

export const accountView = z
  .strictObject({
    account_id: accountId,
    revision,
    registered_at: time,
    last_event_at: time,
    name: z.string().nullable().meta({ description: 'null once it was erased', example: 'Ada Lovelace' }),
    email: z.string().nullable().meta({ description: 'null once it was erased', example: 'ada@example.com' }),
    holder: z.enum(['person', 'entity']),
    status: z.enum(['active', 'suspended', 'closed']),
    suspension_reason: z
      .string()
      .nullable()
      .meta({ description: 'All reasons in one text; null unless it is suspended, or was when it was closed' }),
    suspensions: z.array(suspension).meta({
      description: 'The causes. Each is removed by its own reinstatement; requests are accepted once none is left',
    }),
    closing_reason: z.string().nullable().meta({ description: 'null unless it is closed' }),
    rest: z.enum(restsOfCredits).nullable().meta({
      description:
        'The wish of the holder for the paid credits; null if the account was closed without one, or is open',
    }),
    termination: z
      .strictObject({ violation_id: z.string(), forfeited: z.boolean() })
      .nullable()
      .meta({ description: 'null unless the account was closed for a violation of the terms' }),
    violations: z.array(violation),
    may_resell: z.boolean().meta({ description: 'Whether staff have authorised the resale or sharing of access' }),
    notices: z.array(notice).meta({ description: 'Changes that its owners were notified of by mail' }),
    contacts: z.array(z.strictObject({ contact_id: z.string(), answered: z.boolean() })),
    personal_data_erased: z.boolean(),
    terms_version: z
      .string()
      .nullable()
      .meta({ description: 'The newest version of the terms that the holder accepted', example: TERMS_IN_EXAMPLES }),
    balance_usd: usd.meta({
      description:
        'Top-ups and reversals less charges, repaid debts, refunds, chargebacks, and expired, forfeited and waived credits',
    }),
    held_usd: usd.meta({ description: 'The part of the balance that is set aside for requests in progress' }),
    held_for_refund_usd: usd.meta({ description: 'The part of the balance that open refunds hold' }),
    frozen_usd: usd.meta({ description: 'The part of the balance that is frozen because its payment is disputed' }),
    available_usd: usd.meta({ description: 'The balance less what is held for requests and refunds, or frozen' }),
    topped_up_usd: usd,
    charged_usd: usd,
    reversed_usd: usd.meta({ description: 'Charges that were put back' }),
    refunded_usd: usd,
    charged_back_usd: usd,
    expired_usd: usd.meta({ description: 'Promotional credits that have ended unused' }),
    forfeited_usd: usd.meta({ description: 'Paid credits that a termination has ended' }),
    waived_usd: usd.meta({
      description: 'Paid credits that the holder has given up, and remainders below a cent',
    }),
    owed_usd: usd.meta({
      description: 'Paid credits of a closed account that are neither held, frozen nor in a refund. 0.00 if it is open',
    }),
    debt_usd: usd.meta({ description: 'What the holder owes; the next payment repays it first' }),
    debts: z
      .array(z.strictObject({ lot_id: lotId, amount_usd: usd, cause: z.enum(['refund', 'chargeback']) }))
      .meta({ description: 'Used credits of which the payment was refunded or charged back, the oldest first' }),
    lots: z.array(lotView).meta({
      description: 'Credits that are left, in spending order, then payments of which nothing is left',
    }),
    open_holds: z.array(
      z.strictObject({
        generation_id: generationId,
        amount_usd: usd,
        key_id: keyId,
        run_id: z.string().meta({ description: 'The process that owns this hold' }),
        model: z.string(),
        price_version: z.int(),
      }),
    ),
    limits: accountLimitsView,
    low_balance_usd: usd
      .nullable()
      .meta({ description: 'The balance below which a mail is sent; null: none is sent', example: '5.00' }),
    members: z
      .array(z.strictObject({ person_id: z.string(), role: z.enum(memberRoles) }))
      .meta({ description: 'The persons who act for the account; empty if the operator registered it' }),
    keys: z.array(keyView),
  })
  .meta({ id: 'Account' });

export type AccountView = z.output<typeof accountView>;

export const viewKeys = ({ account: { keys, tallies } }: AccountAt): AccountView['keys'] =>
  [...keys].map(([key_id, { name, hint, revoked, replaces }]) => {
    const limits = viewKeyLimits(tallies.keys.get(key_id)?.limits ?? {});
    return { key_id, name, hint, revoked, ...(replaces === undefined ? {} : { replaces }), limits };
  });

/** Fields that are not listed here are not exposed. `personal` is undefined if it was erased. */
export const viewAccount = (accountId: string, at: AccountAt, personal: PersonalData | undefined): AccountView => {
  const { standing, members, wallet, tallies, lowBalance, conduct } = at.account;
  return {
    account_id: accountId,
    revision: at.revision,
    registered_at: at.registeredAt.toISOString(),
    last_event_at: at.lastEventAt.toISOString(),
    name: personal?.name ?? null,
    email: personal?.email ?? null,
    holder: standing.registration?.holder ?? 'person',
    status: standing.status === 'unregistered' ? 'active' : standing.status,
    suspension_reason: reasonOf(standing),
    suspensions: standing.suspensions.map(viewSuspension),
    closing_reason: standing.closingReason,
    rest: standing.rest,
    ...viewConduct(conduct),
    personal_data_erased: standing.erased,
    terms_version: standing.termsVersion,
    balance_usd: formatUsd(wallet.balance),
    held_usd: formatUsd(wallet.held),
    held_for_refund_usd: formatUsd(sumOf(wallet, 'heldForRefund')),
    frozen_usd: formatUsd(sumOf(wallet, 'frozen')),
    available_usd: formatUsd(available(wallet)),
    topped_up_usd: formatUsd(wallet.toppedUp),
    charged_usd: formatUsd(wallet.charged),
    reversed_usd: formatUsd(wallet.reversed),
    refunded_usd: formatUsd(wallet.refunded),
    charged_back_usd: formatUsd(wallet.chargedBack),
    expired_usd: formatUsd(wallet.expired),
    forfeited_usd: formatUsd(wallet.forfeited),
    waived_usd: formatUsd(wallet.waived),
    owed_usd: formatUsd(owed(at.account)),
    debt_usd: formatUsd(openDebt(wallet)),
    debts: viewDebts(wallet),
    lots: [...viewLots(wallet)],
    open_holds: [...wallet.holds].map(([generation_id, { amount, keyId, runId, price }]) => ({
      generation_id,
      amount_usd: formatUsd(amount),
      key_id: keyId,
      run_id: runId,
      model: price.model,
      price_version: price.version,
    })),
    limits: viewAccountLimits(tallies.account.limits ?? {}),
    low_balance_usd: lowBalance === null ? null : formatUsd(lowBalance),
    members: [...members].map(([person_id, role]) => ({ person_id, role })),
    keys: viewKeys(at),
  };
};

const viewConduct = ({ termination, violations, mayResell, notices, contacts }: Conduct) => ({
  termination: termination && { violation_id: termination.violationId, forfeited: termination.forfeited },
  violations: [...violations].map(([violation_id, violation]) => ({ violation_id, ...violation })),
  may_resell: mayResell,
  notices: [...notices].map(([notice_id, { about, outcome }]) => ({ notice_id, about: viewAbout(about), outcome })),
  contacts: [...contacts].map(([contact_id, answered]) => ({ contact_id, answered })),
});

/** The reasons of all causes in one text; null for an account that is not suspended. */
export const reasonOf = ({ suspensions }: Standing): string | null =>
  suspensions.length === 0 ? null : suspensions.map(({ reason }) => reason).join('; ');

const viewSuspension = ({ cause, reason }: Suspension): AccountView['suspensions'][number] => ({
  ...{ cause: cause.kind, reason },
  ...(cause.kind === 'dispute' ? { dispute_id: cause.disputeId } : {}),
  ...(cause.kind === 'violation' ? { violation_id: cause.violationId } : {}),
});

/** What refunds hold, or disputes freeze. */
export const sumOf = ({ lots }: Wallet, part: 'heldForRefund' | 'frozen'): Credits =>
  [...lots.values()].reduce((sum, lot) => sum + lot[part], 0n);

const viewDebts = ({ debts }: Wallet): AccountView['debts'] =>
  debts
    .filter(({ open }) => open > 0n)
    .map(({ lotId, open, cause }) => ({ lot_id: lotId, amount_usd: formatUsd(open), cause }));

export const accountExample: AccountView = {
  account_id: 'acc_3f1c9a7be2d04c5d8a6b1e20',
  revision: 7,
  registered_at: '2026-01-31T10:00:00.000Z',
  last_event_at: '2026-01-31T10:42:07.310Z',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  holder: 'person',
  status: 'active',
  suspension_reason: null,
  suspensions: [],
  closing_reason: null,
  rest: null,
  termination: null,
  violations: [],
  may_resell: false,
  notices: [],
  contacts: [],
  personal_data_erased: false,
  terms_version: TERMS_IN_EXAMPLES,
  balance_usd: '4.9975',
  held_usd: '0.012',
  held_for_refund_usd: '0.00',
  frozen_usd: '0.00',
  available_usd: '4.9855',
  topped_up_usd: '5.00',
  charged_usd: '0.0025',
  reversed_usd: '0.00',
  refunded_usd: '0.00',
  charged_back_usd: '0.00',
  expired_usd: '0.00',
  forfeited_usd: '0.00',
  waived_usd: '0.00',
  owed_usd: '0.00',
  debt_usd: '0.00',
  debts: [],
  lots: [lotExample],
  open_holds: [
    {
      generation_id: 'gen-0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d',
      amount_usd: '0.012',
      key_id: 'key_8d2b64f09c1e4a7fb35d6c81',
      run_id: 'run-0198f3b0-11aa-7d20-8c3e-90ab12cd34ef',
      model: 'gpt-5-mini',
      price_version: 1,
    },
  ],
  limits: viewAccountLimits({ concurrentRequests: 20 }),
  low_balance_usd: null,
  members: [{ person_id: 'per_5b0d27c41e8f4a96b3c7d810', role: 'owner' }],
  keys: [
    {
      ...{ key_id: 'key_8d2b64f09c1e4a7fb35d6c81', name: 'production', hint: 'x7Qd', revoked: false },
      limits: viewKeyLimits({ requestsPerMinute: 600, spending: { day: 5_000_000_000n } }),
    },
  ],
};
