import { describe, it } from 'vitest';
import type { StaffRole } from '../../../src/domain/identity/person-events.ts';
import { staffDecider, type StaffCommand, type StaffEvent } from '../../../src/domain/identity/staff.ts';
import { specify } from '../../given.ts';

const is = (personId: string, role: StaffRole): StaffEvent => ({ type: 'StaffAppointed', personId, role, reason: 'x' });
const left = (personId: string): StaffEvent => ({ type: 'StaffDismissed', personId, reason: 'x' });
const appoint = (personId: string, role: StaffRole): StaffCommand => ({
  ...{ type: 'AppointStaff', personId, role, reason: 'x' },
});
const change = (personId: string, role: StaffRole): StaffCommand => ({
  ...{ type: 'ChangeStaffRole', personId, role, reason: 'x' },
});
const dismiss = (personId: string): StaffCommand => ({ type: 'DismissStaff', personId, reason: 'x' });
const given = specify(staffDecider);

describe('staff', () => {
  it('have one role each, which can change and end', () => {
    given().when(appoint('per_1', 'support')).then(is('per_1', 'support'));
    given(is('per_1', 'support')).when(appoint('per_1', 'support')).then();
    given(is('per_1', 'support')).when(change('per_1', 'finance')).then(is('per_1', 'finance'));
    given(is('per_1', 'support')).when(dismiss('per_1')).then(left('per_1'));
  });
  it('are changed and dismissed only while they are staff', () => {
    given().when(change('per_1', 'finance')).thenRefused('staff_not_found');
    given(is('per_1', 'support'), left('per_1')).when(dismiss('per_1')).thenRefused('staff_not_found');
  });
  it('keep one owner', () => {
    const owner = is('per_1', 'owner');
    given(owner).when(dismiss('per_1')).thenRefused('last_staff_owner');
    given(owner).when(change('per_1', 'finance')).thenRefused('last_staff_owner');
    given(owner).when(appoint('per_1', 'support')).thenRefused('last_staff_owner');
    given(owner, is('per_2', 'owner')).when(dismiss('per_1')).then(left('per_1'));
    given(owner, is('per_2', 'owner'), left('per_2')).when(dismiss('per_1')).thenRefused('last_staff_owner');
  });
});
