import { expect } from 'vitest';
import { evolveAccount, initialAccount, type Account } from '../../../src/domain/account/account.ts';
import type {
  AccountEvent,
  Delivery,
  DuplicateSignal,
  LotSource,
  ReleaseReason,
  MemberRole,
} from '../../../src/domain/account/events.ts';
import { openDebt, type Wallet } from '../../../src/domain/account/wallet.ts';
import type { Limits } from '../../../src/domain/account/limits/limits.ts';
import { formatUsd, parseUsd, parseUsdPerMillion } from '../../../src/domain/money.ts';
import { asPlain } from '../../../src/eventstore/journal/personal-data.ts';
import type { AccountView } from '../../../src/http/management/accounts/views/account-view.ts';
import type { EventView } from '../../../src/http/management/accounts/views/event-view.ts';
import { audit, type Books } from '../../reference/audit-history.ts';
import type { RunningGateway } from '../gateway.ts';
import { conductEventOf, type ConductEvent } from './conduct-events.ts';
import { causeOf, drawsOf, moneyEventOf, usd, type Data, type MoneyEvent } from './money-events.ts';
import { sum } from '../money.ts';
import { SOON } from '../soon.ts';
import { query } from '../sql.ts';

type Gateway = Pick<RunningGateway, 'manage'>;

/** Parses an event of the management API into the event that the domain folds. */
export type Told = { readonly event: AccountEvent; readonly revision: number; readonly time: Date };

/** The whole history of an account, through the management API: all that support and finance ever see of it. */
export const readHistory = async (gateway: Gateway, accountId: string): Promise<readonly Told[]> => {
  const told: Told[] = [];
  for (let from: number | null = 0; from !== null;) {
    const page: { data: EventView[]; next_revision: number | null } = await gateway.manage(
      'GET',
      `/accounts/${accountId}/events?from_revision=${from}&limit=1000`,
    );
    for (const view of page.data)
      told.push({ event: eventOf(view), revision: view.revision, time: new Date(view.time) });
    from = page.next_revision;
  }
  expect(told.map(({ revision }) => revision)).toEqual(told.map((_, n) => n));
  return told;
};

export const foldHistory = (events: readonly AccountEvent[]): Account => events.reduce(evolveAccount, initialAccount());

export type Checked = {
  readonly history: readonly Told[];
  readonly events: readonly AccountEvent[];
  readonly account: Account;
  readonly books: Books;
};

/**
 * Reads an account's history and holds every promise about money against it: at each revision nothing is negative and no
 * hold ends twice, and in the end the account that the gateway returns is the fold of its events.
 */
export const checkBooks = async (gateway: Gateway, accountId: string): Promise<Checked> => {
  const history = await readHistory(gateway, accountId);
  const events = history.map(({ event }) => event);
  const books = audit(events);
  const account = foldHistory(events);
  const { wallet } = account;
  const { toppedUp, reversed, charged, repaid, refunded, chargedBack, expired, forfeited, waived } = books;
  const amounts = { toppedUp, reversed, charged, repaid, refunded, chargedBack, expired, forfeited, waived };
  expect(wallet).toMatchObject(amounts);
  expect(openDebt(wallet)).toBe(books.debt);
  const lost = charged + repaid + refunded + chargedBack + expired + forfeited + waived;
  expect(wallet.balance).toBe(toppedUp + reversed - lost);
  const perRequest = Map.groupBy(events.filter(isCharge), ({ requestId }) => requestId);
  for (const charges of perRequest.values()) expect(charges, 'a request is charged once').toHaveLength(1);
  return { history, events, account, books };
};

/** As `checkBooks`, of an account that has nothing under way. */
export const checkSettledBooks = async (gateway: Gateway, accountId: string): Promise<Checked> => {
  const checked = await checkBooks(gateway, accountId);
  expect(checked.books.holds.size, 'no hold is left').toBe(0);
  const view = await gateway.manage<AccountView>('GET', `/accounts/${accountId}`);
  const { wallet } = checked.account;
  expect(view).toMatchObject({
    revision: checked.history.length - 1,
    balance_usd: formatUsd(wallet.balance),
    topped_up_usd: formatUsd(wallet.toppedUp),
    charged_usd: formatUsd(wallet.charged),
    expired_usd: formatUsd(wallet.expired),
    refunded_usd: formatUsd(wallet.refunded),
    charged_back_usd: formatUsd(wallet.chargedBack),
    reversed_usd: formatUsd(wallet.reversed),
    debt_usd: formatUsd(openDebt(wallet)),
    held_usd: '0.00',
    open_holds: [],
  });
  return checked;
};

