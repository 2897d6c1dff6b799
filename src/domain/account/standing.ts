import type { StandingEvent } from './events.ts';

export type Standing = {
  readonly status: 'unregistered' | 'active' | 'suspended';
  readonly registration: { readonly name: string; readonly email: string; readonly holder: 'person' | 'entity' } | null;
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
      const { name, email, holder } = event;
      return { ...standing, status: 'active', registration: { name, email, holder } };
    }
    case 'TermsAccepted':
      return { ...standing, termsVersion: event.version };
    case 'AccountSuspended':
      return { ...standing, status: 'suspended', suspensionReason: event.reason };
    case 'AccountReinstated':
      return { ...standing, status: 'active', suspensionReason: null };
  }
};
