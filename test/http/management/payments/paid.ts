import { expect } from 'vitest';
import type { Payments } from '../../../../src/payments/payments.ts';
import { CENT } from '../../../../src/domain/payments/amounts.ts';
import { approvalDecider } from '../../../../src/domain/approvals/approvals.ts';
import { createCommands } from '../../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../../src/eventstore/committer.ts';
import { journal } from '../../../../src/eventstore/journal/codec.ts';
import { createInMemoryStore } from '../../../../src/eventstore/memory/in-memory.ts';
import type { Session } from '../../../../src/identity/sessions.ts';
import { createApprovals } from '../../../../src/people/roles/approvals.ts';
import type { PeopleOptions } from '../../../../src/people/people-options.ts';
import type { ManagementDeps } from '../../../../src/http/management/router/deps.ts';
import { startManagementApi, type Answer, type ManagementApi } from '../management-api.ts';

/** Sessions by their tokens: members of the accounts, and staff. */
export const GRACE = 'kiss_ses_grace';
export const FINANCE = 'kiss_ses_finance';
export const OTHER_FINANCE = 'kiss_ses_other_finance';
const persons: Readonly<Record<string, string>> = {
  [GRACE]: 'per_grace',
  [FINANCE]: 'per_finance',
  [OTHER_FINANCE]: 'per_other_finance',
};

const sessionOf = (token: string): Session | undefined => {
  const personId = persons[token];
  if (personId === undefined) return undefined;
  const at = new Date(0);
  const isStaff = token !== GRACE;
  return {
    ...{ id: 'ses_1', personId, createdAt: at, seenAt: at, endsAt: at, network: null, agent: null },
    ...{ kind: isStaff ? 'staff' : 'customer', secondStepAt: isStaff ? at : null },
  };
};

export const usd = (amount: string): bigint => BigInt(Math.round(Number(amount) * 100)) * CENT;

/** The management API with accounts that have paid. What the process of payments does is done by `pay` and `carry`. */
export const startPaymentsApi = async (overrides: Partial<ManagementDeps> = {}) => {
  const store = createInMemoryStore();
  const committer = createCommitter({ store });
  const approvals = createCommands({ store, committer, codec: journal, decider: approvalDecider });
  const own: { api?: ManagementApi } = {};
  const its = (): ManagementApi => {
    if (!own.api) throw new Error('The API has not started.');
    return own.api;
  };
  const accounts: Pick<PeopleOptions['accounts'], 'execute'> = {
    execute: (...given) => its().commands.execute(...given),
  };
  const payments: PeopleOptions['payments'] = { execute: (...given) => its().paymentCommands.execute(...given) };
  const options = { approvals, accounts, payments, now: () => its().clock.now() } as unknown as PeopleOptions;
  const roles = { approvals: createApprovals(options) };
  const api = await startManagementApi({
    people: { roles } as unknown as ManagementDeps['people'],
    sessions: { find: (token) => Promise.resolve(sessionOf(token)), list: () => Promise.resolve([]) },
    readStaff: () =>
      Promise.resolve(
        new Map([
          ['per_finance', 'finance'],
          ['per_other_finance', 'finance'],
        ] as const),
      ),
    ...overrides,
  });
  own.api = api;
  let paid = 0;

  /** Pays `amount` USD and 19 % tax, and credits it. */
  const pay = async (accountId: string, amount: string, more: { readonly isCredited?: boolean } = {}) => {
    const paymentId = `pay_${++paid}`;
    const net = usd(amount);
    const tax = (net * 19n) / 100n;
    await api.executeOnPayment(paymentId, { type: 'OpenPayment', accountId, amount: net, partner: 'creem' });
    await api.executeOnPayment(paymentId, {
      ...{ type: 'RecordPaid', transactionId: `tran_${paid}`, orderId: `ord_${paid}` },
      ...{ checkoutId: `ch_${paid}`, paid: (net + tax) / CENT, tax: tax / CENT, currency: 'USD' },
    });
    if (more.isCredited === false) return paymentId;
    const source = { kind: 'payment', reference: paymentId } as const;
    await api.execute(accountId, { type: 'TopUp', lotId: paymentId.replace('pay', 'lot'), amount: net, source });
    return paymentId;
  };

  /** Asks for a refund, and carries the requests to the payments. */
  const ask = async (accountId: string, body: object, token?: string): Promise<Answer> => {
    const asked = await api.post(`/accounts/${accountId}/refunds`, { reason: 'not_needed', ...body }, sentBy(token));
    expect(asked.status).toBe(201);
    for (const { refund_id, payment_id, amount_usd } of refundsIn(asked)) {
      await api.executeOnPayment(payment_id, {
        ...{ type: 'RequestRefund', refundId: refund_id, amount: usd(amount_usd), reason: 'not_needed' },
      });
    }
    return asked;
  };

  return {
    ...api,
    pay,
    ask,
    /** An account of which Grace is the owner. */
    account: async (): Promise<string> => {
      const accountId = await api.account();
      await api.execute(accountId, { type: 'AddMember', personId: 'per_grace', role: 'owner' });
      return accountId;
    },
    close: async (): Promise<void> => {
      await api.close();
      await committer.close();
    },
  };
};

export type PaymentsApi = Awaited<ReturnType<typeof startPaymentsApi>>;

const sentBy = (token: string | undefined) => (token === undefined ? {} : { token });

type Asked = {
  readonly refund_id: string;
  readonly payment_id: string;
  readonly lot_id: string;
  readonly amount_usd: string;
};
export const refundsIn = ({ json }: Answer): readonly Asked[] => json['data'] as readonly Asked[];

/** A payment partner that opens pages, in simulation. */
export const simulatedPartner = (
  openTopUp: Payments['openTopUp'],
  more: Partial<Payments> = {},
): Pick<ManagementDeps, 'payments'> => ({
  payments: { partner: { name: 'creem', isSimulated: true }, openTopUp, ...more } as unknown as Payments,
});
