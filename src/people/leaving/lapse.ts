import { readAddress } from '../../domain/identity/address.ts';
import { invitationStream } from '../../domain/identity/invitations.ts';
import { personStream } from '../../domain/identity/person.ts';
import { derivedId } from '../../eventstore/ids.ts';
import { personalOf, type PeopleOptions } from '../people-options.ts';

/** How long a registration may wait for the verification of its address. */
export const LAPSES_AFTER_MS = 24 * 60 * 60 * 1000;
/** An acceptance from the last moment has ended by then. */
const AFTER_INVITATION_MS = 60 * 60 * 1000;
const AT_ONCE = 100;

/** An invitation waits among the registrations, as if it had begun so late that it is due after its end. */
export const waitsSince = (until: number): Date => new Date(until + AFTER_INVITATION_MS - LAPSES_AFTER_MS);

/**
 * Ends registrations that were not verified in time, erases the addresses of invitations that were not accepted, and resolves to how many were looked at. To be called again and again;
 * several nodes may do so at once. The process then destroys their personal data.
 */
export const lapseRegistrations = async (options: PeopleOptions): Promise<number> => {
  const { identity, persons, now } = options;
  const before = new Date(now().getTime() - LAPSES_AFTER_MS);
  const due = await identity.pendingRegistrations.begunBefore(before, AT_ONCE);
  for (const personId of due) {
    if (await forgetInvitation(options, personId)) continue;
    if (await isBeingVerified(options, personId)) continue;
    const metadata = { actor: 'system:registration', commandId: derivedId('lapse', personId) };
    await persons.execute(personStream(personId), { type: 'LapseRegistration' }, metadata, { mayRepeat: true });
    await identity.pendingRegistrations.remove(personId);
  }
  return due.length;
};

/** False if the id is not that of an invitation. An accepted one is completed by the process, which needs the address. */
const forgetInvitation = async ({ invitations, identity, destroyKey }: PeopleOptions, id: string): Promise<boolean> => {
  if (!id.startsWith('inv_')) return false;
  const { state } = await invitations.read(invitationStream(id));
  if (state.status !== 'accepted') await destroyKey(id);
  await identity.pendingRegistrations.remove(id);
  return true;
};

/** The address is claimed: the process verifies the person, after an outage perhaps late. */
const isBeingVerified = async (options: PeopleOptions, personId: string): Promise<boolean> => {
  const { state } = await options.persons.read(personStream(personId));
  const personal = state.status === 'unverified' ? await personalOf(options, personId, state) : undefined;
  const address = personal && readAddress(personal.email);
  if (!address) return false;
  return (await options.claims.read(options.identities.ofAddress(address))).state.owners.includes(personId);
};
