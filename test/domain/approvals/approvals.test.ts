import { describe, it } from 'vitest';
import { approvalDecider, type ApprovalCommand, type ApprovalEvent } from '../../../src/domain/approvals/approvals.ts';
import type { StaffRole } from '../../../src/domain/identity/person-events.ts';
import { specify } from '../../given.ts';

const NOW = Date.UTC(2026, 0, 31);
const askedBy = (personId: string | null): ApprovalEvent => ({
  ...{ type: 'ApprovalAsked', act: { kind: 'grant', accountId: 'acc_1', amount: 5n }, reason: 'sorry' },
  ...{ by: 'staff:per_1', personId, until: NOW },
});
const give = (personId: string, role: StaffRole = 'finance', at = NOW - 1): ApprovalCommand => ({
  ...{ type: 'GiveApproval', personId, role, at },
});
const gave = (personId: string): ApprovalEvent => ({ type: 'ApprovalGiven', personId });
const approved = (personId: string): ApprovalEvent => ({ type: 'ActApproved', personId });
const refuse = (personId: string): ApprovalCommand => ({ type: 'RefuseApproval', personId, reason: 'no' });
const refused = (personId: string): ApprovalEvent => ({ type: 'ApprovalRefused', personId, reason: 'no' });
const givenNothing = specify(approvalDecider);
const given = specify(approvalDecider, askedBy('per_1'));

describe('an approval', () => {
  it('is given by another person than its asker', () => {
    given().when(give('per_1')).thenRefused('second_person_required');
    given().when(give('per_2')).then(gave('per_2'), approved('per_2'));
  });
  it('needs two persons if no person asked', () => {
    const givenProgram = specify(approvalDecider, askedBy(null));
    givenProgram().when(give('per_1')).then(gave('per_1'));
    givenProgram(gave('per_1')).when(give('per_1')).then();
    givenProgram(gave('per_1')).when(give('per_2')).then(gave('per_2'), approved('per_2'));
  });
  it('is given by staff that may do the act', () => {
    for (const role of ['support', 'operator'] as const) {
      given().when(give('per_2', role)).thenRefused('role_not_sufficient');
    }
    given().when(give('per_2', 'owner')).then(gave('per_2'), approved('per_2'));
  });
  it('of a refund is given by the same staff', () => {
    const act = { kind: 'refund', accountId: 'acc_1', paymentId: 'pay_1', refundId: 'ref_1', amount: 5n } as const;
    const givenRefund = specify(approvalDecider, { ...askedBy('per_1'), act } as ApprovalEvent);
    givenRefund().when(give('per_2', 'support')).thenRefused('role_not_sufficient');
    givenRefund().when(give('per_1')).thenRefused('second_person_required');
    givenRefund().when(give('per_2')).then(gave('per_2'), approved('per_2'));
  });
  it('ends after its time', () =>
    given()
      .when(give('per_2', 'finance', NOW))
      .thenRefused('approval_ended'));
  it('is given or refused once', () => {
    given(gave('per_2'), approved('per_2')).when(give('per_2')).then();
    given(gave('per_2'), approved('per_2')).when(give('per_3')).thenRefused('approval_closed');
    given(gave('per_2'), approved('per_2')).when(refuse('per_3')).thenRefused('approval_closed');
    given(refused('per_2')).when(give('per_3')).thenRefused('approval_closed');
  });
  it('may be refused by the person who asked, too', () => given().when(refuse('per_1')).then(refused('per_1')));
  it('records what became of the act once', () => {
    given(gave('per_2'), approved('per_2')).when({ type: 'RecordAct' }).then({ type: 'ActCarriedOut' });
    given(gave('per_2'), approved('per_2'), { type: 'ActCarriedOut' }).when({ type: 'RecordAct' }).then();
    given(gave('per_2'), approved('per_2'))
      .when({ type: 'RecordActFailure', code: 'account_closed' })
      .then({ type: 'ActFailed', code: 'account_closed' });
    given().when({ type: 'RecordAct' }).then();
  });
  it('that was not asked for can be neither given nor refused', () => {
    givenNothing().when(give('per_2')).thenRefused('approval_not_found');
    givenNothing().when(refuse('per_2')).thenRefused('approval_not_found');
  });
});
