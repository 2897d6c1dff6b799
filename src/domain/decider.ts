/** The result of a command: the events that it causes, or a refusal. Without events, the command changes nothing. */
export type Decision<Event, Refusal> = Accepted<Event> | Refused<Refusal>;
export type Accepted<Event> = { readonly kind: 'accepted'; readonly events: readonly Event[] };
export type Refused<Refusal> = { readonly kind: 'refused'; readonly refusal: Refusal };

export const accept = <Event>(...events: Event[]): Accepted<Event> => ({ kind: 'accepted', events });
export const refuse = <Refusal>(refusal: Refusal): Refused<Refusal> => ({ kind: 'refused', refusal });

/**
 * One kind of stream: its initial state, how events change it, and what commands may do to it. `evolve` may change the given
 * state in place, so a caller that needs the old state copies it first (`structuredClone`).
 */
export type Decider<State, Command, Event, Refusal> = {
  readonly initial: () => State;
  readonly evolve: (state: State, event: Event) => State;
  readonly decide: (command: Command, state: State) => Decision<Event, Refusal>;
};

/** Broken promise: a defect of this software. It is not caught: the request ends with a 500 and is counted. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

export function invariant(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new BrokenPromise(promise);
}
