import { isSuspendedFor, openDebtOf } from '../money-books.ts';
import type { Audited, Auditor } from './auditor.ts';

/** What an account may do: registration, terms, suspensions, keys, closing, erasure. */
export const auditStanding = ({ books, check }: Audited): Auditor & { mayReserve(keyId: string): void } => {
  const liveKeys = new Set<string>();
  let count = 0;
  let hasTerms = false;
  const noLiveKey = (): void => check(!books.closed || liveKeys.size === 0, 'a closed account has no live key');
  return {
    mayReserve: (keyId) => {
      check(
        hasTerms && books.suspensions.length === 0 && !books.closed,
        'only an account in good standing holds credits',
      );
      check(liveKeys.has(keyId), 'only a live key holds credits');
    },
    before: (event) => {
      check((count++ === 0) === (event.type === 'AccountRegistered'), 'an account is registered first and once');
      // What a closing leads to comes in the same append, right after it.
      if (!['KeyRevoked', 'LotExpired', 'UsageWrittenOff'].includes(event.type)) noLiveKey();
      switch (event.type) {
        case 'TermsAccepted':
          check(!books.closed, 'a closed account accepts no terms');
          hasTerms = true;
          break;
        case 'AccountClosed':
          check(!books.closed, 'an account is closed once');
          break;
        case 'PersonalDataErased':
          check(books.closed && books.holds.size === 0, 'only what is closed and has ended is erased');
          check(
            openDebtOf(books) === 0n && books.lots.every(({ refunds, open }) => refunds.size === 0 && open.size === 0),
            'only what is closed and has ended is erased',
          );
          break;
        case 'AccountSuspended':
          check(!books.closed, 'a closed account stays closed');
          check(!isSuspendedFor(books, event.cause), 'a cause suspends an account once');
          break;
        case 'AccountReinstated':
          check(!books.closed, 'a closed account stays closed');
          check(isSuspendedFor(books, event.cause), 'a reinstatement removes a cause');
          break;
        case 'KeyIssued':
          check(!books.closed, 'a closed account is issued no key');
          liveKeys.add(event.keyId);
          break;
        case 'KeyLeakReported':
          check(!liveKeys.has(event.keyId), 'a key is revoked before its leak is reported');
          break;
        case 'KeyRehashed':
          check(liveKeys.has(event.keyId), 'only a live key is hashed again');
          break;
        case 'KeyRevoked':
          liveKeys.delete(event.keyId);
          break;
        default:
      }
    },
    end: noLiveKey,
  };
};
