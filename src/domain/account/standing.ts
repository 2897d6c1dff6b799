import type { StandingEvent } from './events.ts';

export type Standing = {
  /** Nothing follows `closed`. */
  readonly status: 'unregistered' | 'active' | 'suspended' | 'closed';
  /** `personal` is a sealed text. */
  readonly registration: { readonly holder: 'person' | 'entity'; readonly personal: string } | null;
  /** The newest version of the terms that the holder accepted. */
  readonly termsVersion: string | null;
  /** Of the suspension that is in force, or was when the account was closed. */
  readonly suspensionReason: string | null;
  readonly closingReason: string | null;
  /** Whether the personal data was erased. */
  readonly erased: boolean;
};

export const unregistered: Standing = {
  status: 'unregistered',
  registration: null,
  termsVersion: null,
  suspensionReason: null,
  closingReason: null,
  erased: false,
};

export const evolveStanding = (standing: Standing, event: StandingEvent): Standing => {
  switch (event.type) {
    case 'AccountRegistered': {
      const { holder, personal } = event;
      return { ...standing, status: 'active', registration: { holder, personal } };
    }
    case 'TermsAccepted':
      return { ...standing, termsVersion: event.version };
    case 'AccountSuspended':
      return { ...standing, status: 'suspended', suspensionReason: event.reason };
    case 'AccountReinstated':
      return { ...standing, status: 'active', suspensionReason: null };
    case 'AccountClosed':
      return { ...standing, status: 'closed', closingReason: event.reason };
    case 'PersonalDataErased':
      return { ...standing, erased: true };
    case 'ContactChanged': {
      const { registration } = standing;
      return { ...standing, registration: registration && { ...registration, personal: event.personal } };
    }
  }
};
