import type { StandingEvent } from './events.ts';

export type Standing = {
  readonly status: 'unregistered' | 'active' | 'suspended';
  /** `personal` is a sealed text. */
  readonly registration: { readonly holder: 'person' | 'entity'; readonly personal: string } | null;
  /** The newest version of the terms that the holder accepted. */
  readonly termsVersion: string | null;
  readonly suspensionReason: string | null;
};

export const unregistered: Standing = {
  status: 'unregistered',
  registration: null,
  termsVersion: null,
  suspensionReason: null,
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
    case 'ContactChanged': {
      const { registration } = standing;
      return { ...standing, registration: registration && { ...registration, personal: event.personal } };
    }
  }
};
