import { describe, it } from 'vitest';
import type { AccountCommand } from '../../../../src/domain/account/decide.ts';
import { closed, duplicateDismissed, duplicateSuspected, givenNobody, registered } from '../examples.ts';

const suspect = (other = 'acc_1'): AccountCommand => ({
  ...{ type: 'SuspectDuplicate', other, signal: 'same_name_and_domain' },
});
const dismiss = (other = 'acc_1'): AccountCommand => ({ type: 'DismissDuplicate', other, reason: 'siblings' });

describe('a suspected duplicate', () => {
  it('is recorded once for each other account', () => {
    givenNobody(registered).when(suspect()).then(duplicateSuspected());
    givenNobody(registered, duplicateSuspected()).when(suspect()).then();
    givenNobody(registered, duplicateSuspected()).when(suspect('acc_2')).then(duplicateSuspected('acc_2'));
  });
  it('is not suspected again after it was dismissed', () =>
    givenNobody(registered, duplicateSuspected(), duplicateDismissed()).when(suspect()).then());
  it('is dismissed once', () => {
    givenNobody(registered, duplicateSuspected()).when(dismiss()).then(duplicateDismissed());
    givenNobody(registered, duplicateSuspected(), duplicateDismissed()).when(dismiss()).then();
  });
  it('cannot be dismissed if it was never suspected', () => {
    givenNobody(registered).when(dismiss()).thenRefused('duplicate_not_found');
    givenNobody(registered, duplicateSuspected('acc_2')).when(dismiss()).thenRefused('duplicate_not_found');
  });
  it('is of no use once the account is closed', () =>
    givenNobody(registered, closed()).when(suspect()).thenRefused('account_closed'));
});
