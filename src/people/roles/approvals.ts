import { accountStream } from '../../domain/account/account.ts';
import {
  APPROVAL_MS,
  approvalStream,
  type Act,
  type Approval,
  type ApprovalCommand,
  type ApprovalRefusal,
} from '../../domain/approvals/approvals.ts';
import type { StaffRole } from '../../domain/identity/person-events.ts';
import { paymentStream } from '../../domain/payments/payment.ts';
import type { Outcome } from '../../eventstore/commands.ts';
import { derivedId } from '../../eventstore/ids.ts';
import type { Metadata } from '../../eventstore/journal/codec.ts';
import type { PeopleOptions } from '../people-options.ts';

export type ApprovalView = Exclude<Approval, { status: 'unknown' }> & { readonly approvalId: string };

export type AskedAct = {
  readonly act: Act;
  readonly reason: string;
  readonly actor: string;
  /** The person behind the actor; null if there is none. */
  readonly personId: string | null;
  readonly commandId: string;
  readonly mayRepeat: boolean;
  readonly requestId: string;
};

export type Approver = {
  readonly personId: string;
  readonly role: StaffRole;
  readonly commandId: string;
  readonly requestId: string;
};

type Answer = Promise<ApprovalView | ApprovalRefusal>;

export type Approvals = {
  /** The id of a repetition is the same: the caller compares the act. */
  ask(asked: AskedAct): Promise<ApprovalView>;
  find(approvalId: string): Promise<ApprovalView | undefined>;
  /** Carries the act out as soon as enough persons have given their approval. */
  give(approvalId: string, approver: Approver): Answer;
  refuse(approvalId: string, reason: string, approver: Approver): Answer;
  /** After ActApproved. May be repeated. */
  carryOut(approvalId: string): Promise<void>;
};

export const createApprovals = (options: PeopleOptions): Approvals => {
  const { approvals, now } = options;
  const find = async (approvalId: string): Promise<ApprovalView | undefined> => {
    const { state } = await approvals.read(approvalStream(approvalId));
    return state.status === 'unknown' ? undefined : { ...state, approvalId };
  };
  const answer = async (approvalId: string, command: ApprovalCommand, approver: Approver): Answer => {
    const { personId, commandId, requestId } = approver;
    const metadata = { actor: `staff:${personId}`, commandId, correlationId: requestId };
    const outcome = await approvals.execute(approvalStream(approvalId), command, metadata, { mayRepeat: true });
    if (outcome.kind === 'refused') return outcome.refusal;
    await carryOut(options, approvalId);
    return (await find(approvalId)) ?? { code: 'approval_not_found' };
  };
  return {
    ask: async ({ act, reason, actor, personId, commandId, mayRepeat, requestId }) => {
      const approvalId = derivedId('app', commandId);
      const until = now().getTime() + APPROVAL_MS;
      const command = { type: 'AskApproval', act, reason, by: actor, personId, until } as const;
      const metadata = { actor, commandId, correlationId: requestId };
      await approvals.execute(approvalStream(approvalId), command, metadata, { mayRepeat });
      const asked = await find(approvalId);
      if (!asked) throw new Error('An approval that was asked for can be read.');
      return asked;
    },
    find,
    give: (approvalId, approver) => {
      const { personId, role } = approver;
      return answer(approvalId, { type: 'GiveApproval', personId, role, at: now().getTime() }, approver);
    },
    refuse: (approvalId, reason, approver) =>
      answer(approvalId, { type: 'RefuseApproval', personId: approver.personId, reason }, approver),
    carryOut: (approvalId) => carryOut(options, approvalId),
  };
};

const carryOut = async (options: PeopleOptions, approvalId: string): Promise<void> => {
  const { approvals } = options;
  const stream = approvalStream(approvalId);
  const { state } = await approvals.read(stream);
  if (state.status !== 'approved') return;
  const approver = state.givenBy.at(-1) ?? '';
  const metadata = (step: string): Metadata => ({
    ...{ actor: `staff:${approver}`, commandId: derivedId(step, approvalId), correlationId: approvalId },
  });
  const done = await perform(options, { ...state, approvalId }, metadata('act'));
  const record: ApprovalCommand =
    done.kind === 'accepted' ? { type: 'RecordAct' } : { type: 'RecordActFailure', code: done.refusal.code };
  await approvals.execute(stream, record, metadata('done'), { mayRepeat: true });
};

const perform = (
  { accounts, payments }: PeopleOptions,
  { act, reason, approvalId }: ApprovalView,
  metadata: Metadata,
): Promise<Outcome<unknown, { readonly code: string }>> => {
  switch (act.kind) {
    case 'grant': {
      const lotId = lotOfApproval(approvalId);
      const { amount, endsAt } = act;
      const ends = endsAt === undefined ? {} : { endsAt };
      const command = { type: 'TopUp', lotId, amount, source: { kind: 'grant', reason }, ...ends } as const;
      return accounts.execute(accountStream(act.accountId), command, metadata, { mayRepeat: true });
    }
    case 'refund': {
      const command = { type: 'ApproveRefund', refundId: act.refundId, reason } as const;
      return payments.execute(paymentStream(act.paymentId), command, metadata, { mayRepeat: true });
    }
  }
};

export const lotOfApproval = (approvalId: string): string => derivedId('lot', approvalId);
