import { describe, expect, it } from 'vitest';
import { unknownPerson, type Person } from '../../../src/domain/identity/person.ts';
import type { Session } from '../../../src/identity/sessions.ts';
import { needsConfirmation, needsSecondStep } from '../../../src/people/credentials/asked.ts';

const NOW = new Date('2026-01-31T12:00:00Z');
const ago = (minutes: number): Date => new Date(NOW.getTime() - minutes * 60_000);

const customer: Person = { ...unknownPerson(), status: 'verified', hasTotp: true };
const staff: Person = { ...customer, staffRole: 'support' };
const session = (given: Partial<Session>): Session => ({
  ...{ id: 'ses_1', personId: 'per_1', kind: 'customer', network: null, agent: null },
  ...{ createdAt: ago(600), seenAt: NOW, endsAt: NOW, secondStepAt: null },
  ...given,
});

describe('a change of credentials or of the address', () => {
  it.each<[string, Person, Partial<Session>, string | undefined]>([
    ['an earlier sign-in without a second step', { ...customer, hasTotp: false }, {}, 'recent_sign_in_required'],
    ['a recent sign-in without a second step', { ...customer, hasTotp: false }, { createdAt: ago(14) }, undefined],
    ['an earlier sign-in of staff without one', { ...staff, hasTotp: false }, {}, 'recent_sign_in_required'],
    ['a recent sign-in of staff without one', { ...staff, hasTotp: false }, { createdAt: ago(14) }, undefined],
    ['a recent sign-in', customer, { createdAt: ago(14) }, undefined],
    ['a recent second step', customer, { secondStepAt: ago(14) }, undefined],
    ['an earlier sign-in', customer, { createdAt: ago(15) }, 'recent_sign_in_required'],
    ['an earlier second step', customer, { secondStepAt: ago(15) }, 'recent_sign_in_required'],
    ['a person with a passkey alone', { ...customer, hasTotp: false, passkeys: new Set(['pky_1']) }, {}, 'recent_sign_in_required'], // prettier-ignore
    ['a recent sign-in of staff', staff, { createdAt: ago(1) }, 'second_step_required'],
    ['a second step of staff, even an earlier one', staff, { secondStepAt: ago(600) }, undefined],
  ])('after %s', (_, person, given, expected) => {
    expect(needsConfirmation(session(given), person, NOW)?.kind).toBe(expected);
  });

  it.each<[string, Person, Partial<Session>, boolean]>([
    ['a recent sign-in', customer, { createdAt: ago(1) }, false],
    ['a recent second step', customer, { secondStepAt: ago(14) }, true],
    ['an earlier second step', customer, { secondStepAt: ago(15) }, false],
    ['an earlier second step of staff', staff, { secondStepAt: ago(600) }, true],
  ])('that removes the second step: after %s', (_, person, given, isAllowed) => {
    const expected = isAllowed ? undefined : { kind: 'second_step_required' };
    expect(needsSecondStep(session(given), person, NOW)).toEqual(expected);
  });
});
