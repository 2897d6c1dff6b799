import type { ClaimCommand } from '../../domain/identity/claims.ts';
import { personStream, type Person } from '../../domain/identity/person.ts';
import { derivedId } from '../../eventstore/ids.ts';
import { addressIn, personalOf, type PeopleOptions } from '../people-options.ts';
import { untilCurrent } from './until-current.ts';

/** An undo at the last moment claims the address again a little later. */
const CLAIM_LONGER_MS = 60 * 60_000;
/** Stored as the reason of a claim's end. */
const REASON = 'the address of the person changed';

/** The mailboxes that a person has or had, by the stream of their claims, with the commands that their claims need. */
const commandsOf = async (
  options: PeopleOptions,
  personId: string,
  person: Person,
): Promise<ReadonlyMap<string, ClaimCommand>> => {
  const { identities, now } = options;
  const at = now().getTime();
  const owner = personId;
  const commands = new Map<string, ClaimCommand>();
  const streamOf = async (sealed: string): Promise<string | undefined> => {
    const address = await addressIn(options, personId, sealed);
    return address && identities.ofAddress(address);
  };
  const present = person.personal === null ? undefined : await streamOf(person.personal);
  const ends = new Map<string, number>();
  for (const { before, after, undoUntil, undone } of person.changes) {
    for (const [sealed, end] of [[before, undone ? 0 : undoUntil] as const, [after, 0] as const]) {
      const stream = await streamOf(sealed);
      if (stream !== undefined) ends.set(stream, Math.max(end, ends.get(stream) ?? 0));
    }
  }
  for (const [stream, end] of ends) {
    const kept: ClaimCommand = { type: 'EndClaim', owner, until: end + CLAIM_LONGER_MS, reason: REASON };
    commands.set(stream, at < end ? kept : { type: 'ReleaseIdentity', owner, reason: REASON });
  }
  if (present !== undefined) commands.set(present, { type: 'ClaimIdentity', owner, at });
  return commands;
};

/**
 * Makes the claims of mailboxes match the person: the present address without an end, those that an undo can bring back until
 * then, and no others. `unused` is an identity that was claimed for a change that did not come about. May be repeated.
 */
export const settleClaims = async (options: PeopleOptions, personId: string, unused?: string): Promise<void> => {
  const read = async () => (await options.persons.read(personStream(personId))).state;
  // A change or an undo meanwhile may have settled the claims before these commands did.
  await untilCurrent(async () => {
    const state = await read();
    await settle(options, personId, state, unused);
    return isSame(await read(), state) ? 'done' : undefined;
  });
};

const isSame = (one: Person, other: Person): boolean =>
  one.status === other.status &&
  one.personal === other.personal &&
  one.changes.map(({ undone }) => undone).join() === other.changes.map(({ undone }) => undone).join();

const settle = async (options: PeopleOptions, personId: string, state: Person, unused?: string): Promise<void> => {
  const { claims, randomBytes } = options;
  // After an erasure nothing can be opened, and nothing is claimed.
  const isKnown = state.status === 'verified' && (await personalOf(options, personId, state)) !== undefined;
  const release: ClaimCommand = { type: 'ReleaseIdentity', owner: personId, reason: REASON };
  const commands = new Map([
    ...(unused === undefined ? [] : [[unused, release] as const]),
    ...(isKnown ? await commandsOf(options, personId, state) : []),
  ]);
  for (const [stream, command] of commands) {
    // The commands change nothing if they are repeated, and must be executed again after later changes.
    const commandId = derivedId('settle', randomBytes(16).toString('hex'));
    await claims.execute(stream, command, { actor: 'system:address-change', commandId });
  }
};
