import type { Person } from '../../domain/identity/person.ts';
import type { Passkey, Passkeys } from '../../identity/passkeys/passkeys.ts';
import { networkOf } from '../one-time.ts';
import { personalOf, type Client, type PeopleOptions, type Wait } from '../people-options.ts';
import { startSession, type SignedIn } from '../sign-in.ts';
import {
  attempt,
  change,
  earlierEvent,
  needsConfirmation,
  readPerson,
  type Asked,
  type NotConfirmed,
  type RefusedByRules,
} from './asked.ts';

type CreationOptions = Awaited<ReturnType<Passkeys['registrationOptions']>>;
type RequestOptions = Awaited<ReturnType<Passkeys['signInOptions']>>;

/** The passkey was not accepted. An unknown one, one of another person and a wrong signature are the same to the caller. */
export type PasskeyRefused = { readonly kind: 'passkey_refused'; readonly cause: 'not_accepted' | 'counter_regressed' };

export type PersonPasskeys = {
  /** For `navigator.credentials.create`. */
  options(asked: Asked): Promise<{ readonly kind: 'options'; readonly options: CreationOptions } | NotConfirmed | Wait>;
  /** `response` is what the browser returned for the options. */
  add(
    asked: Asked,
    response: unknown,
    name: string,
  ): Promise<
    | { readonly kind: 'added'; readonly passkey: Passkey; readonly repeated: boolean }
    | PasskeyRefused
    | RefusedByRules
    | NotConfirmed
    | Wait
  >;
  /** The oldest first. */
  list(personId: string): Promise<readonly Passkey[]>;
  /** Undefined if the person has no such passkey. Its name is kept outside the log, so there is no event. */
  rename(personId: string, passkeyId: string, name: string): Promise<Passkey | undefined>;
  remove(asked: Asked, passkeyId: string): Promise<{ readonly kind: 'removed' } | RefusedByRules | NotConfirmed>;
  /** For `navigator.credentials.get` of a person who is not signed in. */
  signInOptions(client: Client): Promise<{ readonly kind: 'options'; readonly options: RequestOptions } | Wait>;
  signIn(response: unknown, client: Client): Promise<SignedIn | PasskeyRefused | Wait>;
};

/** Until then a row may belong to a registration whose event is being written. */
const VOID_AFTER_MS = 60_000;

export const createPersonPasskeys = (options: PeopleOptions): PersonPasskeys => {
  const { identity } = options;
  const list = async (personId: string): Promise<readonly Passkey[]> => {
    const { passkeys } = await readPerson(options, personId);
    return (await identity.passkeys.list(personId)).filter(({ id }) => passkeys.has(id));
  };
  const find = async (personId: string, passkeyId: string): Promise<Passkey | undefined> =>
    (await list(personId)).find(({ id }) => id === passkeyId);
  return {
    options: (asked) => creationOptions(options, asked),
    add: (asked, response, name) => add(options, find, asked, response, name),
    list,
    rename: async (personId, passkeyId, name) => {
      if (!(await find(personId, passkeyId))) return undefined;
      await identity.passkeys.rename(personId, passkeyId, name);
      return find(personId, passkeyId);
    },
    remove: (asked, passkeyId) => remove(options, asked, passkeyId),
    signInOptions: async (client) => {
      const allowance = await identity.attemptLimits.allow({ action: 'passkey', keys: { network: networkOf(client) } });
      if (allowance.kind === 'wait') return allowance;
      return { kind: 'options', options: await identity.passkeys.signInOptions({ verifyUser: false }) };
    },
    signIn: (response, client) => signIn(options, response, client),
  };
};

const creationOptions = async (
  options: PeopleOptions,
  asked: Asked,
): Promise<{ readonly kind: 'options'; readonly options: CreationOptions } | NotConfirmed | Wait> => {
  const { personId } = asked.session;
  const person = await readPerson(options, personId);
  const refused = needsConfirmation(asked.session, person, options.now()) ?? (await attempt(options, 'passkey', asked));
  if (refused) return refused;
  await removeVoid(options, personId, person);
  const personal = await personalOf(options, personId, person);
  return {
    kind: 'options',
    options: await options.identity.passkeys.registrationOptions({
      ...{ personId, userName: personal?.email ?? personId, verifyUser: person.staffRole !== null },
    }),
  };
};

