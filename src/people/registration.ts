import { accountStream } from '../domain/account/account.ts';
import { readAddress, type Address } from '../domain/identity/address.ts';
import type { Entity } from '../domain/identity/entity.ts';
import type { AskedAccount } from '../domain/identity/person-events.ts';
import { personStream, type Person } from '../domain/identity/person.ts';
import { ownersAt } from '../domain/identity/claims.ts';
import { mailStream } from '../domain/mail/mail.ts';
import { derivedId } from '../eventstore/ids.ts';
import { queueMail } from '../mail/templates/templates.ts';
import { hintOwner } from './hints.ts';
import { codeEndsAt, networkOf, newBrowserSecret, redeem } from './one-time.ts';
import {
  personalOf,
  type Client,
  type NotRedeemed,
  type PeopleOptions,
  type Proof,
  type Wait,
} from './people-options.ts';
import { startSession, type NewSessionOfPerson } from './sign-in.ts';

export type NewRegistration = {
  readonly name: string;
  readonly address: Address;
  readonly entity: Entity | undefined;
  readonly asked: AskedAccount;
  readonly client: Client;
  /** Derives the ids of the person and of the mail. */
  readonly commandId: string;
  readonly requestId: string;
};

export type Registered = {
  readonly kind: 'registered';
  /** Also the id of the person, if the address is verified. */
  readonly registrationId: string;
  readonly browserSecret: string;
  readonly expiresAt: Date;
};

export type Verified = {
  readonly kind: 'verified';
  readonly personId: string;
  /** Null if the entity has an account already. */
  readonly accountId: string | null;
  /** Only for the browser that registered. */
  readonly session: NewSessionOfPerson | undefined;
};

export type Registration = {
  /**
   * The same work, answer and time for every address. What follows depends on whether the address has an owner, and is done
   * by the process.
   */
  register(registration: NewRegistration): Promise<Registered | Wait>;
  verify(
    registrationId: string,
    proof: Proof,
    client: Client,
  ): Promise<Verified | NotRedeemed | { readonly kind: 'address_taken' } | { readonly kind: 'holder_excluded' }>;
  /** Mails a code to the address, or a hint if it has an owner or its owner was excluded. `at` is the time of the registration. */
  invite(personId: string, at: Date): Promise<void>;
  /** After the claim of the address: the person is verified, and the account opened. May be repeated. */
  complete(personId: string, how: 'code' | 'link'): Promise<{ readonly accountId: string | null }>;
  /** After AccountOpened on the person's stream. May be repeated. */
  openAccount(personId: string, accountId: string): Promise<void>;
};

export const mailOfRegistration = (registrationId: string): string => `verify-${registrationId}`;
/** Of the first account of a person. */
export const accountOfPerson = (personId: string): string => derivedId('acc', personId);

/** Stored with the acceptance of the terms as evidence. On disk: do not change. */
const ACCEPTED = 'accepted by the holder at registration';

export const createRegistration = (options: PeopleOptions): Registration => {
  const { identity, identities, vault, persons, now } = options;
  return {
    register: async ({ name, address, entity, asked, client, commandId, requestId }) => {
      const addressHash = identities.hashOf(address);
      const keys = { addressHash, network: networkOf(client) };
      const allowance = await identity.attemptLimits.allow({ action: 'register', keys });
      if (allowance.kind === 'wait') return allowance;
      const registrationId = derivedId('per', commandId);
      const personal = await vault.seal(registrationId, { name, email: address.exact, ...(entity ? { entity } : {}) });
      const browserSecret = newBrowserSecret(options);
      await identity.oneTimeCodes.issue({
        ...{ purpose: 'verify_address', subject: addressHash, id: mailOfRegistration(registrationId) },
        nonce: browserSecret,
      });
      await persons.execute(
        personStream(registrationId),
        { type: 'RegisterPerson', personal, how: 'registration', asked },
        { actor: `person:${registrationId}`, commandId, correlationId: requestId },
      );
      return { kind: 'registered', registrationId, browserSecret, expiresAt: codeEndsAt(now()) };
    },
    verify: (registrationId, proof, client) => verify(options, registrationId, proof, client),
    invite: (personId, at) => invite(options, personId, at),
    complete: (personId, how) => complete(options, personId, how),
    openAccount: (personId, accountId) => openAccount(options, personId, accountId),
  };
};

const verify = async (options: PeopleOptions, personId: string, proof: Proof, client: Client) => {
  const redeemed = await redeem(options, 'verify_address', mailOfRegistration(personId), proof, client);
  if (redeemed.kind !== 'redeemed') return redeemed;
  const { means: how, sameBrowser } = redeemed;
  const address = await addressOf(options, personId);
  if (!address) return { kind: 'expired' } as const;
  const claimed = await options.claims.execute(
    options.identities.ofAddress(address),
    { type: 'ClaimIdentity', owner: personId, how, at: options.now().getTime() },
    { actor: `person:${personId}`, commandId: derivedId('claim', personId) },
    { mayRepeat: true },
  );
  if (claimed.kind === 'refused') {
    const isExcluded = claimed.refusal.code === 'identity_retired';
    return isExcluded ? ({ kind: 'holder_excluded' } as const) : ({ kind: 'address_taken' } as const);
  }
  // The process does the same, in case that this node stops here.
  const { accountId } = await complete(options, personId, how);
  const { state } = await options.persons.read(personStream(personId));
  if (state.status !== 'verified') return { kind: 'expired' } as const;
  if (accountId !== null) await openAccount(options, personId, accountId);
  const session = sameBrowser ? await startSession(options, personId, how, client) : undefined;
  return { kind: 'verified', personId, accountId, session } as const;
};

