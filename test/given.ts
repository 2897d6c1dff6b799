import { expect } from 'vitest';
import { accept, type Decider } from '../src/domain/decider.ts';

type Code<Refusal> = Refusal extends { readonly code: infer C } ? C : never;

/**
 * Specifies a decider by example: `given(…events).when(command).then(…events)`. `background` is what has happened before
 * every one of the examples.
 */
export const specify =
  <State, Command, Event, Refusal extends { readonly code: string }>(
    decider: Decider<State, Command, Event, Refusal>,
    ...background: Event[]
  ) =>
  (...events: Event[]) => ({
    when: (command: Command) => {
      const state = [...background, ...events].reduce((past, event) => decider.evolve(past, event), decider.initial());
      const before = structuredClone(state);
      const decision = decider.decide(command, state);
      expect(state, 'deciding changes nothing').toStrictEqual(before);
      return {
        /** Accepted with exactly these events; without any, because it is so already. */
        then: (...expected: Event[]): void => expect(decision).toStrictEqual(accept(...expected)),
        /** With `details`, they are all that the refusal says besides its code. */
        thenRefused: (code: Code<Refusal>, details?: Omit<Refusal, 'code'>): void => {
          const refusal = details ? { code, ...details } : (expect.objectContaining({ code }) as unknown);
          expect(decision).toStrictEqual({ kind: 'refused', refusal });
        },
      };
    },
  });