type Charge = Extract<AccountEvent, { type: 'HoldSettled' | 'LateUsageCharged' }>;
export const isCharge = (event: AccountEvent): event is Charge =>
  event.type === 'HoldSettled' || event.type === 'LateUsageCharged';

/** The columns of `balances` that refunds, disputes, debts and reversals change. */
export const amountsOfRow = (wallet: Wallet) => {
  const lots = [...wallet.lots.values()];
  return {
    ...{ reversed: String(wallet.reversed), repaid: String(wallet.repaid), refunded: String(wallet.refunded) },
    ...{ charged_back: String(wallet.chargedBack), forfeited: String(wallet.forfeited), waived: String(wallet.waived) },
    held_for_refund: String(sum(lots.map(({ heldForRefund }) => heldForRefund))),
    ...{ frozen: String(sum(lots.map(({ frozen }) => frozen))), debt: String(openDebt(wallet)) },
  };
};

/** Compares the rows of every projection about an account with its history, once they have caught up with it. */
export const checkProjections = async (
  databaseUrl: string,
  accountId: string,
  { events, books, account }: Checked,
): Promise<void> => {
  await projectionsCaughtUp(databaseUrl);
  const [balance] = await query(databaseUrl, 'select * from projections.balances where account_id = $1', [accountId]);
  expect(balance).toMatchObject({
    topped_up: String(books.toppedUp),
    charged: String(books.charged),
    expired: String(books.expired),
    written_off: String(books.writtenOff),
    ...amountsOfRow(account.wallet),
    held: String(account.wallet.held),
    open_holds: account.wallet.holds.size,
  });

  const rows = await query<{
    request_id: string;
    status: string;
    charged: string;
    written_off: string;
    reversed: string;
  }>(databaseUrl, 'select * from projections.requests where account_id = $1', [accountId]);
  const told = new Map(rows.map((row) => [row.request_id, row]));
  const asked = Map.groupBy(events.filter(isOfRequest), ({ requestId }) => requestId);
  expect(told.size).toBe(asked.size);
  for (const [requestId, own] of asked) {
    const charges = own.filter(isCharge);
    const late = charges.some(({ type }) => type === 'LateUsageCharged');
    const released = own.some(({ type }) => type === 'HoldReleased');
    const status = late ? 'late' : charges.length > 0 ? 'settled' : released ? 'released' : 'open';
    const writtenOff = own.flatMap((event) => (event.type === 'UsageWrittenOff' ? [event.amount] : []));
    const reversed = own.flatMap((event) => (event.type === 'ChargeReversed' ? [event.amount] : []));
    expect(told.get(requestId)).toMatchObject({
      ...{ status, reversed: String(sum(reversed)) },
      charged: String(sum(charges.map(({ charged }) => charged))),
      written_off: String(sum(writtenOff)),
    });
  }

  const [daily] = await query(
    databaseUrl,
    `select coalesce(sum(requests), 0)::text as requests, coalesce(sum(charged), 0)::text as charged
     from projections.daily_usage where account_id = $1`,
    [accountId],
  );
  expect(daily).toEqual({ requests: String(events.filter(isCharge).length), charged: String(books.charged) });
};

/** Waits until the rows have everything that is in the log now. */
export const projectionsCaughtUp = async (databaseUrl: string): Promise<void> => {
  const [head] = await query<{ position: string }>(databaseUrl, 'select position from log_head');
  await expect.poll(async () => behind(databaseUrl, head?.position ?? '0'), SOON).toEqual([]);
};

const behind = async (databaseUrl: string, position: string): Promise<readonly string[]> =>
  (
    await query<{ name: string }>(databaseUrl, 'select name from projections.checkpoints where position < $1', [
      position,
    ])
  ).map(({ name }) => name);

type OfRequest = Extract<AccountEvent, { readonly requestId: string }>;
const isOfRequest = (event: AccountEvent): event is OfRequest => 'requestId' in event;