/** The address under which the person registered; undefined if it was erased. */
const addressOf = async (options: PeopleOptions, personId: string): Promise<Address | undefined> => {
  const { state } = await options.persons.read(personStream(personId));
  const personal = await personalOf(options, personId, state);
  return personal && readAddress(personal.email);
};

const invite = async (options: PeopleOptions, personId: string, at: Date): Promise<void> => {
  const { claims, identities, identity, mails, now } = options;
  const address = await addressOf(options, personId);
  if (!address) return;
  const { state } = await claims.read(identities.ofAddress(address));
  const [owner] = ownersAt(state, now().getTime());
  if (owner === personId) return;
  if (owner !== undefined) return hintOwner(options, owner, at);
  // A newer registration of the address has replaced the code.
  if (!(await identity.oneTimeCodes.isOpen(mailOfRegistration(personId)))) return;
  const keys = { addressHash: identities.hashOf(address) };
  if ((await identity.attemptLimits.allow({ action: 'verification_mail', keys })).kind === 'wait') return;
  const expires_at = codeEndsAt(now()).toISOString();
  const to = { kind: 'person', id: personId };
  const command = state.retired
    ? queueMail('registration_refused', to, {})
    : queueMail('verify_address', to, { expires_at });
  const metadata = { actor: 'system:registration', commandId: derivedId('invite', personId) };
  await mails.execute(mailStream(mailOfRegistration(personId)), command, metadata, { mayRepeat: true });
};

const complete = async (
  options: PeopleOptions,
  personId: string,
  how: 'code' | 'link',
): Promise<{ readonly accountId: string | null }> => {
  const { persons, claims, identities, now } = options;
  const stream = personStream(personId);
  const metadata = (step: string) => ({ actor: `person:${personId}`, commandId: derivedId(step, personId) });
  await persons.execute(stream, { type: 'VerifyAddress', how }, metadata('verify'), { mayRepeat: true });
  const { state } = await persons.read(stream);
  if (state.asked === null || state.status !== 'verified') return { accountId: null };
  const accountId = accountOfPerson(personId);
  const personal = await personalOf(options, personId, state);
  if (personal?.entity) {
    const claim = { type: 'ClaimIdentity', owner: accountId, at: now().getTime() } as const;
    const entityStream = identities.ofEntity(personal.entity);
    const claimed = await claims.execute(entityStream, claim, metadata('entity'), { mayRepeat: true });
    if (claimed.kind === 'refused') return { accountId: null };
  }
  const { holder } = state.asked;
  const command = { type: 'OpenAccount', accountId, holder, at: now().getTime() } as const;
  const opened = await persons.execute(stream, command, metadata('open'), { mayRepeat: true });
  return { accountId: opened.kind === 'accepted' ? accountId : null };
};

const openAccount = async (options: PeopleOptions, personId: string, accountId: string): Promise<void> => {
  const { persons, accounts, newAccountLimits: limits } = options;
  const { state: person } = await persons.read(personStream(personId));
  const { state: account } = await accounts.read(accountStream(accountId));
  const asked = await applicationOf(options, personId, person, accountId);
  if (!asked) return;
  const { holder, termsVersion, declared, contact } = asked;
  const metadata = (step: string) => ({ actor: `person:${personId}`, commandId: derivedId(step, accountId) });
  if (account.standing.status === 'unregistered') {
    await accounts.execute(
      accountStream(accountId),
      {
        ...{ type: 'RegisterAccount', holder, adult: declared.adult, owner: personId, limits },
        personal: await contact(),
      },
      metadata('register'),
      { mayRepeat: true },
    );
  }
  const accept = { type: 'AcceptTerms', version: termsVersion, how: ACCEPTED } as const;
  await accounts.execute(accountStream(accountId), accept, metadata('terms'), { mayRepeat: true });
};

/** What was declared and accepted for the account; undefined if the person was erased. */
const applicationOf = async (options: PeopleOptions, personId: string, person: Person, accountId: string) => {
  const further = person.asks.get(accountId);
  if (further && person.status === 'verified') {
    const { holder, application } = further;
    return { ...application, holder, contact: () => Promise.resolve(application.contact) };
  }
  const personal = await personalOf(options, personId, person);
  if (!personal || person.asked === null) return undefined;
  return { ...person.asked, contact: () => options.vault.seal(accountId, personal) };
};
