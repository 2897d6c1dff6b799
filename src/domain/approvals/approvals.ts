import { accept, refuse, type Decider, type Decision } from '../decider.ts';
import type { StaffRole } from '../identity/person-events.ts';
import type { Credits } from '../money.ts';

/** What needs two persons. */
export type Act =
  | {
      readonly kind: 'grant';
      readonly accountId: string;
      readonly amount: Credits;
      /** Of the credits, in ms since the epoch; absent: they do not end. */
      readonly endsAt?: number;
    }
  /** The approval of a request for a refund. The amount is without tax. */
  | {
      readonly kind: 'refund';
      readonly accountId: string;
      readonly paymentId: string;
      readonly refundId: string;
      readonly amount: Credits;
    };

/** The staff that may do an act, and approve it. */
export const ROLES_FOR: Readonly<Record<Act['kind'], readonly StaffRole[]>> = {
  grant: ['finance', 'owner'],
  refund: ['finance', 'owner'],
};

/** How many different persons stand behind an act. */
const PERSONS = 2;
export const APPROVAL_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * The events of one approval. Names and fields are on disk permanently. Until `until` (ms since the epoch) it can be given.
 * The person who asks counts as the first; if a program without a person asks, two others must give it.
 */
export type ApprovalEvent =
  | {
      readonly type: 'ApprovalAsked';
      readonly act: Act;
      readonly reason: string;
      /** The actor, such as `staff:per_…` or `service:tok_…`. */
      readonly by: string;
      /** The person behind the actor: of a service token, the person who created it. Null if there is none. */
      readonly personId: string | null;
      readonly until: number;
    }
  | { readonly type: 'ApprovalGiven'; readonly personId: string }
  | { readonly type: 'ApprovalRefused'; readonly personId: string; readonly reason: string }
  /** Enough persons have given it. The act follows, by the authority of `personId`. */
  | { readonly type: 'ActApproved'; readonly personId: string }
  | { readonly type: 'ActCarriedOut' }
  /** The act was refused with this code when it was carried out. */
  | { readonly type: 'ActFailed'; readonly code: string };

type Asked = Omit<Extract<ApprovalEvent, { type: 'ApprovalAsked' }>, 'type'>;

export type ApprovalCommand =
  | ({ readonly type: 'AskApproval' } & Asked)
  | { readonly type: 'GiveApproval'; readonly personId: string; readonly role: StaffRole; readonly at: number }
  | { readonly type: 'RefuseApproval'; readonly personId: string; readonly reason: string }
  | { readonly type: 'RecordAct' }
  | { readonly type: 'RecordActFailure'; readonly code: string };

/** In order of precedence. */
export const approvalRefusalCodes = [
  'approval_not_found',
  'approval_closed',
  'approval_ended',
  'role_not_sufficient',
  'second_person_required',
] as const;
export type ApprovalRefusal = { readonly code: (typeof approvalRefusalCodes)[number] };

export type Approval =
  | { readonly status: 'unknown' }
  | (Asked & {
      readonly status: 'waiting' | 'refused' | 'approved' | 'done' | 'failed';
      readonly givenBy: readonly string[];
      readonly refusedBy: string | null;
      /** Why it was refused, or the code with which the act failed. */
      readonly failure: string | null;
    });

export const evolveApproval = (approval: Approval, event: ApprovalEvent): Approval => {
  if (event.type === 'ApprovalAsked') {
    const { type: _, ...asked } = event;
    return { ...asked, status: 'waiting', givenBy: [], refusedBy: null, failure: null };
  }
  if (approval.status === 'unknown') return approval;
  switch (event.type) {
    case 'ApprovalGiven':
      return { ...approval, givenBy: [...approval.givenBy, event.personId] };
    case 'ApprovalRefused':
      return { ...approval, status: 'refused', refusedBy: event.personId, failure: event.reason };
    case 'ActApproved':
      return { ...approval, status: 'approved' };
    case 'ActCarriedOut':
      return { ...approval, status: 'done' };
    case 'ActFailed':
      return { ...approval, status: 'failed', failure: event.code };
  }
};

type ApprovalDecision = Decision<ApprovalEvent, ApprovalRefusal>;
const no = (code: ApprovalRefusal['code']): ApprovalDecision => refuse({ code });

export const decideApproval = (command: ApprovalCommand, approval: Approval): ApprovalDecision => {
  if (command.type === 'AskApproval') {
    const { type: _, ...asked } = command;
    return approval.status === 'unknown' ? accept({ type: 'ApprovalAsked', ...asked }) : accept();
  }
  if (approval.status === 'unknown') return no('approval_not_found');
  const { status } = approval;
  switch (command.type) {
    case 'GiveApproval':
      return give(command, approval);
    case 'RefuseApproval': {
      const { personId, reason } = command;
      return status === 'waiting' ? accept({ type: 'ApprovalRefused', personId, reason }) : no('approval_closed');
    }
    case 'RecordAct':
      return status === 'approved' ? accept({ type: 'ActCarriedOut' }) : accept();
    case 'RecordActFailure':
      return status === 'approved' ? accept({ type: 'ActFailed', code: command.code }) : accept();
  }
};

const give = (
  { personId, role, at }: Extract<ApprovalCommand, { type: 'GiveApproval' }>,
  { status, act, personId: asker, givenBy, until }: Exclude<Approval, { status: 'unknown' }>,
): ApprovalDecision => {
  if (givenBy.includes(personId)) return accept();
  if (status !== 'waiting') return no('approval_closed');
  if (at >= until) return no('approval_ended');
  if (!ROLES_FOR[act.kind].includes(role)) return no('role_not_sufficient');
  if (personId === asker) return no('second_person_required');
  const persons = new Set([...givenBy, personId, ...(asker === null ? [] : [asker])]);
  return accept<ApprovalEvent>(
    { type: 'ApprovalGiven', personId },
    ...(persons.size < PERSONS ? [] : [{ type: 'ActApproved' as const, personId }]),
  );
};

export const approvalStream = (approvalId: string): string => `approval-${approvalId}`;

/** The approval of a stream; undefined for streams of other kinds. */
export const approvalOfStream = (stream: string): string | undefined =>
  stream.startsWith('approval-') ? stream.slice('approval-'.length) : undefined;

export const approvalDecider: Decider<Approval, ApprovalCommand, ApprovalEvent, ApprovalRefusal> = {
  initial: () => ({ status: 'unknown' }),
  evolve: evolveApproval,
  decide: decideApproval,
};