/** A passkey without its event counts nowhere, but its authenticator could not be registered again. */
const removeVoid = async ({ identity, now }: PeopleOptions, personId: string, { passkeys }: Person): Promise<void> => {
  const before = now().getTime() - VOID_AFTER_MS;
  for (const { id, createdAt } of await identity.passkeys.list(personId)) {
    if (!passkeys.has(id) && createdAt.getTime() < before) await identity.passkeys.remove(personId, id);
  }
};

const add = async (
  options: PeopleOptions,
  find: (personId: string, passkeyId: string) => Promise<Passkey | undefined>,
  asked: Asked,
  response: unknown,
  name: string,
): ReturnType<PersonPasskeys['add']> => {
  const { identity } = options;
  const { personId } = asked.session;
  const earlier = await earlierEvent(options, asked);
  if (earlier?.type === 'PasskeyAdded') {
    const passkey = await find(personId, earlier.passkeyId);
    return passkey ? { kind: 'added', passkey, repeated: true } : refusedAs('passkey_not_found');
  }
  const person = await readPerson(options, personId);
  const refused = needsConfirmation(asked.session, person, options.now()) ?? (await attempt(options, 'passkey', asked));
  if (refused) return refused;
  const registered = await identity.passkeys.register(personId, response, name);
  if (registered.kind === 'refused') return { kind: 'passkey_refused', cause: 'not_accepted' };
  // The row comes first: without its event it counts nowhere.
  const { passkey } = registered;
  const outcome = await change(options, asked, { type: 'AddPasskey', passkeyId: passkey.id });
  if (outcome.kind === 'accepted') return { kind: 'added', passkey, repeated: false };
  await identity.passkeys.remove(personId, passkey.id);
  return outcome;
};

const remove = async (
  options: PeopleOptions,
  asked: Asked,
  passkeyId: string,
): Promise<{ readonly kind: 'removed' } | RefusedByRules | NotConfirmed> => {
  const { personId } = asked.session;
  const person = await readPerson(options, personId);
  const unconfirmed = person.passkeys.has(passkeyId) && needsConfirmation(asked.session, person, options.now());
  if (unconfirmed) return unconfirmed;
  // The event comes first: from then on the row counts nowhere.
  const outcome = await change(options, asked, { type: 'RemovePasskey', passkeyId });
  if (outcome.kind === 'refused' && outcome.refusal.code !== 'passkey_not_found') return outcome;
  await options.identity.passkeys.remove(personId, passkeyId);
  return outcome.kind === 'refused' ? outcome : { kind: 'removed' };
};

const signIn = async (
  options: PeopleOptions,
  response: unknown,
  client: Client,
): Promise<SignedIn | PasskeyRefused | Wait> => {
  const { identity } = options;
  const allowance = await identity.attemptLimits.allow({ action: 'passkey', keys: { network: networkOf(client) } });
  if (allowance.kind === 'wait') return allowance;
  const verified = await verify(options, response);
  if (verified.kind === 'passkey_refused') return verified;
  const { personId, userVerified } = verified;
  return {
    kind: 'signed_in',
    personId,
    ...(await startSession(options, personId, 'passkey', client, { userVerified })),
  };
};

export type VerifiedPasskey = {
  readonly kind: 'verified';
  readonly personId: string;
  readonly passkeyId: string;
  readonly userVerified: boolean;
};

/** Verifies a passkey that the log has as well: one that was removed or whose event is missing does not count. */
export const verify = async (options: PeopleOptions, response: unknown): Promise<VerifiedPasskey | PasskeyRefused> => {
  const result = await options.identity.passkeys.signIn(response);
  if (result.kind === 'refused') {
    const cause = result.reason === 'counter_regressed' ? result.reason : 'not_accepted';
    return { kind: 'passkey_refused', cause };
  }
  const { passkeys, status } = await readPerson(options, result.personId);
  if (status === 'verified' && passkeys.has(result.passkeyId)) return result;
  return { kind: 'passkey_refused', cause: 'not_accepted' };
};

const refusedAs = (code: RefusedByRules['refusal']['code']): RefusedByRules => ({ kind: 'refused', refusal: { code } });
