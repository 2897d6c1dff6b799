import { hash } from 'node:crypto';
import { accountStream } from '../../../domain/account/account.ts';
import type { AccountCommand } from '../../../domain/account/decide.ts';
import type { AccountEvent } from '../../../domain/account/events.ts';
import { invariant } from '../../../domain/decider.ts';
import type { Recorded } from '../../../eventstore/journal/codec.ts';
import { recordedBy } from '../../../eventstore/journal/recorded-by.ts';
import { problem, refusalProblem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from './deps.ts';
import type { Identity } from './route.ts';

/** What came of a command: the event that it left in the log, now or at an earlier time, or none where it was so already. */
export type Done = {
  readonly recorded: Recorded<AccountEvent> | undefined;
  /** All that it left, the first included. */
  readonly events: readonly AccountEvent[];
  readonly revision: number;
  readonly repeated: boolean;
};

/** The same key in the same scope names the same command. */
export const commandIdOf = (scope: string, idempotencyKey: string): string =>
  `idem-${hash('sha256', JSON.stringify([scope, idempotencyKey]), 'hex')}`;

/**
 * Carries out a command of the administrator; what it writes, its first event tells. `isAsked` tells whether events say what
 * is asked now, or why nobody can tell: the log is all that is kept of an earlier command, so one that wrote nothing is decided anew.
 */
export const carryOut = async (
  { commands, store }: ManagementDeps,
  { commandId, mayRepeat, requestId }: Identity,
  accountId: string,
  command: AccountCommand,
  isAsked: (event: AccountEvent, all: readonly AccountEvent[]) => boolean | Problem | Promise<boolean | Problem>,
): Promise<Done | Problem> => {
  const metadata = { actor: 'admin', commandId, correlationId: requestId };
  const outcome = await commands.execute(accountStream(accountId), command, metadata, { mayRepeat });
  if (outcome.kind === 'refused') return refusalProblem(outcome.refusal);
  const { revision, repeated, events } = outcome;
  if (events.length === 0) return { recorded: undefined, events, revision, repeated };
  // Read back for the time, which is the store's.
  const recorded = await recordedBy(store, accountId, commandId);
  invariant(recorded !== undefined, 'what was appended can be read');
  const asAsked = repeated ? await isAsked(recorded.event, events) : true;
  if (asAsked === true) return { recorded, events, revision, repeated };
  return asAsked || problem('idempotency_key_reused');
};
