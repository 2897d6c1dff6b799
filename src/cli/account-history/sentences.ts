import type { Account } from '../../domain/account/account.ts';
import type { AccountEvent, Delivery, DuplicateSignal, ReleaseReason } from '../../domain/account/events.ts';
import { spendingWindows, type Limits, type SpendingWindow } from '../../domain/account/limits/limits.ts';
import { lotOf } from '../../domain/account/lots.ts';
import { available } from '../../domain/account/wallet.ts';
import { paymentOfLot } from '../../domain/payments/payment.ts';
import type { PersonalData } from '../../eventstore/journal/personal-data.ts';
import { formatUsd, tokenClasses, type TokenClass, type Usage } from '../../domain/money.ts';
import { counted } from '../terminal/counted.ts';
import type { Chapter } from './history.ts';
import { balanceInWords, causeOf, expirySentence, lockedInWords, moneySentence, origin } from './money-sentences.ts';
import { acceptanceSentence, conductSentence, restInWords, violationsInWords } from './conduct-sentences.ts';
import { plain, usd } from './plain-text.ts';

export const className: Readonly<Record<TokenClass, string>> = {
  input: 'input',
  cachedInput: 'cached input',
  cacheWrite: 'cache write',
  output: 'output',
  reasoning: 'reasoning',
};

const releaseReason: Readonly<Record<ReleaseReason, string>> = {
  upstream_refused: 'the provider refused the request',
  upstream_failed: 'the provider failed',
  client_gone: 'the client left before anything was delivered',
  out_of_credits: 'the credits did not cover the first words',
  access_ended: 'the key was revoked or expired, or the account suspended or closed, before anything was delivered',
  orphaned: 'the process that held it died',
  gateway_failed: 'the gateway failed',
};

const sameness: Readonly<Record<DuplicateSignal, string>> = {
  same_name_and_domain: 'the same name, and addresses at the same domain',
  same_entity_name: 'entities of the same name and country',
};

const ending: Readonly<Record<Delivery['ended'], string>> = {
  completed: 'completed',
  client_gone: 'the client left',
  upstream_broke: 'the provider broke off',
  out_of_credits: 'credits, or a limit on spending, ran out',
  access_ended: 'the key was revoked or expired, or the account suspended or closed',
  drained: 'ended because the gateway was stopping',
};

export const endedHow = ({ ended }: Delivery): string => ending[ended];

/** The gateway's own descriptions of provider responses, including those that it did not pass on. */
const answered = /^status (\d{3})$/;
const BEYOND_CONTEXT = 'beyond the context that is sold';

/** Describes why a hold was released, with the known detail. */
export const releasedWhy = (reason: ReleaseReason, detail: string): string => {
  const status = answered.exec(detail)?.[1];
  if (reason === 'upstream_refused' && status !== undefined) return `the provider answered ${status}`;
  const why =
    reason === 'upstream_refused' && detail === BEYOND_CONTEXT
      ? 'the gateway refused the request'
      : releaseReason[reason];
  return detail === '' ? why : `${why} (${plain(detail)})`;
};

const tokens = (usage: Usage): string =>
  tokenClasses
    .filter((tokenClass) => usage[tokenClass] > 0)
    .map((tokenClass) => `${usage[tokenClass].toLocaleString('en-US')} ${className[tokenClass]}`)
    .join(' + ') || 'no';

const ofWindow: Readonly<Record<SpendingWindow, string>> = { day: ' a day', month: ' a month', total: ' in total' };

