import { hash } from 'node:crypto';
import { accountStream } from '../../../domain/account/account.ts';
import type { AccountCommand } from '../../../domain/account/decide.ts';
import type { AccountEvent } from '../../../domain/account/events.ts';
import { invariant } from '../../../domain/decider.ts';
import { documentPaths } from '../../../domain/terms/names.ts';
import type { Recorded } from '../../../eventstore/journal/codec.ts';
import { recordedBy } from '../../../eventstore/journal/recorded-by.ts';
import { problem, refusalProblem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from './deps.ts';
import type { Identity } from './route.ts';

/** The effect of a command: its first event, appended now or by an earlier request; undefined if nothing changed. */
export type Done = {
  readonly recorded: Recorded<AccountEvent> | undefined;
  /** All its events, including the first. */
  readonly events: readonly AccountEvent[];
  readonly revision: number;
  readonly repeated: boolean;
};

/** The command id of an Idempotency-Key in a scope. */
export const commandIdOf = (scope: string, idempotencyKey: string): string =>
  `idem-${hash('sha256', JSON.stringify([scope, idempotencyKey]), 'hex')}`;

/**
 * Executes a command of the caller. For a repetition, `isAsked` compares the events of the earlier command with the
 * request, or returns why they cannot be compared. Only the log is kept, so a command without events is decided anew.
 */
export const carryOut = async (
  { commands, store, publicUrl }: ManagementDeps,
  { commandId, mayRepeat, requestId, actor }: Identity,
  accountId: string,
  command: AccountCommand,
  isAsked: (event: AccountEvent, all: readonly AccountEvent[]) => boolean | Problem | Promise<boolean | Problem>,
): Promise<Done | Problem> => {
  const metadata = { actor, commandId, correlationId: requestId };
  const outcome = await commands.execute(accountStream(accountId), command, metadata, { mayRepeat });
  if (outcome.kind === 'refused') return refusalProblem(outcome.refusal, `${publicUrl()}${documentPaths.terms}`);
  const { revision, repeated, events } = outcome;
  if (events.length === 0) return { recorded: undefined, events, revision, repeated };
  // Read back because the store sets the time.
  const recorded = await recordedBy(store, accountId, commandId);
  invariant(recorded !== undefined, 'an appended event can be read');
  const asAsked = repeated ? await isAsked(recorded.event, events) : true;
  if (asAsked === true) return { recorded, events, revision, repeated };
  return asAsked || problem('idempotency_key_reused');
};