/** The inverse of what the management API does to an event; only a seal and the hash of a key are not returned. */
export const eventOf = ({ type, data }: EventView): AccountEvent => {
  const text = (name: string): string => String(data[name]);
  const reason = { reason: text('reason') };
  switch (type as AccountEvent['type']) {
    case 'AccountRegistered':
      return {
        type: 'AccountRegistered',
        holder: data['holder'] === 'entity' ? 'entity' : 'person',
        personal: asPlain({ name: text('name'), email: text('email') }),
      };
    case 'TermsAccepted':
      return {
        ...{ type: 'TermsAccepted', version: text('version'), how: text('how') },
        ...(data['notice'] === undefined ? {} : { notice: text('notice') as 'pending' }),
      };
    case 'AccountClosed':
      return {
        ...{ type: 'AccountClosed', ...reason },
        ...(data['asked_by'] === undefined ? {} : { askedBy: text('asked_by') }),
        ...(data['rest'] === undefined ? {} : { rest: text('rest') as 'refund' }),
      };
    case 'PersonalDataErased':
      return { type: 'PersonalDataErased', ...reason };
    case 'AccountSuspended':
    case 'AccountReinstated':
      return { type: type as 'AccountSuspended', ...reason, cause: causeOf(data) };
    case 'ContactChanged':
      return { type: 'ContactChanged', personal: asPlain({ name: text('name'), email: text('email') }) };
    case 'MemberAdded':
    case 'MemberRoleChanged':
      return { type: type as 'MemberAdded', personId: text('person_id'), role: text('role') as MemberRole };
    case 'MemberRemoved':
      return { type: 'MemberRemoved', personId: text('person_id'), ...reason };
    case 'TokenCreated': {
      const scopes = data['scopes'] as readonly string[];
      return { type: 'TokenCreated', tokenId: text('token_id'), scopes, endsAt: Date.parse(text('ends_at')) };
    }
    case 'TokenRevoked':
      return { type: 'TokenRevoked', tokenId: text('token_id'), ...reason };
    case 'DuplicateSuspected':
      return { type: 'DuplicateSuspected', other: text('other_id'), signal: text('signal') as DuplicateSignal };
    case 'DuplicateDismissed':
      return { type: 'DuplicateDismissed', other: text('other_id'), ...reason };
    case 'KeyLeakReported':
      return {
        ...{ type: 'KeyLeakReported', keyId: text('key_id') },
        since: data['since'] === null ? null : Date.parse(text('since')),
      };
    case 'KeyIssued': {
      const known = { name: text('name'), hint: text('hint'), pepperId: text('pepper_id') };
      const replaces = data['replaces'] === undefined ? {} : { replaces: text('replaces') };
      return { type: 'KeyIssued', keyId: text('key_id'), hash: 'not told', ...known, ...replaces };
    }
    case 'KeyRehashed':
      return { type: 'KeyRehashed', keyId: text('key_id'), hash: 'not told', pepperId: text('pepper_id') };
    case 'KeyRevoked':
      return { type: 'KeyRevoked', keyId: text('key_id'), ...reason };
    case 'KeyLimitsSet':
      return { type: 'KeyLimitsSet', keyId: text('key_id'), limits: limitsOf(data) };
    case 'AccountLimitsSet':
      return { type: 'AccountLimitsSet', limits: limitsOf(data) };
    case 'LowBalanceThresholdSet':
      return {
        type: 'LowBalanceThresholdSet',
        amount: data['threshold_usd'] === null ? null : usd(data, 'threshold_usd'),
      };
    case 'BalanceBelowThreshold':
      return {
        ...{ type: 'BalanceBelowThreshold', balance: usd(data, 'balance_usd'), threshold: usd(data, 'threshold_usd') },
      };
    case 'CreditsToppedUp': {
      const source = data['source'] as unknown as LotSource;
      const end = data['ends_at'] === null ? {} : { endsAt: Date.parse(text('ends_at')) };
      return { type: 'CreditsToppedUp', lotId: text('lot_id'), amount: usd(data, 'amount_usd'), source, ...end };
    }
    case 'CreditsReserved': {
      const request = data['request'] as Readonly<Record<string, string | number | boolean>>;
      return {
        type: 'CreditsReserved',
        requestId: text('generation_id'),
        amount: usd(data, 'amount_usd'),
        keyId: text('key_id'),
        runId: text('run_id'),
        price: priceOf(data),
        request: {
          endpoint: String(request['endpoint']),
          upstream: String(request['upstream']),
          streamed: request['streamed'] === true,
          inputTokensBound: Number(request['input_tokens_bound']),
          outputTokensBound: Number(request['output_tokens_bound']),
        },
        ...atOf(data),
      };
    }
    case 'HoldExtended':
      return {
        type: 'HoldExtended',
        requestId: text('generation_id'),
        by: usd(data, 'by_usd'),
        ...atOf(data),
        ...(typeof data['tokens'] === 'number' ? { tokens: data['tokens'] } : {}),
      };
    case 'HoldSettled':
      return {
        type: 'HoldSettled',
        ...chargeOf(data),
        held: usd(data, 'held_usd'),
        released: usd(data, 'released_usd'),
      };
    case 'LateUsageCharged':
      return { type: 'LateUsageCharged', ...chargeOf(data), ...atOf(data) };
    case 'HoldReleased':
      return {
        type: 'HoldReleased',
        requestId: text('generation_id'),
        released: usd(data, 'released_usd'),
        reason: text('reason') as ReleaseReason,
        detail: text('detail'),
      };
    case 'UsageWrittenOff':
      return {
        type: 'UsageWrittenOff',
        requestId: text('generation_id'),
        amount: usd(data, 'amount_usd'),
        ...(data['tokens_beyond'] ? { beyond: usageOf(data['tokens_beyond']) } : {}),
      };
    case 'LotExpired':
      return {
        ...{ type: 'LotExpired', lotId: text('lot_id'), amount: usd(data, 'amount_usd') },
        reason: text('reason') as 'account_closed' | 'ended',
      };
    case 'CreditsHeldForRefund':
    case 'RefundHoldReleased':
    case 'CreditsRefunded':
    case 'LotFrozen':
    case 'LotUnfrozen':
    case 'CreditsChargedBack':
    case 'ChargebackReversed':
    case 'CreditsForfeited':
    case 'CreditsWaived':
    case 'DebtIncurred':
    case 'DebtRepaid':
    case 'DebtWrittenOff':
    case 'ChargeReversed':
      return moneyEventOf(type as MoneyEvent['type'], data);
    case 'NoticeQueued':
    case 'NoticeAnswered':
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
    case 'ViolationRecorded':
    case 'AccountTerminated':
    case 'ContactNoted':
    case 'ContactAnswerNoted':
      return conductEventOf(type as ConductEvent['type'], data);
  }
};

