/**
 * The answer to a command: the events that it causes, or the reason why it may not happen. No events means that what was
 * asked is already so.
 */
export type Decision<Event, Refusal> = Accepted<Event> | Refused<Refusal>;
export type Accepted<Event> = { readonly kind: 'accepted'; readonly events: readonly Event[] };
export type Refused<Refusal> = { readonly kind: 'refused'; readonly refusal: Refusal };

export const accept = <Event>(...events: Event[]): Accepted<Event> => ({ kind: 'accepted', events });
export const refuse = <Refusal>(refusal: Refusal): Refused<Refusal> => ({ kind: 'refused', refusal });

/**
 * One kind of stream: what it starts as, how events change it, and what may happen to it. `evolve` may change the state
 * it is given instead of copying it, so a caller that needs the old state copies it first (`structuredClone`).
 */
export type Decider<State, Command, Event, Refusal> = {
  readonly initial: () => State;
  readonly evolve: (state: State, event: Event) => State;
  readonly decide: (command: Command, state: State) => Decision<Event, Refusal>;
};

/** A promise of ours that turned out broken. Nobody catches it: the request dies as a 500 and is counted. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

export function invariant(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new BrokenPromise(promise);
}
