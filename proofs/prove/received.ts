import type { AccountEvent } from '../../src/domain/account/events.ts';
import type { AccountOutcome } from '../../test/eventstore/nodes.ts';

type Received = { readonly account: number; readonly position: number; readonly events: readonly AccountEvent[] };

/** The events that callers have received of each account, and that the log has not lost since. The log never loses the openings. */
export const createReceived = (openings: readonly (readonly AccountEvent[])[]) => {
  let received: readonly Received[] = openings.map((events, account) => ({ account, position: 0, events }));
  return {
    add: (account: number, answer: AccountOutcome): void => {
      if (answer.kind === 'refused' || answer.position === undefined) return;
      received = [...received, { account, position: answer.position, events: answer.events }];
    },
    goBack: (position: number): void => {
      received = received.filter((one) => one.position <= position);
    },
    of: (account: number): readonly AccountEvent[] =>
      received
        .filter((one) => one.account === account)
        .toSorted((one, other) => one.position - other.position)
        .flatMap(({ events }) => events),
  };
};
