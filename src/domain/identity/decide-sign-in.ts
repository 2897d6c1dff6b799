import { accept } from '../decider.ts';
import { no, type Of, type PersonDecision } from './person-commands.ts';
import type { PersonEvent } from './person-events.ts';
import { hasSecondStep, type Person } from './person.ts';

export const MAX_PASSKEYS = 20;
type SignInCommand = Of<
  | 'SignIn'
  | 'SignOut'
  | 'RevokeSessions'
  | 'AddPasskey'
  | 'RemovePasskey'
  | 'EnableTotp'
  | 'DisableTotp'
  | 'RenewRecoveryCodes'
  | 'PassSecondStep'
>;

/** Sessions, and what a person signs in with. */
export const decideSignIn = (command: SignInCommand, person: Person): PersonDecision => {
  switch (command.type) {
    case 'SignIn': {
      const { sessionId, means, secondStep } = command;
      const passed =
        secondStep === undefined ? [] : [{ type: 'SecondStepPassed' as const, sessionId, means: secondStep }];
      return accept<PersonEvent>({ type: 'SignedIn', sessionId, means }, ...passed);
    }
    case 'SignOut':
      return accept({ type: 'SignedOut', sessionId: command.sessionId });
    case 'RevokeSessions': {
      const { except, reason } = command;
      return accept({ type: 'SessionsRevoked', ...(except === undefined ? {} : { except }), reason });
    }
    case 'AddPasskey': {
      const { passkeyId } = command;
      if (person.passkeys.has(passkeyId)) return accept();
      return person.passkeys.size < MAX_PASSKEYS
        ? accept({ type: 'PasskeyAdded', passkeyId })
        : no('too_many_passkeys');
    }
    case 'RemovePasskey': {
      const { passkeyId } = command;
      if (!person.passkeys.has(passkeyId)) return no('passkey_not_found');
      const isLastStep = person.staffRole !== null && !person.hasTotp && person.passkeys.size === 1;
      return isLastStep ? no('last_second_step') : accept({ type: 'PasskeyRemoved', passkeyId });
    }
    case 'EnableTotp':
      return accept({ type: 'TotpEnabled' });
    case 'DisableTotp': {
      if (!person.hasTotp) return accept();
      const isLastStep = person.staffRole !== null && person.passkeys.size === 0;
      return isLastStep ? no('last_second_step') : accept({ type: 'TotpDisabled', reason: command.reason });
    }
    case 'RenewRecoveryCodes':
      return hasSecondStep(person) ? accept({ type: 'RecoveryCodesRenewed' }) : no('second_step_not_set_up');
    case 'PassSecondStep': {
      const { sessionId, means } = command;
      if (!hasSecondStep(person)) return no('second_step_not_set_up');
      return accept({ type: 'SecondStepPassed', sessionId, means });
    }
  }
};
