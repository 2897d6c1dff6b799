import { z } from 'zod';
import type { AdminTokenEvent } from '../../../domain/identity/admin-token.ts';
import type { ClaimEvent } from '../../../domain/identity/claims.ts';
import type { InvitationEvent } from '../../../domain/identity/invitations.ts';
import type { StaffEvent } from '../../../domain/identity/staff.ts';
import { memberRoles } from '../../../domain/account/events.ts';
import type { ServiceTokenEvent } from '../../../domain/identity/service-tokens.ts';
import { declineReasons, erasureCauses, staffRoles, type PersonEvent } from '../../../domain/identity/person-events.ts';
import type { Shapes } from './shape.ts';

const id = z.string().min(1);
const timeMs = z.int().nonnegative();
const reason = z.string();
const holder = z.enum(['person', 'entity']);

const role = z.enum(staffRoles);

const declared = z.strictObject({ adult: z.literal(true), wording: z.string() });
const evidence = {
  termsVersion: z.string(),
  declared,
};
const asked = z.strictObject({ holder, ...evidence });

export const claimEventShapes: Shapes<ClaimEvent> = {
  IdentityClaimed: {
    version: 1,
    schema: z.object({
      owner: id,
      how: z.enum(['code', 'link', 'invitation']).exactOptional(),
      approvalId: id.exactOptional(),
    }),
  },
  ClaimEndSet: { version: 1, schema: z.object({ owner: id, until: timeMs.nullable(), reason }) },
  IdentityReleased: { version: 1, schema: z.object({ owner: id, reason }) },
  IdentityRetired: { version: 1, schema: z.object({ owner: id, reason }) },
  SecondOwnerApproved: { version: 1, schema: z.object({ approvalId: id, until: timeMs, reason }) },
};

export const serviceTokenEventShapes: Shapes<ServiceTokenEvent> = {
  ServiceTokenCreated: {
    version: 1,
    schema: z.object({ tokenId: id, role: z.enum(staffRoles), endsAt: timeMs }),
  },
  ServiceTokenRevoked: { version: 1, schema: z.object({ tokenId: id, reason }) },
};

export const personEventShapes: Shapes<PersonEvent> = {
  PersonRegistered: {
    version: 1,
    schema: z.object({
      personal: id,
      how: z.enum(['registration', 'invitation', 'operator']),
      asked: asked.exactOptional(),
    }),
  },
  AddressVerified: { version: 1, schema: z.object({ how: z.enum(['code', 'link', 'invitation', 'migrated']) }) },
  RegistrationLapsed: { version: 1, schema: z.object({}) },
  AccountAsked: {
    version: 1,
    schema: z.object({
      ...{ accountId: id, holder },
      application: z.strictObject({ termsVersion: z.string(), declared, contact: id }),
    }),
  },
  AccountDeclined: { version: 1, schema: z.object({ accountId: id, reason: z.enum(declineReasons) }) },
  AccountOpened: { version: 1, schema: z.object({ accountId: id, holder, approvalId: id.exactOptional() }) },
  SecondAccountApproved: { version: 1, schema: z.object({ approvalId: id, until: timeMs, reason }) },
  PersonErased: { version: 1, schema: z.object({ reason, cause: z.enum(erasureCauses) }) },
  NameChanged: { version: 1, schema: z.object({ personal: id }) },
  AddressChangeAsked: {
    version: 1,
    schema: z.object({
      ...{ changeId: id, personal: id },
      support: z.strictObject({ check: z.string(), reason }).exactOptional(),
    }),
  },
  AddressChanged: {
    version: 1,
    schema: z.object({ changeId: id, personal: id, by: z.enum(['holder', 'support']), undoUntil: timeMs }),
  },
  AddressChangeUndone: { version: 1, schema: z.object({ changeId: id, personal: id }) },
  MailUndelivered: {
    version: 1,
    schema: z.object({ mailId: id, reason: z.enum(['rejected', 'gave_up', 'no_address', 'obsolete']) }),
  },
  SignedIn: { version: 1, schema: z.object({ sessionId: id, means: z.enum(['code', 'link', 'passkey']) }) },
  SignedOut: { version: 1, schema: z.object({ sessionId: id }) },
  SessionsRevoked: { version: 1, schema: z.object({ except: id.exactOptional(), reason }) },
  PasskeyAdded: { version: 1, schema: z.object({ passkeyId: id }) },
  PasskeyRemoved: { version: 1, schema: z.object({ passkeyId: id, reason: reason.exactOptional() }) },
  TotpEnabled: { version: 1, schema: z.object({}) },
  TotpDisabled: { version: 1, schema: z.object({ reason }) },
  RecoveryCodesRenewed: { version: 1, schema: z.object({}) },
  SecondStepPassed: {
    version: 1,
    schema: z.object({ sessionId: id, means: z.enum(['totp', 'recovery_code', 'passkey']) }),
  },
  AccountJoined: { version: 1, schema: z.object({ accountId: id }) },
  AccountLeft: { version: 1, schema: z.object({ accountId: id }) },
  StaffRoleSet: { version: 1, schema: z.object({ role: role.nullable() }) },
};

export const invitationEventShapes: Shapes<InvitationEvent> = {
  PersonInvited: {
    version: 1,
    schema: z.object({
      personal: id,
      to: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('member'), accountId: id, role: z.enum(memberRoles) }),
        z.strictObject({ kind: z.literal('staff'), role }),
      ]),
      by: id,
      until: timeMs,
      reason: reason.exactOptional(),
    }),
  },
  InvitationAccepted: {
    version: 1,
    schema: z.object({ personId: id, newPerson: z.strictObject(evidence).exactOptional() }),
  },
  InvitationCompleted: { version: 1, schema: z.object({ personId: id, given: z.boolean() }) },
  InvitationRevoked: { version: 1, schema: z.object({ reason }) },
};

export const staffEventShapes: Shapes<StaffEvent | AdminTokenEvent> = {
  StaffAppointed: { version: 1, schema: z.object({ personId: id, role, reason }) },
  StaffDismissed: { version: 1, schema: z.object({ personId: id, reason }) },
  AdminTokenUsed: { version: 1, schema: z.object({ method: id, path: id }) },
};
