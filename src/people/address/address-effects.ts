import { ownersAt } from '../../domain/identity/claims.ts';
import { UNDO_MS, UNDONE } from '../../domain/identity/decide-contact.ts';
import { personStream, undoneWith } from '../../domain/identity/person.ts';
import { mailStream } from '../../domain/mail/mail.ts';
import { derivedId, eventId } from '../../eventstore/ids.ts';
import { queueMail } from '../../mail/templates/templates.ts';
import { formerAddress, mailOfChange, newAddress, noticeOf, subjectOfUndo, TTL_MS } from './change-mails.ts';
import { updateContacts } from './contacts.ts';
import { hintOwner } from '../hints.ts';
import { addressIn, type PeopleOptions } from '../people-options.ts';
import { settleClaims } from './settle-claims.ts';

/** What follows from the events of a change of address. Each may be repeated: a route and the process do the same. */
export type AddressEffects = {
  /** Mails a code to the new address, or a hint to its owner if it has one. `at` is the time of the request. */
  invite(personId: string, changeId: string, at: Date): Promise<void>;
  /** The old address gets the notice, and stays with the person until the change can no longer be undone. */
  afterChange(personId: string, changeId: string): Promise<void>;
  /** Frees the new address, and ends its codes, all sessions, and the passkeys and the app that were added since. */
  afterUndo(personId: string, changeId: string): Promise<void>;
};

export const createAddressEffects = (options: PeopleOptions): AddressEffects => ({
  invite: (personId, changeId, at) => invite(options, personId, changeId, at),
  afterChange: async (personId, changeId) => {
    await settleClaims(options, personId);
    await notify(options, personId, changeId);
    const { state } = await options.persons.read(personStream(personId));
    const change = state.changes.find((one) => one.changeId === changeId);
    if (change) await revokeSignInCodes(options, personId, change.before);
    await updateContacts(options, personId);
  },
  afterUndo: async (personId, changeId) => {
    const { state } = await options.persons.read(personStream(personId));
    await endAccess(options, personId, changeId);
    await settleClaims(options, personId);
    const undone = undoneWith(state.changes, changeId).filter((one) => one.undone);
    for (const { after } of undone) await revokeSignInCodes(options, personId, after);
    if (state.change === null) await options.identity.oneTimeCodes.revoke(personId, 'change_address');
    await updateContacts(options, personId);
  },
});

const invite = async (options: PeopleOptions, personId: string, changeId: string, at: Date): Promise<void> => {
  const { claims, identities, identity, mails, persons, now } = options;
  const { state: person } = await persons.read(personStream(personId));
  if (person.change?.changeId !== changeId) return;
  const address = await addressIn(options, personId, person.change.personal);
  if (!address) return;
  const { state } = await claims.read(identities.ofAddress(address));
  const owners = ownersAt(state, now().getTime());
  if (owners.length > 0 && !owners.includes(personId)) return hintOwner(options, owners[0] ?? '', at);
  const mailId = mailOfChange(changeId);
  if (state.retired || !(await identity.oneTimeCodes.isOpen(mailId))) return;
  const bySupport = person.change.by === 'support';
  const expires_at = new Date(at.getTime() + TTL_MS[person.change.by]).toISOString();
  const params = bySupport ? { expires_at, asked_by: 'support' as const } : { expires_at };
  const command = queueMail('confirm_address', newAddress(personId, changeId), params);
  const metadata = { actor: 'system:address-change', commandId: derivedId('invite', changeId) };
  await mails.execute(mailStream(mailId), command, metadata, { mayRepeat: true });
};

/** The notice to the old address, with the link that undoes the change. */
const notify = async (options: PeopleOptions, personId: string, changeId: string): Promise<void> => {
  const { identity, mails, persons, now } = options;
  const { state } = await persons.read(personStream(personId));
  const change = state.changes.find((one) => one.changeId === changeId);
  const ttlMs = (change?.undoUntil ?? 0) - now().getTime();
  if (!change || change.undone || ttlMs <= 0) return;
  const id = noticeOf(changeId);
  await identity.oneTimeCodes.issue({ purpose: 'undo_change', subject: subjectOfUndo(personId, changeId), id, ttlMs });
  const command = queueMail('address_changed', formerAddress(personId, changeId), {
    changed_at: new Date(change.undoUntil - UNDO_MS).toISOString(),
    undo_until: new Date(change.undoUntil).toISOString(),
  });
  const metadata = { actor: 'system:address-change', commandId: derivedId('notice', changeId) };
  await mails.execute(mailStream(id), command, metadata, { mayRepeat: true });
};

const revokeSignInCodes = async (options: PeopleOptions, personId: string, personal: string): Promise<void> => {
  const address = await addressIn(options, personId, personal);
  if (address) await options.identity.oneTimeCodes.revoke(options.identities.hashOf(address), 'sign_in');
};

/** Once: sessions that began after the undo stay, and so do recovery codes that were made after it. */
const endAccess = async ({ identity, persons, store }: PeopleOptions, personId: string, changeId: string) => {
  const stream = personStream(personId);
  const commandId = derivedId('undo-sessions', changeId);
  if (await store.findEvent(stream, eventId(commandId, 0))) return;
  await identity.sessions.revokeAll(personId);
  const { state } = await persons.read(stream);
  // Since the undo, they count nowhere.
  for (const passkeyId of state.changes.find((one) => one.changeId === changeId)?.removed ?? []) {
    if (!state.passkeys.has(passkeyId)) await identity.passkeys.remove(personId, passkeyId);
  }
  if (!state.hasTotp) await identity.totp.remove(personId);
  await identity.recoveryCodes.remove(personId);
  const command = { type: 'RevokeSessions', reason: UNDONE } as const;
  await persons.execute(stream, command, { actor: 'system:address-change', commandId }, { mayRepeat: true });
};
