import { accountStream, type Account } from '../domain/account/account.ts';
import type { MemberRole } from '../domain/account/events.ts';
import { mailStream, type MailCommand } from '../domain/mail/mail.ts';
import { formatUsd, type Credits } from '../domain/money.ts';
import { derivedId } from '../eventstore/ids.ts';
import { queueMail } from '../mail/templates/templates.ts';
import { networkOf } from './one-time.ts';
import type { Client, NotRedeemed, PeopleOptions } from './people-options.ts';

export type LeakedKey = { readonly keyId: string; readonly since: number | null; readonly at: Date };

export type LowBalance = {
  readonly balance: Credits;
  readonly threshold: Credits;
  /** Of the event, from which the ids of the mails derive. */
  readonly eventId: string;
};

/** Mails because of what happened to an account. Each may be queued again, which changes nothing. */
export type AccountMails = {
  /** To support. */
  keyLeaked(accountId: string, key: LeakedKey): Promise<void>;
  /** To the owners and billing members, each with a link that ends these mails. */
  lowBalance(accountId: string, low: LowBalance): Promise<void>;
  /** To the owners, with the remaining paid credits. None after a termination, which has its own mail. */
  closed(accountId: string, at: Date): Promise<void>;
  /** With the link of a mail about a low balance, as long as its reader still has the role. May be repeated. */
  endLowBalance(
    mailId: string,
    linkSecret: string,
    client: Client,
  ): Promise<{ readonly kind: 'ended' } | { readonly kind: 'not_member' } | NotRedeemed>;
};

type Options = Pick<PeopleOptions, 'accounts' | 'mails' | 'identity' | 'randomBytes'>;

/** The roles that concern money. */
const OF_MONEY: readonly MemberRole[] = ['owner', 'billing'];
/** Mails are read late. */
const LINK_TTL_MS = 60 * 24 * 60 * 60_000;

export const mailsOfAccount = (options: Options): AccountMails => ({
  keyLeaked: (accountId, { keyId, since, at }) => {
    const params = {
      ...{ account_id: accountId, key_id: keyId, reported_at: at.toISOString() },
      ...(since === null ? {} : { since: new Date(since).toISOString() }),
    };
    return queue(options, `leaked-${keyId}`, queueMail('key_leaked', { kind: 'support', id: 'support' }, params));
  },
  lowBalance: async (accountId, { balance, threshold, eventId }) => {
    const { state } = await options.accounts.read(accountStream(accountId));
    const params = {
      ...{ account_id: accountId, balance_usd: formatUsd(balance), threshold_usd: formatUsd(threshold) },
    };
    for (const [personId, role] of state.members) {
      if (!OF_MONEY.includes(role)) continue;
      const id = mailOfLowBalance(derivedId('low', `${eventId} ${personId}`));
      const subject = `${personId}.${accountId}`;
      await options.identity.oneTimeCodes.issue({ purpose: 'end_low_balance', subject, id, ttlMs: LINK_TTL_MS });
      await queue(options, id, queueMail('low_balance', { kind: 'person', id: personId }, params));
    }
  },
  closed: async (accountId, at) => {
    const { state } = await options.accounts.read(accountStream(accountId));
    // A termination has a mail of its own.
    if (state.conduct.termination) return;
    const paid = [...state.wallet.lots.values()].filter(({ source }) => source.kind === 'payment');
    const owed = paid.reduce((sum, { remaining }) => sum + remaining, 0n);
    const rest = restOf(state, owed);
    const params = {
      ...{ account_id: accountId, closed_at: at.toISOString(), owed_usd: formatUsd(owed) },
      ...(rest === undefined ? {} : { rest }),
      ...(rest === 'waived' ? { ended_usd: formatUsd(state.wallet.waived) } : {}),
    };
    for (const [personId, role] of state.members) {
      if (role !== 'owner') continue;
      const mail = queueMail('account_closed', { kind: 'person', id: personId }, params);
      await queue(options, `closed-${derivedId('mail', `${accountId} ${personId}`)}`, mail);
    }
  },
  endLowBalance: (mailId, linkSecret, client) => endLowBalance(options, mailId, linkSecret, client),
});

/** What becomes of paid credits; undefined if there were none. */
const restOf = ({ standing, wallet }: Account, owed: Credits): 'owed' | 'refund' | 'waived' | undefined => {
  if (standing.rest === 'waived' && wallet.waived > 0n) return 'waived';
  if (owed === 0n) return undefined;
  return standing.rest === 'refund' ? 'refund' : 'owed';
};

const mailOfLowBalance = (id: string): string => `low-balance-${id}`;

const queue = async ({ mails }: Options, mailId: string, command: MailCommand): Promise<void> => {
  const metadata = { actor: 'system:account-mails', commandId: derivedId('mail', mailId) };
  await mails.execute(mailStream(mailId), command, metadata, { mayRepeat: true });
};

const endLowBalance = async (
  { accounts, identity, randomBytes }: Options,
  mailId: string,
  linkSecret: string,
  client: Client,
): Promise<{ readonly kind: 'ended' } | { readonly kind: 'not_member' } | NotRedeemed> => {
  const id = mailOfLowBalance(mailId);
  const keys = { account: id, network: networkOf(client) };
  const allowance = await identity.attemptLimits.allow({ action: 'redeem_code', keys });
  if (allowance.kind === 'wait') return allowance;
  const found = await identity.oneTimeCodes.check({ purpose: 'end_low_balance', id, linkSecret });
  if (found.kind !== 'valid') return found;
  const [personId = '', accountId = ''] = found.subject.split('.');
  const stream = accountStream(accountId);
  const { state } = await accounts.read(stream);
  const role = state.members.get(personId);
  if (role === undefined || !OF_MONEY.includes(role)) return { kind: 'not_member' };
  // It changes nothing if it is repeated. A threshold that was set after the mail is removed as well.
  const commandId = derivedId('end-low', randomBytes(16).toString('hex'));
  const command = { type: 'SetLowBalanceThreshold', amount: null } as const;
  await accounts.execute(stream, command, { actor: `person:${personId}`, commandId });
  return { kind: 'ended' };
};
