import { describe, expect, it } from 'vitest';
import {
  accountOfContact,
  contactDecider,
  contactOfStream,
  contactStream,
  sealedUnder,
  type ContactCommand,
  type KnownContact,
} from '../../../src/domain/contacts/contact.ts';
import type { ClosingReason, ContactEvent } from '../../../src/domain/contacts/events.ts';
import { specify } from '../../given.ts';
import { answered, closed, linked, openedByMember, openedByStranger } from './examples.ts';

const given = specify(contactDecider);
const open: ContactCommand = { ...openedByStranger, type: 'OpenContact' };
const link = (accountId: string): ContactCommand => ({ type: 'LinkContact', accountId });
const answer: ContactCommand = { ...answered(), type: 'AnswerContact' };
const close = (reason: ClosingReason): ContactCommand => ({ type: 'CloseContact', reason });
const fold = (...events: ContactEvent[]): KnownContact => {
  const state = events.reduce(contactDecider.evolve, contactDecider.initial());
  if (state.status === 'unknown') throw new Error('The contact is unknown.');
  return state;
};

describe('a contact', () => {
  it('is opened once', () => {
    given().when(open).then(openedByStranger);
    given(openedByMember).when(open).then();
  });
  it('must exist before it is answered, linked or closed', () => {
    for (const command of [link('acc_1'), answer, close('spam')])
      given().when(command).thenRefused('contact_not_found');
  });
  it('is answered as often as needed, until it is closed', () => {
    given(openedByMember).when(answer).then(answered());
    given(openedByMember, answered()).when(answer).then(answered());
    given(openedByMember, closed()).when(answer).thenRefused('contact_closed');
    expect(fold(openedByMember, answered(), answered('elsewhere'))).toMatchObject({ status: 'answered', answers: 2 });
  });
  it('is closed once, with or without an answer', () => {
    given(openedByStranger).when(close('spam')).then(closed('spam'));
    given(openedByStranger, answered()).when(close('answered')).then(closed());
    given(openedByStranger, closed()).when(close('answered')).then();
    given(openedByStranger, closed()).when(close('spam')).thenRefused('contact_closed');
  });
  it('keeps the reason of its end when its text expires later', () => {
    given(openedByStranger, closed('spam')).when(close('expired')).then();
    expect(fold(openedByStranger, closed('expired'))).toMatchObject({ status: 'closed', closedFor: 'expired' });
  });
});

describe('the account of a contact', () => {
  it('is that of a member, or the one that the contact of a stranger was linked to', () => {
    expect(accountOfContact(fold(openedByMember))).toBe('acc_1');
    expect(accountOfContact(fold(openedByStranger))).toBeNull();
    expect(accountOfContact(fold(openedByStranger, linked))).toBe('acc_2');
  });
  it('is set once', () => {
    given(openedByStranger).when(link('acc_2')).then(linked);
    given(openedByStranger, linked).when(link('acc_2')).then();
    given(openedByStranger, linked).when(link('acc_3')).thenRefused('contact_of_account');
    given(openedByMember).when(link('acc_2')).thenRefused('contact_of_account');
    given(openedByMember).when(link('acc_1')).then();
  });
  it('is set after the contact is closed, but not after its text has expired', () => {
    given(openedByStranger, closed()).when(link('acc_2')).then(linked);
    given(openedByStranger, closed('expired')).when(link('acc_2')).thenRefused('contact_closed');
  });
  it('has the key of its texts, except for a stranger: the contact keeps its own key', () => {
    expect(sealedUnder('ctc_1', fold(openedByMember))).toBe('acc_1');
    expect(sealedUnder('ctc_1', fold(openedByStranger, linked))).toBe('ctc_1');
  });
});

it('the stream of a contact has its id', () => {
  expect(contactOfStream(contactStream('ctc_1'))).toBe('ctc_1');
  expect(contactOfStream('account-ctc_1')).toBeUndefined();
});
