import type { AccountEvent } from '../../src/domain/account/events.ts';
import type { AccountOutcome } from '../../test/eventstore/nodes.ts';

type Received = {
  readonly account: number;
  /** Undefined if the store assigned it after the answer. */
  readonly position: number | undefined;
  readonly revision: number;
  readonly events: readonly AccountEvent[];
};

/** The events that callers have received of each account, and that the log has not lost since. The log never loses the openings. */
export const createReceived = (openings: readonly (readonly AccountEvent[])[]) => {
  let received: readonly Received[] = openings.map((events, account) => ({
    account,
    position: 0,
    revision: -1,
    events,
  }));
  return {
    add: (account: number, answer: AccountOutcome): void => {
      if (answer.kind === 'refused' || answer.events.length === 0) return;
      const { position, revision, events } = answer;
      received = [...received, { account, position, revision, events }];
    },
    goBack: (position: number): void => {
      received = received.filter((one) => (one.position ?? 0) <= position);
    },
    of: (account: number): readonly AccountEvent[] =>
      received
        .filter((one) => one.account === account)
        .toSorted((one, other) => one.revision - other.revision)
        .flatMap(({ events }) => events),
  };
};
