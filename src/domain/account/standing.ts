import type { RestOfCredits, StandingEvent, SuspensionCause } from './events.ts';

export type Standing = {
  /** Nothing follows `closed`. */
  readonly status: 'unregistered' | 'active' | 'suspended' | 'closed';
  /** `personal` is a sealed text. */
  readonly registration: { readonly holder: 'person' | 'entity'; readonly personal: string } | null;
  /** The newest version of the terms that the holder accepted. */
  readonly termsVersion: string | null;
  /** In force, or when the account was closed. It is suspended while there is one. */
  readonly suspensions: readonly Suspension[];
  readonly closingReason: string | null;
  /** What the holder of a closed account asked for; null: paid credits stay owed. */
  readonly rest: RestOfCredits | null;
  /** Whether the personal data was erased. */
  readonly erased: boolean;
};

export type Suspension = { readonly cause: SuspensionCause; readonly reason: string };

export const isSameCause = (a: SuspensionCause, b: SuspensionCause): boolean =>
  a.kind === b.kind && idOfCause(a) === idOfCause(b);

/** The dispute or the violation; undefined if an account has at most one cause of the kind. */
const idOfCause = (cause: SuspensionCause): string | undefined => {
  switch (cause.kind) {
    case 'dispute':
      return cause.disputeId;
    case 'violation':
      return cause.violationId;
    case 'staff':
    case 'debt':
      return undefined;
  }
};

export const isSuspendedFor = ({ suspensions }: Standing, cause: SuspensionCause): boolean =>
  suspensions.some((one) => isSameCause(one.cause, cause));

export const unregistered: Standing = {
  status: 'unregistered',
  registration: null,
  termsVersion: null,
  suspensions: [],
  closingReason: null,
  rest: null,
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
    case 'AccountSuspended': {
      const { cause, reason } = event;
      return { ...standing, status: 'suspended', suspensions: [...standing.suspensions, { cause, reason }] };
    }
    case 'AccountReinstated': {
      const suspensions = standing.suspensions.filter(({ cause }) => !isSameCause(cause, event.cause));
      return { ...standing, status: suspensions.length > 0 ? 'suspended' : 'active', suspensions };
    }
    case 'AccountClosed':
      return { ...standing, status: 'closed', closingReason: event.reason, rest: event.rest ?? null };
    case 'PersonalDataErased':
      return { ...standing, erased: true };
    case 'ContactChanged': {
      const { registration } = standing;
      return { ...standing, registration: registration && { ...registration, personal: event.personal } };
    }
  }
};
