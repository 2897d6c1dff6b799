import { approvalOfStream } from '../../domain/approvals/approvals.ts';
import { invitationOfStream } from '../../domain/identity/invitations.ts';
import type { DomainEvent, Fact } from '../../eventstore/journal/codec.ts';
import type { Consumer } from '../follow.ts';

type Open = {
  /** The account of an invitation; null for the staff and for approvals. */
  readonly accountId: string | null;
  readonly until: number;
};

export type OpenMatters = Consumer & {
  /** The ids of invitations to an account, or with null to the staff, that can still be accepted. The oldest is first. */
  invitations(accountId: string | null, now: Date): readonly string[];
  /** The ids of approvals that can still be given. The oldest is first. */
  approvals(now: Date): readonly string[];
};

const ENDS: ReadonlySet<string> = new Set<DomainEvent['type']>([
  ...(['InvitationAccepted', 'InvitationRevoked', 'ApprovalRefused', 'ActApproved'] as const),
]);

/** What waits for a person, in memory, from the log. */
export const createOpenMatters = (): OpenMatters => {
  const invitations = new Map<string, Open>();
  const approvals = new Map<string, Open>();
  let position = 0;
  return {
    name: 'open_matters',
    types: new Set(['PersonInvited', 'ApprovalAsked', ...ENDS]),
    position: () => position,
    apply: (batch, upTo) => {
      for (const fact of batch) {
        if (fact.position <= position) continue;
        follow(invitations, invitationOfStream(fact.stream), fact);
        follow(approvals, approvalOfStream(fact.stream), fact);
      }
      position = Math.max(position, upTo);
      return position;
    },
    invitations: (accountId, now) =>
      [...open(invitations, now)].flatMap(([id, one]) => (one.accountId === accountId ? [id] : [])),
    approvals: (now) => [...open(approvals, now)].map(([id]) => id),
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

/** Forgets what has ended. */
const open = (matters: Map<string, Open>, now: Date): ReadonlyMap<string, Open> => {
  for (const [id, { until }] of matters) if (until <= now.getTime()) matters.delete(id);
  return matters;
};
