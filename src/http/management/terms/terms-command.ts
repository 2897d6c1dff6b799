import type { TermsEvent } from '../../../domain/terms/events.ts';
import { TERMS_STREAM, type TermsCommand } from '../../../domain/terms/terms.ts';
import { problem, type Problem } from '../../server/problems.ts';
import type { ManagementDeps } from '../router/deps.ts';
import { published } from '../router/published.ts';
import type { Identity } from '../router/route.ts';

/** The event of a command, written by this or an earlier request; undefined if nothing changed. */
type Done = { readonly event: TermsEvent | undefined; readonly repeated: boolean };

/** Executes a command on the documents. */
export const carryOut = async (
  deps: ManagementDeps,
  identity: Identity,
  command: TermsCommand,
): Promise<Done | Problem> => {
  const { actor, commandId, mayRepeat, requestId } = identity;
  const metadata = { actor, commandId, correlationId: requestId };
  const outcome = await deps.termsCommands.execute(TERMS_STREAM, command, metadata, { mayRepeat });
  if (outcome.kind === 'refused') return problem(outcome.refusal.code);
  const { events, position, repeated } = outcome;
  // The response is sent once this node has applied the event.
  if (position !== undefined) await published(deps, position);
  return { event: events[0], repeated };
};
