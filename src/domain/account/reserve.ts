import { accept, refuse } from '../decider.ts';
import type { Credits } from '../money.ts';
import type { Account } from './account.ts';
import type { AccountDecision, AccountRefusal, ReserveCredits } from './commands.ts';
import { mustAcceptFirst } from './conduct/acceptance.ts';
import type { Standing } from './standing.ts';
import { available, tokensHeld, type Wallet } from './wallet.ts';
import {
  concurrencyInTheWay,
  expired,
  forbids,
  limitedBy,
  paceInTheWay,
  spendingInTheWay,
  withinSpending,
  withoutOtherHolds,
  type Limited,
} from './limits/within-limits.ts';

export const no = (code: AccountRefusal['code']): AccountDecision => refuse({ code });

/** Names the causes, because each needs another action of the customer. */
export const refuseSuspended = ({ suspensions }: Standing): AccountDecision =>
  refuse({ code: 'account_suspended', causes: [...new Set(suspensions.map(({ cause }) => cause.kind))] });

/** Whether a request may start: checks account and key, then limits, then credits. */
export const reserve = (command: ReserveCredits, account: Account): AccountDecision => {
  const { type: _, terms: __, spare = 0n, ...asked } = command;
  const { standing, keys, wallet, tallies } = account;
  const key = keys.get(asked.keyId);
  if (standing.status === 'suspended') return refuseSuspended(standing);
  if (standing.termsVersion === null || mustAcceptFirst(command, account)) return no('terms_not_accepted');
  if (!key) return no('key_not_found');
  if (key.revoked) return no('key_revoked');
  const at = Math.max(asked.at, tallies.at);
  const limited = limitedBy(tallies, asked.keyId);
  if (limited.some((one) => expired(one, at))) return no('key_expired');
  if (limited.some((one) => forbids(one, asked.price.model))) return no('model_not_allowed');
  if (asked.amount < 0n) return no('invalid_amount');
  const held = wallet.holds.get(asked.requestId)?.amount;
  if (held === asked.amount) return accept(); // A retry: its credits are held already.
  if (held !== undefined) return no('request_id_reused');
  const concurrency = concurrencyInTheWay(limited);
  if (concurrency) return refuse({ code: 'concurrency_limit_exceeded', limit: concurrency });
  const pace = paceInTheWay(limited, at, tokensHeld(asked.request));
  if (pace) return refuse({ code: 'rate_limit_exceeded', limit: pace });
  const refused = refuseSpending(wallet, limited, at, asked.amount + spare, 0n);
  return refused ?? accept({ type: 'CreditsReserved', ...asked, at });
};

/**
 * Refuses a further step to a request under way if its account was suspended, or its key was revoked or has expired. What
 * it already holds may still be delivered and is charged.
 */
export const refuseStep = (
  { standing, keys, tallies }: Account,
  keyId: string | undefined,
  at: number,
): AccountDecision | undefined => {
  if (standing.status === 'suspended') return refuseSuspended(standing);
  if (keyId === undefined) return undefined;
  if (keys.get(keyId)?.revoked) return no('key_revoked');
  return limitedBy(tallies, keyId).some((one) => expired(one, at)) ? no('key_expired') : undefined;
};

/** Undefined if `needed` more may be held; `own` is what the request already holds. */
export const refuseSpending = (
  wallet: Wallet,
  limited: readonly Limited[],
  at: number | null,
  needed: Credits,
  own: Credits,
): AccountDecision | undefined => {
  const free = available(wallet);
  const heldByOthers = wallet.held - own;
  const inTheWay = spendingInTheWay(limited, at, needed, own);
  if (!inTheWay && needed <= free) return undefined;
  const withoutHolds = withoutOtherHolds(limited, at, free + heldByOthers, own);
  // When other requests end, the limit would no longer matter, but credits would still be insufficient.
  if (!inTheWay || (inTheWay.mayPass && needed > free + heldByOthers)) {
    return refuse({
      // Credits that other requests hold may be released, so a retry can succeed without a top-up.
      code: needed <= withoutHolds ? 'credits_held_by_concurrent_requests' : 'insufficient_credits',
      funds: { needed, available: free, held: heldByOthers, withoutHolds },
    });
  }
  const { facts, mayPass } = inTheWay;
  return refuse({
    code: mayPass ? 'limit_held_by_concurrent_requests' : `${facts.scope}_limit_exceeded`,
    funds: { needed, available: withinSpending(limited, at, free), held: facts.held, withoutHolds },
    limit: facts,
  });
};
