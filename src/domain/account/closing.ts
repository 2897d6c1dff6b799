import { accept } from '../decider.ts';
import { min, type Credits } from '../money.ts';
import type { Account } from './account.ts';
import type { AccountCommand, AccountDecision, CommandOf } from './commands.ts';
import type { AccountEvent, Draw } from './events.ts';
import { no } from './reserve.ts';
import type { Wallet } from './wallet.ts';

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
    'ReserveCredits',
    'ExtendHold',
  ] as const),
]);

export const closeAccount = (
  { reason, askedBy }: CommandOf<'CloseAccount'>,
  { standing, members, keys, wallet }: Account,
): AccountDecision => {
  if (standing.status === 'closed') return accept();
  if (askedBy !== undefined && !members.has(askedBy)) return no('member_not_found');
  // Expired keys as well, because a later end in their limits would make them live again.
  const live = [...keys].flatMap(([keyId, { revoked }]) => (revoked ? [] : [keyId]));
  return accept<AccountEvent>(
    { type: 'AccountClosed', reason, ...(askedBy === undefined ? {} : { askedBy }) },
    ...live.map((keyId) => ({ type: 'KeyRevoked', keyId, reason: 'account closed' }) as const),
    ...expirePromotional(wallet, [], wallet.held),
  );
};

export const erasePersonalData = (
  { reason }: CommandOf<'ErasePersonalData'>,
  { standing, wallet }: Account,
): AccountDecision => {
  if (standing.status !== 'closed') return no('account_not_closed');
  if (standing.erased) return accept();
  if (wallet.holds.size > 0) return no('holds_open');
  return accept({ type: 'PersonalDataErased', reason });
};

/** What ends with a hold: the credits of promotional lots that were kept for it, if the account was closed meanwhile. */
export const expireWithHold = (
  { standing, wallet }: Account,
  hold: Credits,
  drawn: readonly Draw[] = [],
): readonly AccountEvent[] =>
  standing.status === 'closed' ? expirePromotional(wallet, drawn, wallet.held - hold) : [];

/**
 * One event for each promotional lot that has credits beyond `held` once `drawn` is paid. Lots are kept for holds in the
 * order in which they pay, so that a hold that was placed before the end is still paid by the same lots.
 */
const expirePromotional = ({ lots }: Wallet, drawn: readonly Draw[], held: Credits): readonly AccountEvent[] => {
  const paid = new Map(drawn.map(({ lotId, amount }) => [lotId, amount]));
  let kept = held;
  return [...lots].flatMap(([lotId, { remaining, source }]): readonly AccountEvent[] => {
    const left = remaining - (paid.get(lotId) ?? 0n);
    const needed = min(left, kept);
    kept -= needed;
    const amount = left - needed;
    if (source.kind !== 'grant' || amount === 0n) return [];
    return [{ type: 'LotExpired', lotId, amount, reason: 'account_closed' }];
  });
};
