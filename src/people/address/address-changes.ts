import type { Address } from '../../domain/identity/address.ts';
import type { SupportCheck } from '../../domain/identity/person-events.ts';
import { ownersAt } from '../../domain/identity/claims.ts';
import { personStream, type Person } from '../../domain/identity/person.ts';
import { derivedId, eventId } from '../../eventstore/ids.ts';
import type { Session } from '../../identity/sessions.ts';
import { createAddressEffects, type AddressEffects } from './address-effects.ts';
import { mailOfChange, noticeOf, personOfUndo, TTL_MS } from './change-mails.ts';
import { needsConfirmation, readPerson, type NotConfirmed } from '../credentials/asked.ts';
import { networkOf, redeem } from '../one-time.ts';
import {
  addressIn,
  personalOf,
  type Client,
  type NotRedeemed,
  type PeopleOptions,
  type Proof,
  type Wait,
} from '../people-options.ts';
import { settleClaims } from './settle-claims.ts';
import { untilCurrent } from './until-current.ts';

export type NewAddressChange = {
  readonly personId: string;
  readonly address: Address;
  readonly client: Client;
  readonly actor: string;
  /** Derives the id of the change. */
  readonly commandId: string;
  readonly mayRepeat: boolean;
  readonly requestId: string;
};

export type ChangeAsked = {
  readonly kind: 'asked';
  readonly changeId: string;
  /** The same for a repeated request. */
  readonly browserSecret: string;
  readonly expiresAt: Date;
};

export type NotAsked =
  | Wait
  /** The person was erased, or is not verified. */
  | { readonly kind: 'person_not_found' }
  | { readonly kind: 'address_unchanged' }
  /** The command was sent before, for another address. */
  | { readonly kind: 'other_request' };

export type AddressChanges = AddressEffects & {
  /** The same work, answer and time for every address. What follows depends on whether it has an owner, and is done by the process. */
  ask(change: NewAddressChange & { readonly session: Session }): Promise<ChangeAsked | NotAsked | NotConfirmed>;
  /** For a lost mailbox. Support learns whether the address belongs to another person; the person confirms with the link alone. */
  askForPerson(
    change: NewAddressChange & { readonly support: SupportCheck },
  ): Promise<ChangeAsked | NotAsked | { readonly kind: 'address_taken' }>;
  confirm(
    changeId: string,
    proof: Proof,
    client: Client,
  ): Promise<{ readonly kind: 'changed' } | NotRedeemed | { readonly kind: 'address_taken' }>;
  /** May be repeated: the link has the same answer as before then. */
  undo(changeId: string, linkSecret: string, client: Client): Promise<{ readonly kind: 'undone' } | NotRedeemed>;
  /** After IdentityClaimed, in case that the node of `confirm` has stopped. May be repeated. */
  resume(personId: string, identity: string): Promise<void>;
};

export const createAddressChanges = (options: PeopleOptions): AddressChanges => {
  const effects = createAddressEffects(options);
  return {
    ...effects,
    ask: async (change) => {
      const { personId, address, client, session } = change;
      const unconfirmed = needsConfirmation(session, await readPerson(options, personId), options.now());
      if (unconfirmed) return unconfirmed;
      const keys = { account: personId, addressHash: options.identities.hashOf(address), network: networkOf(client) };
      const allowance = await options.identity.attemptLimits.allow({ action: 'send_code', keys });
      return allowance.kind === 'wait' ? allowance : ask(options, change);
    },
    askForPerson: async (change) => {
      const { state } = await options.claims.read(options.identities.ofAddress(change.address));
      const owners = ownersAt(state, options.now().getTime());
      const isForeign = owners.some((owner) => owner !== change.personId);
      return isForeign || state.retired ? { kind: 'address_taken' } : ask(options, change);
    },
    confirm: (changeId, proof, client) => confirm(options, effects, changeId, proof, client),
    undo: (changeId, linkSecret, client) => undo(options, effects, changeId, linkSecret, client),
    resume: async (personId, identity) => {
      const { state } = await options.persons.read(personStream(personId));
      const asked = state.change && (await addressIn(options, personId, state.change.personal));
      if (!state.change || !asked || options.identities.ofAddress(asked) !== identity) return;
      await complete(options, effects, personId, state.change.changeId, identity);
    },
  };
};

/** Derived, so that a repeated request is answered alike. No mail has this id. */
const browserSecretOf = ({ identity }: PeopleOptions, changeId: string): string =>
  identity.oneTimeCodes.secretsOf(`browser-of-${mailOfChange(changeId)}`).linkSecret;

