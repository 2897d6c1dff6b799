import { z } from 'zod';
import type { PersonEvent } from '../../../domain/identity/person-events.ts';
import type { Recorded } from '../../../eventstore/journal/codec.ts';
import { revision, time } from '../router/fields.ts';

export const personEventView = z
  .strictObject({
    revision,
    position: z.int().positive().meta({ description: 'Position in the log, from 1', example: 1042 }),
    time,
    type: z.string().meta({ description: 'Type of the event', example: 'SignedIn' }),
    data: z.record(z.string(), z.json()).meta({ description: 'Depends on the type. No name and no address' }),
    actor: z.string().meta({ example: 'person:per_5b0d27c41e8f4a96b3c7d810' }),
    request_id: z.string().nullable().meta({ description: 'The HTTP request that caused it, if any' }),
  })
  .meta({ id: 'PersonEvent' });

export type PersonEventView = z.output<typeof personEventView>;

export const viewPersonEvent = ({ event, metadata, ...place }: Recorded<PersonEvent>): PersonEventView => ({
  revision: place.revision,
  position: place.position,
  time: place.time.toISOString(),
  type: event.type,
  data: dataOf(event),
  actor: metadata.actor,
  request_id: metadata.correlationId ?? null,
});

const moment = (ms: number): string => new Date(ms).toISOString();

/** Sealed texts are omitted. */
const dataOf = (event: PersonEvent): PersonEventView['data'] => {
  switch (event.type) {
    case 'PersonRegistered': {
      const { how, asked } = event;
      return { how, ...(asked ? { holder: asked.holder, terms: asked.termsVersion, ...asked.declared } : {}) };
    }
    case 'AddressVerified':
      return { how: event.how };
    case 'AccountAsked': {
      const { accountId, holder, application } = event;
      return { account_id: accountId, holder, terms: application.termsVersion, ...application.declared };
    }
    case 'AccountDeclined':
      return { account_id: event.accountId, reason: event.reason };
    case 'AccountOpened':
      return { account_id: event.accountId, holder: event.holder, approval_id: event.approvalId ?? null };
    case 'SecondAccountApproved':
      return { approval_id: event.approvalId, until: moment(event.until), reason: event.reason };
    case 'PersonErased':
      return { reason: event.reason, cause: event.cause };
    case 'AddressChangeAsked':
    case 'AddressChangeUndone':
      return { change_id: event.changeId };
    case 'AddressChanged':
      return { change_id: event.changeId, by: event.by, undo_until: moment(event.undoUntil) };
    case 'MailUndelivered':
      return { mail_id: event.mailId, reason: event.reason };
    case 'SignedIn':
    case 'SecondStepPassed':
      return { session_id: event.sessionId, means: event.means };
    case 'SignedOut':
      return { session_id: event.sessionId };
    case 'SessionsRevoked':
      return { except: event.except ?? null, reason: event.reason };
    case 'PasskeyAdded':
      return { passkey_id: event.passkeyId };
    case 'PasskeyRemoved':
      return { passkey_id: event.passkeyId, ...(event.reason === undefined ? {} : { reason: event.reason }) };
    case 'TotpDisabled':
      return { reason: event.reason };
    case 'StaffRoleSet':
      return { role: event.role };
    case 'AccountJoined':
    case 'AccountLeft':
      return { account_id: event.accountId };
    case 'RegistrationLapsed':
    case 'NameChanged':
    case 'TotpEnabled':
    case 'RecoveryCodesRenewed':
      return {};
  }
};
