import { isDeepStrictEqual } from 'node:util';
import type { RequestFacts } from '../../../src/domain/account/events.ts';
import { openLimitBooks } from '../limit-books.ts';
import { availableOf, drawsOf, smaller, type Hold } from '../money-books.ts';
import { costOf, tokensOf } from '../usage-cost.ts';
import { sum } from '../../support/money.ts';
import type { Audited, Auditor, EventOf } from './auditor.ts';

/** Holds, charges and limits. */
export const auditHolds = ({ books, check }: Audited, mayReserve: (keyId: string) => void): Auditor => {
  const limits = openLimitBooks();

  const holdOf = (requestId: string): Hold => {
    const hold = books.holds.get(requestId);
    check(hold !== undefined, 'a hold ends once, and nothing touches it then');
    return hold ?? { amount: 0n, keyId: '', price: { model: '', version: 0, rates: noRates }, at: undefined };
  };
  const checkSpending = (keyId: string, at: number | undefined, amount: bigint): void =>
    check(limits.within(keyId, at, amount) === amount, 'no hold grows beyond a limit on spending');

  const reserve = (event: EventOf<'CreditsReserved'>): void => {
    const { requestId, keyId, amount, at, price, request } = event;
    mayReserve(keyId);
    check(amount >= 0n && !books.holds.has(requestId), 'a request holds credits once');
    checkSpending(keyId, at, amount);
    limits.reserve({ requestId, keyId, at, held: amount, tokens: boundOf(request) });
    if (at === undefined) return;
    const asked = { keyId, at, model: price.model, tokens: 0, amount: 0n };
    const broken = limits.expiredOrForbidden(asked) ?? limits.check(keyId, at);
    check(broken === undefined, `what is let in keeps every limit (${broken})`);
  };

  const checkCharge = (
    event: EventOf<'HoldSettled' | 'LateUsageCharged'>,
    within: bigint,
    at: number | undefined,
  ): void => {
    const { cost, charged, drawn, usage, price } = event;
    check(cost === costOf(usage, price), 'a receipt can be recomputed');
    check(charged === smaller(cost, within), 'a charge is the cost, or all that may be touched');
    check(sum(drawn.map(({ amount }) => amount)) === charged, 'the draws sum up to the charge');
    check(isDeepStrictEqual(drawn, drawsOf(books, charged, at)), 'lots pay in their order, and no more than is free');
  };

  const settle = (event: EventOf<'HoldSettled'>): void => {
    const { requestId, keyId, price, charged, held, released } = event;
    const hold = holdOf(requestId);
    check(held === hold.amount && keyId === hold.keyId, 'a settlement has the amounts of its hold');
    check(isDeepStrictEqual(price, hold.price), 'a settlement is by the price that the hold pinned');
    check(released === (charged < held ? held - charged : 0n), 'what a hold kept beyond the charge is given back');
    const at = limits.atOf(requestId);
    checkCharge(event, held + limits.within(keyId, at, availableOf(books)), at);
    limits.end(requestId, charged, tokensOf(event.usage));
  };

  return {
    before: (event) => {
      switch (event.type) {
        case 'KeyIssued':
          if (event.replaces !== undefined) limits.replace(event.replaces, event.keyId);
          break;
        case 'KeyLimitsSet':
          limits.setKeyLimits(event.keyId, event.limits);
          break;
        case 'AccountLimitsSet':
          limits.setAccountLimits(event.limits);
          break;
        case 'CreditsReserved':
          reserve(event);
          break;
        case 'HoldExtended': {
          const { keyId } = holdOf(event.requestId);
          check(!books.closed, 'no hold of a closed account grows');
          check(event.by > 0n, 'a hold is extended by something');
          checkSpending(keyId, limits.atOf(event.requestId), event.by);
          limits.extend(event.requestId, event.by, event.at, event.tokens);
          break;
        }
        case 'HoldReleased':
          check(event.released === holdOf(event.requestId).amount, 'a release gives all of the hold back');
          limits.end(event.requestId, 0n, 0);
          break;
        case 'HoldSettled':
          settle(event);
          break;
        case 'LateUsageCharged': {
          const { requestId, keyId, at, charged, usage } = event;
          check(!books.holds.has(requestId), 'late usage has no hold any more');
          checkCharge(event, limits.within(keyId, at, availableOf(books)), at);
          limits.late({ requestId, keyId, at, spent: charged, tokens: tokensOf(usage) });
          break;
        }
        default:
      }
    },
  };
};

const boundOf = (request: RequestFacts): number => request.inputTokensBound + request.outputTokensBound;
const noRates = { input: 0n, cachedInput: 0n, cacheWrite: 0n, output: 0n, reasoning: 0n };