const ask = async (
  options: PeopleOptions,
  change: NewAddressChange & { readonly support?: SupportCheck },
): Promise<ChangeAsked | NotAsked> => {
  const { persons, identity, store, now } = options;
  const { personId, address, support, actor, commandId, mayRepeat, requestId } = change;
  const stream = personStream(personId);
  const { state } = await persons.read(stream);
  const personal = state.status === 'verified' ? await personalOf(options, personId, state) : undefined;
  if (!personal) return { kind: 'person_not_found' };
  const changeId = derivedId('chg', commandId);
  const isNew = state.changes.every((one) => one.changeId !== changeId);
  if (isNew && personal.email === address.exact) return { kind: 'address_unchanged' };
  const browserSecret = browserSecretOf(options, changeId);
  const ttlMs = TTL_MS[support ? 'support' : 'holder'];
  const nonce = support ? undefined : browserSecret;
  await identity.oneTimeCodes.issue({
    ...{ purpose: 'change_address', subject: personId, id: mailOfChange(changeId), nonce, ttlMs },
  });
  const sealed = await options.vault.seal(personId, { ...personal, email: address.exact });
  const asked = await persons.execute(
    stream,
    { type: 'AskAddressChange', changeId, personal: sealed, ...(support ? { support } : {}) },
    { actor, commandId, correlationId: requestId },
    { mayRepeat },
  );
  if (asked.kind === 'refused') return { kind: 'person_not_found' };
  const [event] = asked.events;
  if (asked.repeated && event?.type === 'AddressChangeAsked') {
    const before = await options.vault.open(personId, event.personal);
    if (before?.email !== address.exact) return { kind: 'other_request' };
  }
  const stored = asked.repeated ? await store.findEvent(stream, eventId(commandId, 0)) : undefined;
  const expiresAt = new Date((stored?.time ?? now()).getTime() + ttlMs);
  return { kind: 'asked', changeId, browserSecret, expiresAt };
};

const confirm = async (
  options: PeopleOptions,
  effects: AddressEffects,
  changeId: string,
  proof: Proof,
  client: Client,
) => {
  const redeemed = await redeem(options, 'change_address', mailOfChange(changeId), proof, client);
  if (redeemed.kind !== 'redeemed') return redeemed;
  const { subject: personId, means: how } = redeemed;
  const { state } = await options.persons.read(personStream(personId));
  const address =
    state.change?.changeId === changeId ? await addressIn(options, personId, state.change.personal) : undefined;
  if (!address) return { kind: 'expired' } as const;
  const identity = options.identities.ofAddress(address);
  const claimed = await options.claims.execute(
    identity,
    { type: 'ClaimIdentity', owner: personId, how, at: options.now().getTime() },
    { actor: `person:${personId}`, commandId: derivedId('claim', changeId) },
    { mayRepeat: true },
  );
  if (claimed.kind === 'refused') return { kind: 'address_taken' } as const;
  const isChanged = await complete(options, effects, personId, changeId, identity);
  return isChanged ? ({ kind: 'changed' } as const) : ({ kind: 'expired' } as const);
};

/** The personal data of now with another address: the name may have changed since the change was asked for. */
const withAddress = async (
  options: PeopleOptions,
  personId: string,
  person: Person,
  source: string,
): Promise<string | undefined> => {
  const [current, other] = [await personalOf(options, personId, person), await options.vault.open(personId, source)];
  return current && other && options.vault.seal(personId, { ...current, email: other.email });
};

/** After the claim of the new address. Resolves to whether the change is in force. */
const complete = async (
  options: PeopleOptions,
  effects: AddressEffects,
  personId: string,
  changeId: string,
  identity: string,
): Promise<boolean> => {
  const { persons, now } = options;
  const stream = personStream(personId);
  const outcome = await untilCurrent(async () => {
    const { state } = await persons.read(stream);
    if (state.changes.some((one) => one.changeId === changeId)) return 'earlier';
    const pending = state.change?.changeId === changeId ? state.change : undefined;
    const personal = pending && (await withAddress(options, personId, state, pending.personal));
    if (personal === undefined || state.personal === null) return 'refused';
    const changed = await persons.execute(
      stream,
      { type: 'ChangeAddress', changeId, from: state.personal, personal, at: now().getTime() },
      { actor: `person:${personId}`, commandId: derivedId('change', changeId) },
      { mayRepeat: true },
    );
    if (changed.kind === 'accepted') return 'changed';
    return changed.refusal.code === 'person_changed' ? undefined : 'refused';
  });
  if (outcome === 'earlier') return true;
  if (outcome === 'changed') {
    await effects.afterChange(personId, changeId);
    return true;
  }
  // A newer change, an undo or an erasure was faster: the claim is of no use.
  await settleClaims(options, personId, identity);
  return false;
};

const undo = async (
  options: PeopleOptions,
  effects: AddressEffects,
  changeId: string,
  linkSecret: string,
  client: Client,
) => {
  const { identity, persons, now } = options;
  const id = noticeOf(changeId);
  const keys = { account: id, network: networkOf(client) };
  const allowance = await identity.attemptLimits.allow({ action: 'redeem_code', keys });
  if (allowance.kind === 'wait') return allowance;
  // Not redeemed: if this node stopped after that, the only way back would be lost.
  const found = await identity.oneTimeCodes.check({ purpose: 'undo_change', id, linkSecret });
  if (found.kind !== 'valid') return found;
  const personId = personOfUndo(found.subject);
  const stream = personStream(personId);
  const undone = await untilCurrent(async () => {
    const { state } = await persons.read(stream);
    const change = state.changes.find((one) => one.changeId === changeId);
    const personal = change && (await withAddress(options, personId, state, change.before));
    if (personal === undefined || state.personal === null) return 'refused';
    const outcome = await persons.execute(
      stream,
      { type: 'UndoAddressChange', changeId, from: state.personal, personal, at: now().getTime() },
      { actor: `person:${personId}`, commandId: derivedId('undo', changeId) },
      { mayRepeat: true },
    );
    // Without events it was undone before, with an earlier change.
    if (outcome.kind === 'accepted') return outcome.events.length > 0 ? 'undone' : 'earlier';
    return outcome.refusal.code === 'person_changed' ? undefined : 'refused';
  });
  if (undone === 'refused') return { kind: 'expired' } as const;
  if (undone === 'undone') await effects.afterUndo(personId, changeId);
  return { kind: 'undone' } as const;
};