const priceOf = (data: Data) => {
  const price = data['price'] as { model: string; version: number; usd_per_million_tokens: Record<string, string> };
  const rate = (name: string): bigint => parseUsdPerMillion(price.usd_per_million_tokens[name] ?? '') ?? -1n;
  return {
    model: price.model,
    version: price.version,
    rates: {
      input: rate('input'),
      cachedInput: rate('cached_input'),
      cacheWrite: rate('cache_write'),
      output: rate('output'),
      reasoning: rate('reasoning'),
    },
  };
};

const atOf = (data: Data): { at?: number } =>
  data['at'] === null ? {} : { at: new Date(String(data['at'])).getTime() };

const limitsOf = (data: Data): Limits => {
  const told = data['limits'] as Readonly<Record<string, unknown>>;
  const { spending_usd: spending, ...others } = told as { spending_usd: Readonly<Record<string, string | null>> };
  const known = (fields: object): object =>
    Object.fromEntries(Object.entries(fields).filter(([, one]) => one !== null));
  const windows = Object.entries(known(spending)).map(([window, usd]) => [window, parseUsd(String(usd))]);
  const names: Readonly<Record<string, string>> = {
    requests_per_minute: 'requestsPerMinute',
    tokens_per_minute: 'tokensPerMinute',
    concurrent_requests: 'concurrentRequests',
    models: 'models',
    expires_at: 'expiresAt',
  };
  const limits = Object.entries(known(others)).map(([name, value]): [string, unknown] => [names[name] ?? name, value]);
  if (windows.length > 0) limits.push(['spending', Object.fromEntries(windows)]);
  return Object.fromEntries(limits);
};

const usageOf = (counts: unknown) => {
  const tokens = counts as Readonly<Record<string, number>>;
  return {
    input: tokens['input'] ?? -1,
    cachedInput: tokens['cached_input'] ?? -1,
    cacheWrite: tokens['cache_write'] ?? -1,
    output: tokens['output'] ?? -1,
    reasoning: tokens['reasoning'] ?? -1,
  };
};

const chargeOf = (data: Data) => {
  const delivery = data['delivery'] as Readonly<Record<string, unknown>>;
  return {
    requestId: String(data['generation_id']),
    keyId: String(data['key_id']),
    price: priceOf(data),
    usage: usageOf(data['tokens']),
    cost: usd(data, 'cost_usd'),
    charged: usd(data, 'charged_usd'),
    drawn: drawsOf(data, 'drawn'),
    delivery: {
      usageSource: delivery['usage_source'],
      ended: delivery['ended'],
      finishReason: delivery['finish_reason'],
      upstreamId: delivery['upstream_id'],
      firstByteMs: delivery['first_byte_ms'],
      totalMs: delivery['total_ms'],
      anomalies: delivery['anomalies'],
    } as Delivery,
  };
};
