import type { Address } from '../domain/identity/address.ts';
import type { SignInMeans } from '../domain/identity/person-events.ts';
import { personStream } from '../domain/identity/person.ts';
import { mailStream } from '../domain/mail/mail.ts';
import { identityStream, ownersAt } from '../domain/identity/claims.ts';
import { derivedId } from '../eventstore/ids.ts';
import type { Session } from '../identity/sessions.ts';
import { queueMail } from '../mail/templates/templates.ts';
import { codeEndsAt, networkOf, newBrowserSecret, redeem } from './one-time.ts';
import {
  addressIn,
  type Client,
  type NotRedeemed,
  type PeopleOptions,
  type Proof,
  type Wait,
} from './people-options.ts';

export type NewSessionOfPerson = { readonly token: string; readonly session: Session };

export type SignInAsked = {
  readonly kind: 'asked';
  readonly signInId: string;
  readonly browserSecret: string;
  readonly expiresAt: Date;
};

export type SignIn = {
  /** The same answer and time for every address. A mail is sent if the address belongs to a person. */
  ask(address: Address, client: Client, commandId: string): Promise<SignInAsked | Wait>;
  redeem(signInId: string, proof: Proof, client: Client): Promise<SignedIn | NotRedeemed>;
  /** Ends one session of the person; false if there is none with this id. */
  revoke(personId: string, sessionId: string): Promise<boolean>;
  /** Ends all sessions of a person except one, and resolves to their number. */
  revokeAll(personId: string, except: string | undefined, reason: string, commandId: string): Promise<number>;
};

export type SignedIn = { readonly kind: 'signed_in'; readonly personId: string } & NewSessionOfPerson;

const mailOfSignIn = (signInId: string): string => `sign-in-${signInId}`;

export const createSignIn = (options: PeopleOptions): SignIn => {
  const { identity, identities, persons, now, afterwards } = options;
  return {
    ask: async (address, client, commandId) => {
      const addressHash = identities.hashOf(address);
      const keys = { addressHash, network: networkOf(client) };
      const allowance = await identity.attemptLimits.allow({ action: 'send_code', keys });
      if (allowance.kind === 'wait') return allowance;
      const signInId = derivedId('sgn', commandId);
      const browserSecret = newBrowserSecret(options);
      // The subject is the mailbox and not the person, so that the work is the same for every address.
      const code = {
        purpose: 'sign_in',
        subject: addressHash,
        id: mailOfSignIn(signInId),
        nonce: browserSecret,
      } as const;
      await identity.oneTimeCodes.issue(code);
      const expiresAt = codeEndsAt(now());
      afterwards(() => mailCode(options, addressHash, signInId, expiresAt));
      return { kind: 'asked', signInId, browserSecret, expiresAt };
    },
    redeem: async (signInId, proof, client) => {
      const redeemed = await redeem(options, 'sign_in', mailOfSignIn(signInId), proof, client);
      if (redeemed.kind !== 'redeemed') return redeemed;
      const personId = await verifiedOwner(options, redeemed.subject);
      if (personId === undefined) return { kind: 'expired' };
      return { kind: 'signed_in', personId, ...(await startSession(options, personId, redeemed.means, client)) };
    },
    revoke: async (personId, sessionId) => {
      if (!(await identity.sessions.revoke(personId, sessionId))) return false;
      const metadata = { actor: `person:${personId}`, commandId: derivedId('out', sessionId) };
      await persons.execute(personStream(personId), { type: 'SignOut', sessionId }, metadata, { mayRepeat: true });
      return true;
    },
    revokeAll: async (personId, except, reason, commandId) => {
      const revoked = await identity.sessions.revokeAll(personId, except);
      const command = { type: 'RevokeSessions', reason, ...(except === undefined ? {} : { except }) } as const;
      await persons.execute(personStream(personId), command, { actor: `person:${personId}`, commandId });
      return revoked.length;
    },
  };
};

/**
 * The verified person of a mailbox. If it has several owners by approval, the first. An address that was changed stays with
 * its person for a while, and cannot be used to sign in.
 */
const verifiedOwner = async (options: PeopleOptions, addressHash: string): Promise<string | undefined> => {
  const { claims, persons, identities, now } = options;
  const { state } = await claims.read(identityStream(addressHash));
  for (const owner of ownersAt(state, now().getTime())) {
    const { state: person } = await persons.read(personStream(owner));
    if (person.status !== 'verified' || person.personal === null) continue;
    const present = await addressIn(options, owner, person.personal);
    if (present && identities.hashOf(present) === addressHash) return owner;
  }
  return undefined;
};

const mailCode = async (
  options: PeopleOptions,
  addressHash: string,
  signInId: string,
  expiresAt: Date,
): Promise<void> => {
  const personId = await verifiedOwner(options, addressHash);
  if (personId === undefined) return;
  const expires_at = expiresAt.toISOString();
  const command = queueMail('sign_in', { kind: 'person', id: personId }, { expires_at });
  const mailId = mailOfSignIn(signInId);
  const metadata = { actor: 'system:sign-in', commandId: derivedId('mail', mailId) };
  await options.mails.execute(mailStream(mailId), command, metadata);
};

/**
 * Creates a session and records the sign-in. Staff sessions are shorter, and need a second step: a passkey whose authenticator
 * has verified the user is one.
 */
export const startSession = async (
  { identity, persons }: PeopleOptions,
  personId: string,
  means: SignInMeans,
  { address, userAgent }: Client,
  { userVerified = false }: { readonly userVerified?: boolean } = {},
): Promise<NewSessionOfPerson> => {
  const { state } = await persons.read(personStream(personId));
  const kind = state.staffRole === null ? 'customer' : 'staff';
  const passesSecondStep = kind === 'staff' && userVerified;
  const created = await identity.sessions.create({ personId, kind, passesSecondStep, address, userAgent });
  const { id: sessionId } = created.session;
  // The session is worthless before its token is returned, so the event may come second.
  const metadata = { actor: `person:${personId}`, commandId: derivedId('in', sessionId) };
  const secondStep = passesSecondStep ? ({ secondStep: 'passkey' } as const) : {};
  await persons.execute(personStream(personId), { type: 'SignIn', sessionId, means, ...secondStep }, metadata);
  return created;
};