const many = (count: number, one: string): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : `${one}s`}`;

const limitsInWords = (limits: Limits): string => {
  const { requestsPerMinute, tokensPerMinute, concurrentRequests, spending = {}, models, expiresAt } = limits;
  const words = [
    ...(requestsPerMinute === undefined ? [] : [`${many(requestsPerMinute, 'request')} a minute`]),
    ...(tokensPerMinute === undefined ? [] : [`${many(tokensPerMinute, 'token')} a minute`]),
    ...(concurrentRequests === undefined ? [] : [`${many(concurrentRequests, 'request')} at once`]),
    ...spendingWindows.toReversed().flatMap((window) => {
      const most = spending[window];
      return most === undefined ? [] : [`${usd(most)}${ofWindow[window]}`];
    }),
    ...(models === undefined ? [] : [`only ${models.map(plain).join(', ') || 'no model'}`]),
    ...(expiresAt === undefined ? [] : [`until ${plain(expiresAt)}`]),
  ];
  return words.join('; ') || 'none';
};

/** The holder of an account: known, erased, or sealed if there is no master key. */
export type Holder = PersonalData | 'erased' | 'sealed';

const who = (holder: Holder): string =>
  typeof holder === 'string' ? `[${holder}]` : `${plain(holder.name)} <${plain(holder.email)}>`;

/** Describes an event for the account's holder. */
export const sentence = (event: AccountEvent, holder: Holder = 'sealed'): string => {
  switch (event.type) {
    case 'AccountRegistered':
      return `Registered for ${who(holder)}, ${event.holder === 'person' ? 'a person' : 'an entity'}.`;
    case 'TermsAccepted':
      return acceptanceSentence(event);
    case 'AccountSuspended':
      return `Suspended${causeOf(event.cause)}: ${plain(event.reason)}.`;
    case 'AccountReinstated':
      return `Reinstated${causeOf(event.cause)}: ${plain(event.reason)}.`;
    case 'AccountClosed': {
      const wish = event.askedBy === undefined ? '' : `, as ${event.askedBy} asked`;
      return `Closed${wish}: ${plain(event.reason)}.${restInWords(event.rest)}`;
    }
    case 'PersonalDataErased':
      return `Erased the name and the address of the holder: ${plain(event.reason)}.`;
    case 'ContactChanged':
      return 'Changed the name or the address of the holder.';
    case 'MemberAdded':
      return `Added ${event.personId} as ${event.role}.`;
    case 'MemberRoleChanged':
      return `Made ${event.personId} ${event.role}.`;
    case 'MemberRemoved':
      return `Removed ${event.personId}: ${plain(event.reason)}.`;
    case 'TokenCreated': {
      const { tokenId, scopes, endsAt } = event;
      return `Created the management token ${tokenId} for ${scopes.map(plain).join(', ')}, until ${new Date(endsAt).toISOString()}.`;
    }
    case 'TokenRevoked':
      return `Revoked the management token ${event.tokenId}: ${plain(event.reason)}.`;
    case 'DuplicateSuspected':
      return `May have the same holder as ${event.other}: ${sameness[event.signal]}.`;
    case 'DuplicateDismissed':
      return `Found to be no duplicate of ${event.other}: ${plain(event.reason)}.`;
    case 'KeyLeakReported': {
      const since = event.since === null ? '' : `, used by others since ${new Date(event.since).toISOString()}`;
      return `Reported that the key ${event.keyId} leaked${since}.`;
    }
    case 'KeyIssued': {
      const { keyId, name, hint, replaces } = event;
      const place = replaces === undefined ? '' : `, in place of ${replaces}`;
      return `Issued the key "${plain(name)}" (${keyId}), which ends in ${plain(hint)}${place}.`;
    }
    case 'KeyRehashed':
      return `Hashed the key ${event.keyId} with the pepper ${plain(event.pepperId)}; it works as before.`;
    case 'KeyRevoked':
      return `Revoked the key ${event.keyId}: ${plain(event.reason)}.`;
    case 'KeyLimitsSet':
      return `Set the limits of the key ${event.keyId}: ${limitsInWords(event.limits)}.`;
    case 'AccountLimitsSet':
      return `Set the limits of the account: ${limitsInWords(event.limits)}.`;
    case 'LowBalanceThresholdSet':
      return event.amount === null
        ? 'No mails about a low balance any more.'
        : `A mail is sent if the balance falls below ${usd(event.amount)}.`;
    case 'BalanceBelowThreshold':
      return `The balance fell below ${usd(event.threshold)}: ${usd(event.balance)} are left.`;
    case 'CreditsToppedUp': {
      const { amount, lotId, source, endsAt } = event;
      const end = endsAt === undefined ? '' : `, until ${new Date(endsAt).toISOString()}`;
      return `Added ${usd(amount)} (${lotId}), ${origin(source)}${end}.`;
    }
    case 'CreditsReserved': {
      const { amount, requestId, price, request, keyId } = event;
      return `Held ${usd(amount)} for ${requestId}: ${plain(price.model)} at price version ${price.version}, ${request.endpoint}, with ${keyId}.`;
    }
    case 'HoldExtended':
      return `Held ${usd(event.by)} more for ${event.requestId}.`;
    case 'HoldSettled': {
      const { charged, requestId, usage, released, delivery } = event;
      return `Charged ${usd(charged)} for ${requestId}: ${tokens(usage)} tokens, ${delivery.usageSource}; ${endedHow(delivery)}. ${usd(released)} of the hold is free again.`;
    }
    case 'HoldReleased':
      return `Gave back the ${usd(event.released)} held for ${event.requestId}, uncharged: ${releasedWhy(event.reason, event.detail)}.`;
    case 'LateUsageCharged': {
      const { charged, requestId, usage, delivery } = event;
      return `Charged ${usd(charged)} late for ${requestId}, whose hold had been given back: ${tokens(usage)} tokens, ${delivery.usageSource}; ${endedHow(delivery)}.`;
    }
    case 'UsageWrittenOff': {
      const { amount, requestId, beyond } = event;
      const why =
        beyond === undefined
          ? 'which neither the hold nor what was left to charge covered'
          : `including ${tokens(beyond)} tokens beyond the bounds of the request`;
      return `Wrote off ${usd(amount)} of ${requestId}, ${why}: the house pays.`;
    }
    case 'LotExpired':
      return expirySentence(event);
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
      return moneySentence(event);
    case 'NoticeQueued':
    case 'NoticeAnswered':
    case 'ResaleAuthorized':
    case 'ResaleAuthorizationEnded':
    case 'ViolationRecorded':
    case 'AccountTerminated':
    case 'ContactNoted':
    case 'ContactAnswerNoted':
      return conductSentence(event);
  }
};

const balanceOf = ({ balance, held, locked, debt }: Chapter): string => {
  const parts = [
    ...(held === 0n ? [] : [`${formatUsd(held)} held`]),
    ...(locked === 0n ? [] : [`${formatUsd(locked)} frozen or held for refunds`]),
  ];
  const ofWhich = parts.length === 0 ? '' : `, of which ${parts.join(', ')}`;
  const owed = debt === 0n ? '' : ` Owes ${usd(debt)}.`;
  return `Balance ${usd(balance)}${ofWhich}.${owed}`;
};

/** The id of the payment behind a lot. Undefined for grants, and for top-ups, whose own sentence contains the id. */
export const paymentBehind = ({ account, recorded: { event } }: Chapter): string | undefined => {
  if (event.type === 'CreditsToppedUp' || !('lotId' in event)) return undefined;
  const lot = lotOf(account.wallet, event.lotId);
  return lot && paymentOfLot(lot);
};

/** One line: time, revision, event, actor, and the balance after it. */
export const line = (chapter: Chapter, holder: Holder, actor: string): string => {
  const { time, revision, event } = chapter.recorded;
  const payment = paymentBehind(chapter);
  const named = payment === undefined ? '' : ` The payment is ${plain(payment)}.`;
  return `${time.toISOString()}  #${revision}  ${sentence(event, holder)}${named}  [${actor}]  ${balanceOf(chapter)}`;
};

