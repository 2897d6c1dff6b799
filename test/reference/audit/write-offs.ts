import type { AccountEvent, PinnedPrice } from '../../../src/domain/account/events.ts';
import { costOf } from '../usage-cost.ts';
import type { Audited, Auditor } from './auditor.ts';

/** Each cost is charged or written off. */
export const auditWriteOffs = ({ check, expectNext }: Audited): Auditor => {
  /** What the event before did not charge of its cost. */
  let due: bigint | undefined;
  /** The charge that the event before was, if it was one: what came beyond a limit is written off right after it. */
  let charged: { readonly requestId: string; readonly price: PinnedPrice } | undefined;
  /** Whose holds were given back, and of which nothing was charged or written off since. */
  const givenBack = new Set<string>();

  const checkWriteOff = ({ requestId, amount, beyond }: Extract<AccountEvent, { type: 'UsageWrittenOff' }>): void => {
    const ofCharge = charged?.requestId === requestId ? charged : undefined;
    if (ofCharge) {
      const rest = (due ?? 0n) + costOf(beyond ?? nothingUsed, ofCharge.price);
      check(rest === amount, 'cost = charged + written off');
    } else check(due === undefined && givenBack.delete(requestId), 'cost = charged + written off');
    check(amount > 0n, 'a write-off has an amount');
  };

  return {
    before: (event) => {
      if (event.type === 'UsageWrittenOff') checkWriteOff(event);
      [due, charged] = [undefined, undefined];
      if (event.type === 'HoldReleased') givenBack.add(event.requestId);
      if (event.type === 'LateUsageCharged') givenBack.delete(event.requestId);
      if (event.type !== 'HoldSettled' && event.type !== 'LateUsageCharged') return;
      charged = { requestId: event.requestId, price: event.price };
      if (event.charged === event.cost) return;
      due = event.cost - event.charged;
      expectNext('what is not charged is written off', (next) => next?.type === 'UsageWrittenOff');
    },
  };
};

const nothingUsed = { input: 0, cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0 };
