import { randomUUID } from 'node:crypto';
import type { TermsEvent } from '../../domain/terms/events.ts';
import {
  TERMS_STREAM,
  termsDecider,
  type Terms,
  type TermsCommand,
  type TermsRefusal,
} from '../../domain/terms/terms.ts';
import { createCommands } from '../../eventstore/commands.ts';
import { createCommitter } from '../../eventstore/committer.ts';
import { journal } from '../../eventstore/journal/codec.ts';
import { readLogClock } from '../../eventstore/postgres/log-clock.ts';
import { readableByLiveRuns } from '../../reactions/runs/runs.ts';
import { CliFault } from '../terminal/fault.ts';
import type { OpenDatabase } from '../terminal/open-database.ts';

const refusals: Readonly<Record<TermsRefusal['code'], string>> = {
  terms_version_changed:
    'This version was already published with another text, summary, significance or effect. Publish a new version.',
  terms_version_not_newer: 'This document already has this version or a newer one. Choose a later date.',
  notice_too_short: 'A significant version takes effect at least 14 days after its publication. Choose a later --at.',
  takes_effect_too_soon: 'A version takes effect at least a minute after its publication. Choose a later --at.',
  takes_effect_before_another_version:
    'A version that takes effect later was already published. Choose a later --at, or withdraw that version first.',
  terms_version_in_force: 'This version is or was in force, or takes effect within a minute. Publish a new version.',
  terms_version_not_found: 'There is no such version. npm run terms -- list shows all versions.',
};

/** Throws the refusal of a command without executing it. */
export const expectAccepted = (command: TermsCommand, state: Terms): readonly TermsEvent[] => {
  const decision = termsDecider.decide(command, state);
  if (decision.kind === 'refused') throw new CliFault(refusals[decision.refusal.code]);
  return decision.events;
};

export type ChangeTerms = {
  readonly state: Terms;
  readonly now: Date;
  /** Executes a command. Running gateways follow it. Empty if nothing changed. */
  readonly execute: (command: TermsCommand) => Promise<readonly TermsEvent[]>;
};

export const changeTerms = async <Result>(
  { store, url }: OpenDatabase,
  change: (terms: ChangeTerms) => Promise<Result>,
): Promise<Result> => {
  const readable = await readableByLiveRuns(url);
  // The clock of the log decides when a version takes effect.
  const { now } = await readLogClock(url);
  const committer = createCommitter({ store });
  const terms = createCommands({ store, committer, codec: journal, decider: termsDecider, readable: () => readable });
  const execute: ChangeTerms['execute'] = async (command) => {
    const metadata = { actor: 'cli:terms', commandId: `cli:terms/${randomUUID()}` };
    const outcome = await terms.execute(TERMS_STREAM, command, metadata);
    if (outcome.kind === 'refused') throw new CliFault(refusals[outcome.refusal.code]);
    return outcome.events;
  };
  try {
    const { state } = await terms.read(TERMS_STREAM);
    return await change({ state, now, execute });
  } finally {
    await committer.close();
  }
};
