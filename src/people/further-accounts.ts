import type { Application, DeclineReason, Holder } from '../domain/identity/person-events.ts';
import { personStream } from '../domain/identity/person.ts';
import type { Entity } from '../domain/identity/entity.ts';
import { derivedId } from '../eventstore/ids.ts';
import { isExcluded } from './leaving/exclude-holder.ts';
import { networkOf } from './one-time.ts';
import { personalOf, type Client, type PeopleOptions, type Wait } from './people-options.ts';
import type { Registration } from './registration.ts';

export type FurtherAccount = {
  /** With the name of the account; without it, the account is personal. */
  readonly entity: (Entity & { readonly name: string }) | undefined;
  readonly accepted: Omit<Application, 'contact'>;
  readonly client: Client;
  /** Derives the id of the account. */
  readonly commandId: string;
  readonly requestId: string;
};

type RefusedCode = 'person_not_found' | 'second_account_not_approved' | 'entity_taken' | 'holder_excluded';

export type FurtherAccountOutcome =
  | { readonly kind: 'opened'; readonly accountId: string }
  | Wait
  | { readonly kind: 'refused'; readonly code: RefusedCode };

export type FurtherAccounts = {
  /** Opens an account for a person who is signed in. */
  open(personId: string, account: FurtherAccount): Promise<FurtherAccountOutcome>;
  /** After AccountAsked. May be repeated. `at` is when it was asked for. */
  complete(personId: string, accountId: string, at: Date): Promise<FurtherAccountOutcome>;
};

/** The accounts of a person after the first: of entities, or personal ones by an approval. */
export const createFurtherAccounts = (
  options: PeopleOptions,
  { openAccount }: Pick<Registration, 'openAccount'>,
): FurtherAccounts => ({
  open: async (personId, asked) => {
    const { identity, persons, now } = options;
    const keys = { account: personId, network: networkOf(asked.client) };
    const allowance = await identity.attemptLimits.allow({ action: 'register', keys });
    if (allowance.kind === 'wait') return allowance;
    const accountId = derivedId('acc', asked.commandId);
    if (await isBarred(options, personId, accountId, asked)) return { kind: 'refused', code: 'holder_excluded' };
    const application = await applicationFor(options, personId, accountId, asked);
    if (!application) return { kind: 'refused', code: 'person_not_found' };
    const holder: Holder = asked.entity ? 'entity' : 'person';
    const metadata = {
      ...{ actor: `person:${personId}`, commandId: asked.commandId, correlationId: asked.requestId },
    };
    const at = now();
    const command = { type: 'AskAccount', accountId, holder, application, at: at.getTime() } as const;
    const outcome = await persons.execute(personStream(personId), command, metadata, { mayRepeat: true });
    if (outcome.kind === 'refused') return refusalOf(outcome.refusal.code);
    // The process does the same, in case that this node stops here.
    return complete(options, openAccount, personId, accountId, at);
  },
  complete: (personId, accountId, at) => complete(options, openAccount, personId, accountId, at),
});

const refusalOf = (code: string): FurtherAccountOutcome => ({
  kind: 'refused',
  code: code === 'second_account_not_approved' ? code : 'person_not_found',
});

/** Whether an account of the person or of the entity was terminated. False for a repetition: the account was already asked for. */
const isBarred = async (
  options: PeopleOptions,
  personId: string,
  accountId: string,
  { entity }: FurtherAccount,
): Promise<boolean> => {
  const { state } = await options.persons.read(personStream(personId));
  if (state.asks.has(accountId)) return false;
  if (await isExcluded(options, personId)) return true;
  return entity !== undefined && (await options.claims.read(options.identities.ofEntity(entity))).state.retired;
};

/** Seals the contact of the account once: a repetition finds it in the state. */
const applicationFor = async (
  options: PeopleOptions,
  personId: string,
  accountId: string,
  { entity: named, accepted }: FurtherAccount,
): Promise<Application | undefined> => {
  const { state } = await options.persons.read(personStream(personId));
  const asked = state.asks.get(accountId);
  if (asked) return asked.application;
  const personal = await personalOf(options, personId, state);
  if (!personal) return undefined;
  const { name, email } = personal;
  const { name: ofEntity = '', ...entity } = named ?? {};
  const contact = named ? { name: ofEntity, email, entity: entity as Entity } : { name, email };
  return { ...accepted, contact: await options.vault.seal(accountId, contact) };
};

const complete = async (
  options: PeopleOptions,
  openAccount: Registration['openAccount'],
  personId: string,
  accountId: string,
  at: Date,
): Promise<FurtherAccountOutcome> => {
  const { persons, claims, vault, identities } = options;
  const stream = personStream(personId);
  const asked = (await persons.read(stream)).state.asks.get(accountId);
  const contact = asked && (await vault.open(accountId, asked.application.contact));
  if (asked && asked.declined !== null) return { kind: 'refused', code: asked.declined };
  if (!asked || !contact) return { kind: 'refused', code: 'person_not_found' };
  const metadata = (step: string) => ({ actor: `person:${personId}`, commandId: derivedId(step, accountId) });
  const ofEntity = contact.entity && identities.ofEntity(contact.entity);
  if (ofEntity !== undefined) {
    const claim = { type: 'ClaimIdentity', owner: accountId, at: at.getTime() } as const;
    const claimed = await claims.execute(ofEntity, claim, metadata('entity'), { mayRepeat: true });
    if (claimed.kind === 'refused') return decline(options, personId, accountId, 'entity_taken');
  }
  const command = { type: 'OpenAccount', accountId, holder: asked.holder, at: at.getTime() } as const;
  const opened = await persons.execute(stream, command, metadata('open'), { mayRepeat: true });
  if (opened.kind === 'refused') {
    const release = { type: 'ReleaseIdentity', owner: accountId, reason: 'the account was not opened' } as const;
    if (ofEntity !== undefined) await claims.execute(ofEntity, release, metadata('release'), { mayRepeat: true });
    return decline(options, personId, accountId, 'second_account_not_approved');
  }
  await openAccount(personId, accountId);
  return { kind: 'opened', accountId };
};

/** The answer stays the same from now on, also if the entity becomes free or an approval is given. */
const decline = async (
  { persons, destroyKey }: PeopleOptions,
  personId: string,
  accountId: string,
  reason: DeclineReason,
): Promise<FurtherAccountOutcome> => {
  const command = { type: 'DeclineAccount', accountId, reason } as const;
  const metadata = { actor: 'system:registration', commandId: derivedId('decline', accountId) };
  const declined = await persons.execute(personStream(personId), command, metadata, { mayRepeat: true });
  if (declined.kind === 'accepted' && declined.events.length === 0) return { kind: 'opened', accountId };
  await destroyKey(accountId);
  return declined.kind === 'refused' ? refusalOf(declined.refusal.code) : { kind: 'refused', code: reason };
};
