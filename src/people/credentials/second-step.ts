import type { SecondStepMeans } from '../../domain/identity/person-events.ts';
import { hasSecondStep, type Person } from '../../domain/identity/person.ts';
import type { Passkeys } from '../../identity/passkeys/passkeys.ts';
import type { PeopleOptions, Wait } from '../people-options.ts';
import { attempt, change, earlierEvent, readPerson, type Asked, type RefusedByRules } from './asked.ts';
import { verify, type PasskeyRefused } from './passkeys.ts';

type RequestOptions = Awaited<ReturnType<Passkeys['signInOptions']>>;

export type SecondStepProof =
  | { readonly kind: 'totp'; readonly code: string }
  | { readonly kind: 'recovery_code'; readonly code: string }
  /** What the browser returned for the options. */
  | { readonly kind: 'passkey'; readonly response: unknown };

export type SecondStep = {
  /** For `navigator.credentials.get`: the passkeys of the person, whose authenticators must verify the user. */
  options(
    asked: Asked,
  ): Promise<{ readonly kind: 'options'; readonly options: RequestOptions } | RefusedByRules | Wait>;
  /** Marks the session. */
  pass(
    asked: Asked,
    proof: SecondStepProof,
  ): Promise<
    | { readonly kind: 'passed'; readonly at: Date; readonly repeated: boolean }
    | { readonly kind: 'code_wrong' }
    | PasskeyRefused
    | RefusedByRules
    | Wait
  >;
};

const NOT_SET_UP: RefusedByRules = { kind: 'refused', refusal: { code: 'second_step_not_set_up' } };

export const createSecondStep = (options: PeopleOptions): SecondStep => ({
  options: async (asked) => {
    const { personId } = asked.session;
    const person = await readPerson(options, personId);
    // Without a passkey, the options would allow any.
    if (person.passkeys.size === 0) return NOT_SET_UP;
    const wait = await attempt(options, 'passkey', asked);
    if (wait) return wait;
    // One factor must not count twice: a session may have begun with a passkey that was only touched.
    return {
      kind: 'options',
      options: await options.identity.passkeys.signInOptions({ personId, verifyUser: true }),
    };
  },
  pass: (asked, proof) => pass(options, asked, proof),
});

const pass = async (options: PeopleOptions, asked: Asked, proof: SecondStepProof): ReturnType<SecondStep['pass']> => {
  const { identity, now } = options;
  const { session } = asked;
  const earlier = await earlierEvent(options, asked);
  if (earlier?.type === 'SecondStepPassed' && earlier.sessionId === session.id && session.secondStepAt) {
    return { kind: 'passed', at: session.secondStepAt, repeated: true };
  }
  const person = await readPerson(options, session.personId);
  if (!hasSecondStep(person)) return NOT_SET_UP;
  const wait = await attempt(options, 'second_step', asked);
  if (wait) return wait;
  const refused = await refusalOf(options, session.personId, person, proof);
  if (refused) return refused;
  // The event comes first, so that no session is marked without evidence.
  const means: SecondStepMeans = proof.kind;
  const outcome = await change(options, asked, { type: 'PassSecondStep', sessionId: session.id, means });
  if (outcome.kind === 'refused') return outcome;
  await identity.sessions.passSecondStep(session.id);
  return { kind: 'passed', at: now(), repeated: false };
};

const refusalOf = async (
  options: PeopleOptions,
  personId: string,
  person: Person,
  proof: SecondStepProof,
): Promise<{ readonly kind: 'code_wrong' } | PasskeyRefused | undefined> => {
  const { totp, recoveryCodes } = options.identity;
  switch (proof.kind) {
    case 'totp': {
      // A seed without its event counts nowhere.
      const isRight = person.hasTotp && (await totp.verify(personId, proof.code)).kind === 'passed';
      return isRight ? undefined : { kind: 'code_wrong' };
    }
    case 'recovery_code':
      return (await recoveryCodes.redeem(personId, proof.code)) ? undefined : { kind: 'code_wrong' };
    case 'passkey': {
      const verified = await verify(options, proof.response);
      if (verified.kind === 'passkey_refused') return verified;
      const isOwn = verified.personId === personId && verified.userVerified;
      return isOwn ? undefined : { kind: 'passkey_refused', cause: 'not_accepted' };
    }
  }
};
