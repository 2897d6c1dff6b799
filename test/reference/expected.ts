import { isDeepStrictEqual } from 'node:util';
import type { AccountRefusal } from '../../src/domain/account/decide.ts';
import type { Effect, Verdict } from './rules/decision.ts';

/** Whether events are exactly those that must happen. */
export const areExpected = (events: readonly object[], effects: readonly Effect[]): boolean =>
  events.length === effects.length &&
  effects.every((effect, n) =>
    Object.entries(effect).every(([field, value]) =>
      isDeepStrictEqual((events[n] as Readonly<Record<string, unknown>>)[field], value),
    ),
  );

/** The refusing limit is only information for the customer; the other fields contain the decision. */
export const isExpected = ({ limit: _, ...refusal }: AccountRefusal, verdict: Verdict): boolean =>
  'refusal' in verdict && isDeepStrictEqual(refusal, verdict.refusal);
