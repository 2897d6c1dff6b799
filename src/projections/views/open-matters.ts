import { accountOfStream } from '../../domain/account/account.ts';
import type { DuplicateSignal } from '../../domain/account/events.ts';
import { approvalOfStream } from '../../domain/approvals/approvals.ts';
import { invitationOfStream } from '../../domain/identity/invitations.ts';
import type { DomainEvent, Fact } from '../../eventstore/journal/codec.ts';
import type { Consumer } from '../follow.ts';

type Open = {
  /** The account of an invitation; null for the staff and for approvals. */
  readonly accountId: string | null;
  readonly until: number;
};

export type Duplicate = {
  readonly accountId: string;
  /** The older account. */
  readonly other: string;
  readonly signal: DuplicateSignal;
  readonly suspectedAt: Date;
};

export type OpenMatters = Consumer & {
  /** The ids of invitations to an account, or with null to the staff, that can still be accepted. The oldest is first. */
  invitations(accountId: string | null, now: Date): readonly string[];
  /** The ids of approvals that can still be given. The oldest is first. */
  approvals(now: Date): readonly string[];
  /** The suspicions that staff has not dismissed, of accounts that are not closed. The newest is first. */
  duplicates(): readonly Duplicate[];
};

const ENDS: ReadonlySet<string> = new Set<DomainEvent['type']>([
  ...(['InvitationAccepted', 'InvitationRevoked', 'ApprovalRefused', 'ActApproved'] as const),
]);

const OF_DUPLICATES = [
  ...(['DuplicateSuspected', 'DuplicateDismissed', 'AccountClosed'] as const),
] satisfies readonly DomainEvent['type'][];

/** What waits for a person, in memory, from the log. */
export const createOpenMatters = (): OpenMatters => {
  const invitations = new Map<string, Open>();
  const approvals = new Map<string, Open>();
  const duplicates = new Map<string, Duplicate>();
  let position = 0;
  return {
    name: 'open_matters',
    types: new Set(['PersonInvited', 'ApprovalAsked', ...ENDS, ...OF_DUPLICATES]),
    position: () => position,
    apply: (batch, upTo) => {
      for (const fact of batch) {
        if (fact.position <= position) continue;
        follow(invitations, invitationOfStream(fact.stream), fact);
        follow(approvals, approvalOfStream(fact.stream), fact);
        followDuplicates(duplicates, accountOfStream(fact.stream), fact);
      }
      position = Math.max(position, upTo);
      return position;
    },
    invitations: (accountId, now) =>
      [...open(invitations, now)].flatMap(([id, one]) => (one.accountId === accountId ? [id] : [])),
    approvals: (now) => [...open(approvals, now)].map(([id]) => id),
    duplicates: () => [...duplicates.values()].reverse(),
  };
};

const follow = (matters: Map<string, Open>, id: string | undefined, { event }: Fact): void => {
  if (id === undefined) return;
  if (event.type === 'PersonInvited') {
    const { to, until } = event;
    matters.set(id, { accountId: to.kind === 'member' ? to.accountId : null, until });
  } else if (event.type === 'ApprovalAsked') {
    matters.set(id, { accountId: null, until: event.until });
  } else if (ENDS.has(event.type)) {
    matters.delete(id);
  }
};

/** In the order of the log. */
const followDuplicates = (
  duplicates: Map<string, Duplicate>,
  accountId: string | undefined,
  { event, time: suspectedAt }: Fact,
): void => {
  if (accountId === undefined) return;
  if (event.type === 'DuplicateSuspected') {
    const { other, signal } = event;
    duplicates.set(`${accountId} ${other}`, { accountId, other, signal, suspectedAt });
  } else if (event.type === 'DuplicateDismissed') {
    duplicates.delete(`${accountId} ${event.other}`);
  } else if (event.type === 'AccountClosed') {
    for (const [id, one] of duplicates) if (one.accountId === accountId) duplicates.delete(id);
  }
};

/** Forgets what has ended. */
const open = (matters: Map<string, Open>, now: Date): ReadonlyMap<string, Open> => {
  for (const [id, { until }] of matters) if (until <= now.getTime()) matters.delete(id);
  return matters;
};
