import type { PeopleOptions } from '../people-options.ts';
import { createPersonPasskeys, type PersonPasskeys } from './passkeys.ts';
import { createPersonRecoveryCodes, type PersonRecoveryCodes } from './recovery-codes.ts';
import { createSecondStep, type SecondStep } from './second-step.ts';
import { createPersonTotp, type PersonTotp } from './totp.ts';

/** What a person signs in with, besides mail. */
export type Credentials = {
  readonly passkeys: PersonPasskeys;
  readonly totp: PersonTotp;
  readonly recoveryCodes: PersonRecoveryCodes;
  readonly secondStep: SecondStep;
};

export const createCredentials = (options: PeopleOptions): Credentials => ({
  passkeys: createPersonPasskeys(options),
  totp: createPersonTotp(options),
  recoveryCodes: createPersonRecoveryCodes(options),
  secondStep: createSecondStep(options),
});
