import type { Route } from '../router/route.ts';
import { createAccountToken, listAccountTokens, revokeAccountToken } from './account-tokens.ts';
import { askPasskeySignIn, signInWithPasskey } from './passkey-sign-in.ts';
import { addPasskey, askPasskeyOptions, listPasskeys, removePasskey, renamePasskey } from './passkeys.ts';
import { askSecondStepOptions, passSecondStep, renewRecoveryCodes } from './second-step.ts';
import { createServiceToken, listServiceTokens, revokeServiceToken } from './service-tokens.ts';
import { confirmTotp, enrolTotp, removeTotp } from './totp.ts';

/** What persons and programs authenticate with, besides mail and API keys. */
export const credentialRoutes: readonly Route[] = [
  askPasskeySignIn,
  signInWithPasskey,
  askPasskeyOptions,
  addPasskey,
  listPasskeys,
  renamePasskey,
  removePasskey,
  enrolTotp,
  confirmTotp,
  removeTotp,
  renewRecoveryCodes,
  askSecondStepOptions,
  passSecondStep,
  createAccountToken,
  listAccountTokens,
  revokeAccountToken,
  createServiceToken,
  listServiceTokens,
  revokeServiceToken,
];
