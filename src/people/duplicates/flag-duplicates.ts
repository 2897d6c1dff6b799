import { accountStream, type Account } from '../../domain/account/account.ts';
import { canonicalEntity } from '../../domain/identity/entity.ts';
import { derivedId } from '../../eventstore/ids.ts';
import { BrokenSeal, type PersonalData } from '../../eventstore/journal/personal-data.ts';
import { WrongMasterKey } from '../../eventstore/secrets/data-keys.ts';
import type { PeopleOptions } from '../people-options.ts';
import { signalsOf, type Signal } from './signals.ts';

type Options = Pick<PeopleOptions, 'accounts' | 'store' | 'vault' | 'identity'>;
type Holder = { readonly accountId: string; readonly account: Account; readonly personal: PersonalData };

/** Enough for a person to decide. */
const MAX_OTHERS = 10;

/**
 * Flags an account, whose terms have been written, and others that may have the same holder: the event is on the stream of the
 * newer one. Accounts that the operator registered are never flagged, but others can be like them. May be repeated.
 */
export const flagDuplicates = async (options: Options, accountId: string): Promise<void> => {
  const one = await holderOf(options, accountId);
  if (!one) return;
  for (const signal of signalsOf(one.personal)) {
    // Itself is among those that are found.
    for (const { id } of await options.identity.searchTerms.find([signal], MAX_OTHERS + 1)) {
      const other = id === accountId ? undefined : await holderOf(options, id);
      if (other && isSuspicious(one, other, signal)) await flag(options, one, other, signal);
    }
  }
};

const holderOf = async ({ accounts, vault }: Options, accountId: string): Promise<Holder | undefined> => {
  const { state: account } = await accounts.read(accountStream(accountId));
  const { registration, erased } = account.standing;
  if (!registration || erased) return undefined;
  const personal = await vault.open(accountId, registration.personal).catch((error: unknown) => {
    // As in the search: data that this node cannot open is not compared.
    if (error instanceof BrokenSeal || error instanceof WrongMasterKey) return undefined;
    throw error;
  });
  return personal && { accountId, account, personal };
};

/** About accounts that one person owns, or one registered entity, rules and approvals decide. */
const isSuspicious = (one: Holder, other: Holder, { field, text }: Signal): boolean => {
  // The terms of a name that has just changed may still be the old ones.
  if (!signalsOf(other.personal).some((signal) => signal.field === field && signal.text === text)) return false;
  if (ownersOf(one).some((personId) => other.account.members.get(personId) === 'owner')) return false;
  const [entity, otherEntity] = [one.personal.entity, other.personal.entity];
  return !entity || !otherEntity || canonicalEntity(entity) !== canonicalEntity(otherEntity);
};

const ownersOf = ({ account }: Holder): readonly string[] =>
  [...account.members].flatMap(([personId, role]) => (role === 'owner' ? [personId] : []));

const flag = async (options: Options, one: Holder, other: Holder, { field: signal }: Signal): Promise<void> => {
  const isNewer = (await registeredAt(options, one)) > (await registeredAt(options, other));
  const [newer, older] = isNewer ? [one, other] : [other, one];
  if (newer.account.members.size === 0) return;
  const command = { type: 'SuspectDuplicate', other: older.accountId, signal } as const;
  const commandId = derivedId('duplicate', `${newer.accountId} ${older.accountId}`);
  const metadata = { actor: 'system:duplicates', commandId };
  // A closed account refuses it.
  await options.accounts.execute(accountStream(newer.accountId), command, metadata, { mayRepeat: true });
};

/** The position in the log. */
const registeredAt = async ({ store }: Options, { accountId }: Holder): Promise<number> =>
  (await store.readStream(accountStream(accountId), 0, 1))[0]?.position ?? 0;
