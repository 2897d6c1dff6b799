import type { PersonCommand, PersonRefusal } from '../../domain/identity/person-commands.ts';
import type { PersonEvent } from '../../domain/identity/person-events.ts';
import { hasSecondStep, personStream, type Person } from '../../domain/identity/person.ts';
import type { Outcome } from '../../eventstore/commands.ts';
import { eventId } from '../../eventstore/ids.ts';
import { decodeEvent } from '../../eventstore/journal/codec.ts';
import type { Action } from '../../identity/attempt-limits.ts';
import type { Session } from '../../identity/sessions.ts';
import { networkOf } from '../one-time.ts';
import type { Client, PeopleOptions, Wait } from '../people-options.ts';

/** A request of a person with a session. */
export type Asked = {
  readonly session: Session;
  readonly client: Client;
  readonly commandId: string;
  readonly mayRepeat: boolean;
  readonly requestId: string;
};

/** How long a sign-in or a second step of a customer counts. The sessions of staff are short, so theirs counts until the end. */
const RECENT_MS = 15 * 60_000;

export type NotConfirmed = { readonly kind: 'second_step_required' | 'recent_sign_in_required' };
export type RefusedByRules = { readonly kind: 'refused'; readonly refusal: PersonRefusal };

const isRecent = (at: Date | null, now: Date): boolean => at !== null && now.getTime() - at.getTime() < RECENT_MS;

/** Whether the session has passed the second step: for what removes it. */
export const needsSecondStep = (
  { secondStepAt }: Session,
  { staffRole }: Person,
  now: Date,
): NotConfirmed | undefined => {
  const hasPassed = staffRole === null ? isRecent(secondStepAt, now) : secondStepAt !== null;
  return hasPassed ? undefined : { kind: 'second_step_required' };
};

/**
 * Whether the session may change what the person signs in with, or where the person's mail goes, so that an attacker with the
 * token of a session cannot make the access permanent. Without a second step, the person signs in again for that.
 */
export const needsConfirmation = (session: Session, person: Person, now: Date): NotConfirmed | undefined => {
  if (needsSecondStep(session, person, now) === undefined) return undefined;
  if (person.staffRole !== null && hasSecondStep(person)) return { kind: 'second_step_required' };
  return isRecent(session.createdAt, now) ? undefined : { kind: 'recent_sign_in_required' };
};

export const readPerson = async ({ persons }: Pick<PeopleOptions, 'persons'>, personId: string): Promise<Person> =>
  (await persons.read(personStream(personId))).state;

/** Executes a command on the stream of the person who asks. */
export const change = (
  { persons }: Pick<PeopleOptions, 'persons'>,
  { session: { personId }, commandId, requestId, mayRepeat }: Asked,
  command: PersonCommand,
): Promise<Outcome<PersonEvent, PersonRefusal>> => {
  const metadata = { actor: `person:${personId}`, commandId, correlationId: requestId };
  return persons.execute(personStream(personId), command, metadata, { mayRepeat });
};

/** The event of an earlier request with the same Idempotency-Key, for requests whose proof is accepted only once. */
export const earlierEvent = async (
  { store }: Pick<PeopleOptions, 'store'>,
  { session, commandId, mayRepeat }: Asked,
): Promise<PersonEvent | undefined> => {
  const stored = mayRepeat && (await store.findEvent(personStream(session.personId), eventId(commandId, 0)));
  return stored ? (decodeEvent(stored) as PersonEvent) : undefined;
};

/** Counts an attempt of a person who is signed in. */
export const attempt = async (
  { identity }: Pick<PeopleOptions, 'identity'>,
  action: Action,
  { session, client }: Pick<Asked, 'session' | 'client'>,
): Promise<Wait | undefined> => {
  const keys = { account: session.personId, network: networkOf(client) };
  const allowance = await identity.attemptLimits.allow({ action, keys });
  return allowance.kind === 'wait' ? allowance : undefined;
};