/** The state of the account at the end of the replay. */
export const summary = (
  { standing, wallet, keys, tallies, conduct }: Account,
  { recorded }: Pick<Chapter, 'recorded'>,
  holder: Holder,
): string => {
  const { registration, status, suspensions, closingReason, termsVersion } = standing;
  const reasons = suspensions.map(({ cause, reason }) => `${plain(reason)}${causeOf(cause)}`);
  const because = closingReason === null ? reasons.join('; ') : plain(closingReason);
  const live = [...keys.values()].filter(({ revoked }) => !revoked).length;
  const lines = [
    `After ${counted(recorded.revision + 1, 'event')}, at ${recorded.time.toISOString()}:`,
    `  holder     ${registration ? who(holder) : 'nobody'}`,
    `  standing   ${status}${because === '' ? '' : `: ${because}`}`,
    `  terms      ${termsVersion === null ? 'not accepted' : plain(termsVersion)}`,
    `  keys       ${live} in use, ${keys.size - live} revoked`,
    `  balance    ${balanceInWords(wallet)}`,
    `  held       ${usd(wallet.held)} for ${counted(wallet.holds.size, 'open request')}`,
    `  available  ${usd(available(wallet))}`,
  ];
  lines.push(...violationsInWords(conduct), ...lockedInWords(wallet));
  if (tallies.account.limits) lines.push(`  limits     ${limitsInWords(tallies.account.limits)}`);
  for (const [keyId, { limits }] of tallies.keys) {
    if (limits && keys.get(keyId)?.revoked === false) lines.push(`  limits of  ${keyId}: ${limitsInWords(limits)}`);
  }
  for (const [requestId, { amount, price, runId }] of wallet.holds) {
    lines.push(`  open hold  ${usd(amount)} for ${requestId} (${plain(price.model)}), run ${runId}`);
  }
  return lines.join('\n');
};
