import { accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider } from '../../../src/domain/account/decide.ts';
import { personDecider } from '../../../src/domain/identity/decide-person.ts';
import { personStream } from '../../../src/domain/identity/person.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { journal } from '../../../src/eventstore/journal/codec.ts';
import { asPlain } from '../../../src/eventstore/journal/personal-data.ts';
import { openLog } from '../../support/stores/log.ts';

const AT_ONCE = 250;

/** Every n-th account has two owners; the others have the contact that the operator registered. */
const TWO_OWNERS_EVERY = 10;

/**
 * Registers accounts in the log, without a gateway. Returns the addresses that a notice of each account goes to.
 */
export const registerAccounts = async (
  databaseUrl: string,
  count: number,
  termsVersion: string,
): Promise<ReadonlyMap<string, readonly string[]>> => {
  const store = openLog(databaseUrl);
  const committer = createCommitter({ store });
  const writing = { store, committer, codec: journal };
  const accounts = createCommands({ ...writing, decider: accountDecider });
  const persons = createCommands({ ...writing, decider: personDecider });
  const addresses = new Map<string, readonly string[]>();
  const metadata = (commandId: string) => ({ actor: 'test', commandId });

  const person = async (personId: string): Promise<string> => {
    const email = `${personId}@example.com`;
    const register = { type: 'RegisterPerson', personal: asPlain({ name: 'Ada', email }), how: 'operator' } as const;
    await persons.execute(personStream(personId), register, metadata(personId));
    return email;
  };
  const open = async (n: number): Promise<void> => {
    const accountId = `acc_${String(n).padStart(6, '0')}`;
    const email = `${accountId}@example.com`;
    const personal = asPlain({ name: 'Ada', email });
    const owners = n % TWO_OWNERS_EVERY === 0 ? [`per_${n}_1`, `per_${n}_2`] : [];
    const commands = [
      { type: 'RegisterAccount', holder: 'entity', personal, adult: true },
      { type: 'AcceptTerms', version: termsVersion, how: 'test' },
      ...owners.map((personId) => ({ type: 'AddMember', personId, role: 'owner' }) as const),
    ] as const;
    await Promise.all(
      commands.map((command, m) => accounts.execute(accountStream(accountId), command, metadata(`${accountId} ${m}`))),
    );
    addresses.set(accountId, owners.length > 0 ? await Promise.all(owners.map(person)) : [email]);
  };
  for (let from = 0; from < count; from += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, n) => open(from + n)));
  }
  await committer.close();
  await store.close();
  return addresses;
};
