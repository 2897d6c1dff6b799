import { accept } from '../decider.ts';
import type { Credits } from '../money.ts';
import type { Account } from './account.ts';
import { andThen } from './after.ts';
import type { AccountCommand, AccountDecision, AccountRefusal, CommandOf } from './commands.ts';
import type { AccountEvent } from './events.ts';
import { excess, isDisputed } from './lots.ts';
import { waiveCredits } from './refunds/endings.ts';
import { no } from './reserve.ts';
import { available, openDebt, type Wallet } from './wallet.ts';

/** What a closed account refuses. Holds in progress still end, late usage is charged, and payments arrive. */
export const isRefusedOnceClosed = (command: AccountCommand): boolean =>
  endedByClosing.has(command.type) || (command.type === 'TopUp' && command.source.kind === 'grant');

const endedByClosing: ReadonlySet<string> = new Set<AccountCommand['type']>([
  ...([
    'AcceptTerms',
    'SuspendAccount',
    'ReinstateAccount',
    'IssueKey',
    'CreateToken',
    'SuspectDuplicate',
    'QueueNotice',
    'AuthorizeResale',
    'EndResaleAuthorization',
    'ReserveCredits',
    'ExtendHold',
  ] as const),
]);

export const closeAccount = (
  { reason, askedBy, rest }: CommandOf<'CloseAccount'>,
  account: Account,
): AccountDecision => {
  const { standing, members, keys, wallet } = account;
  if (standing.status === 'closed') return accept();
  if (askedBy !== undefined && !members.has(askedBy)) return no('member_not_found');
  // Expired keys as well, because a later end in their limits would make them live again.
  const live = [...keys].flatMap(([keyId, { revoked }]) => (revoked ? [] : [keyId]));
  const closed = accept<AccountEvent>(
    {
      type: 'AccountClosed',
      reason,
      ...(askedBy === undefined ? {} : { askedBy }),
      ...(rest === undefined ? {} : { rest }),
    },
    ...live.map((keyId) => ({ type: 'KeyRevoked', keyId, reason: 'account closed' }) as const),
    ...expiredGrants(wallet),
  );
  return rest === 'waived'
    ? andThen(account, closed, (after) => waiveCredits({ type: 'WaiveCredits', reason }, after))
    : closed;
};

/**
 * The paid credits that a closed account owes its holder. Excludes what requests in progress may need, refunds hold and
 * disputes freeze. Grants have ended, except what requests in progress may need.
 */
export const owed = ({ standing, wallet }: Account): Credits => (standing.status === 'closed' ? available(wallet) : 0n);

export const erasePersonalData = (
  { reason }: CommandOf<'ErasePersonalData'>,
  { standing, wallet }: Account,
): AccountDecision => {
  if (standing.status !== 'closed') return no('account_not_closed');
  if (standing.erased) return accept();
  const openMatter = openMatterOf(wallet);
  if (openMatter !== undefined) return no(openMatter);
  return accept({ type: 'PersonalDataErased', reason });
};

/** What must end before the personal data can be erased. */
export const openMatterOf = (wallet: Wallet): AccountRefusal['code'] | undefined => {
  if (wallet.holds.size > 0) return 'holds_open';
  if (wallet.refunds.size > 0) return 'refund_open';
  if ([...wallet.lots.values(), ...wallet.spentLots.values()].some(isDisputed)) return 'lot_disputed';
  return openDebt(wallet) > 0n ? 'debt_open' : undefined;
};

/** What promotional lots lose at once; what open holds may need follows when they end. */
const expiredGrants = (wallet: Wallet): readonly AccountEvent[] => {
  const expired: AccountEvent[] = [];
  for (const [lotId, { source }, amount] of excess(wallet, wallet.held)) {
    if (source.kind === 'grant' && amount > 0n) {
      expired.push({ type: 'LotExpired', lotId, amount, reason: 'account_closed' });
    }
  }
  return expired;
};
