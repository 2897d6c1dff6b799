import type { Application, AskedAccount, DeclineReason, Holder, PersonEvent, StaffRole } from './person-events.ts';

export type Person = {
  readonly status: 'unknown' | 'unverified' | 'verified' | 'lapsed' | 'erased';
  /** Name and address, as a sealed text. */
  readonly personal: string | null;
  /** The account that the person asked for at registration. */
  readonly asked: AskedAccount | null;
  /** An address that is not verified yet. */
  readonly change: (AskedChange & { readonly personal: string }) | null;
  /** The changes that took effect, oldest first. Those that were undone stay, so that a repeated undo finds its change. */
  readonly changes: readonly AddressChange[];
  /** How many personal accounts the person owns. */
  readonly personalAccounts: number;
  readonly accounts: readonly string[];
  /** Accounts of which the person is a member without having opened them. */
  readonly joined: readonly string[];
  /** The further accounts that were asked for, by their ids. */
  readonly asks: ReadonlyMap<string, Ask>;
  /** Approvals of a second personal account that were not used, with their ends. */
  readonly approvals: ReadonlyMap<string, number>;
  readonly usedApprovals: readonly string[];
  readonly passkeys: ReadonlySet<string>;
  readonly hasTotp: boolean;
  /** Whether the newest news of the mailbox is that a mail was not delivered. */
  readonly isUnreachable: boolean;
  /** A copy: the stream of the staff decides. */
  readonly staffRole: StaffRole | null;
};

export type Ask = {
  readonly holder: Holder;
  readonly application: Application;
  readonly declined: DeclineReason | null;
};

export type ChangeBy = 'holder' | 'support';

type AskedChange = {
  readonly changeId: string;
  readonly by: ChangeBy;
  /** Those that the person had when the change was asked for. */
  readonly passkeys: ReadonlySet<string>;
  /** Whether an authenticator app was set up since then. */
  readonly setsTotp: boolean;
};

export type AddressChange = AskedChange & {
  /** The personal data before and after it, as sealed texts. */
  readonly before: string;
  readonly after: string;
  readonly undoUntil: number;
  readonly undone: boolean;
  /** The passkeys that the undo removed. */
  readonly removed: readonly string[];
};

export const unknownPerson = (): Person => ({
  status: 'unknown',
  personal: null,
  asked: null,
  change: null,
  changes: [],
  personalAccounts: 0,
  accounts: [],
  joined: [],
  asks: new Map(),
  approvals: new Map(),
  usedApprovals: [],
  passkeys: new Set(),
  hasTotp: false,
  isUnreachable: false,
  staffRole: null,
});

export const evolvePerson = (person: Person, event: PersonEvent): Person => {
  switch (event.type) {
    case 'PersonRegistered':
      return { ...person, status: 'unverified', personal: event.personal, asked: event.asked ?? null };
    case 'AddressVerified':
      return { ...person, status: 'verified' };
    case 'RegistrationLapsed':
      return { ...unknownPerson(), status: 'lapsed' };
    case 'AccountAsked': {
      const { accountId, holder, application } = event;
      return { ...person, asks: new Map(person.asks).set(accountId, { holder, application, declined: null }) };
    }
    case 'AccountDeclined': {
      const { accountId, reason } = event;
      const ask = person.asks.get(accountId);
      return ask ? { ...person, asks: new Map(person.asks).set(accountId, { ...ask, declined: reason }) } : person;
    }
    case 'AccountOpened': {
      const { accountId, holder, approvalId } = event;
      return {
        ...person,
        accounts: [...person.accounts, accountId],
        personalAccounts: person.personalAccounts + (holder === 'person' ? 1 : 0),
        approvals: without(person.approvals, approvalId),
        usedApprovals: [...person.usedApprovals, ...(approvalId === undefined ? [] : [approvalId])],
      };
    }
    case 'SecondAccountApproved':
      return { ...person, approvals: new Map(person.approvals).set(event.approvalId, event.until) };
    case 'PersonErased': {
      const { accounts, joined, asks } = person;
      return { ...unknownPerson(), status: 'erased', accounts, joined, asks };
    }
    case 'NameChanged':
      return { ...person, personal: event.personal };
    case 'AddressChangeAsked': {
      const { changeId, personal, support } = event;
      const by = support ? 'support' : 'holder';
      return { ...person, change: { changeId, personal, by, passkeys: person.passkeys, setsTotp: false } };
    }
    case 'AddressChanged': {
      const { changeId, personal, by, undoUntil } = event;
      const { changes, personal: before } = person;
      const { passkeys, setsTotp } = person.change ?? { passkeys: person.passkeys, setsTotp: false };
      const done = { changeId, by, passkeys, setsTotp, after: personal, undoUntil, undone: false, removed: [] };
      const change = before === null ? [] : [{ ...done, before }];
      return { ...person, personal, change: null, changes: [...changes, ...change], isUnreachable: false };
    }
    case 'AddressChangeUndone': {
      const { changes } = person;
      const undone = new Set(undoneWith(changes, event.changeId));
      const marked = changes.map((one) =>
        undone.has(one) ? { ...one, undone: true, removed: addedSince(one, person) } : one,
      );
      // A change that is not verified yet may have been asked for by the person whose change is undone.
      return { ...person, personal: event.personal, change: null, changes: marked, isUnreachable: false };
    }
    case 'MailUndelivered':
      return { ...person, isUnreachable: true };
    // A code or a link was read in the mailbox.
    case 'SignedIn':
      return event.means === 'passkey' ? person : { ...person, isUnreachable: false };
    case 'PasskeyAdded':
      return { ...person, passkeys: new Set([...person.passkeys, event.passkeyId]) };
    case 'PasskeyRemoved':
      return { ...person, passkeys: new Set([...person.passkeys].filter((one) => one !== event.passkeyId)) };
    case 'TotpEnabled': {
      const [change, changes] = [person.change && setTotp(person.change), person.changes.map(setTotp)];
      return { ...person, hasTotp: true, change, changes };
    }
    case 'TotpDisabled':
      return { ...person, hasTotp: false };
    case 'AccountJoined':
      return { ...person, joined: [...person.joined, event.accountId] };
    case 'AccountLeft':
      return { ...person, joined: person.joined.filter((one) => one !== event.accountId) };
    case 'StaffRoleSet':
      return { ...person, staffRole: event.role };
    // Sessions are kept outside the log. These events are their evidence.
    case 'SignedOut':
    case 'SessionsRevoked':
    case 'SecondStepPassed':
      return person;
    // The codes are kept outside the log.
    case 'RecoveryCodesRenewed':
      return person;
  }
};

const setTotp = <Change extends AskedChange>(change: Change): Change => ({ ...change, setsTotp: true });

/** The passkeys that the person did not have yet when a change was asked for. */
export const addedSince = (change: AskedChange, person: Pick<Person, 'passkeys'>): readonly string[] =>
  [...person.passkeys].filter((one) => !change.passkeys.has(one));

/** A change and all later ones, because they replaced what it had set. */
export const undoneWith = (changes: readonly AddressChange[], changeId: string): readonly AddressChange[] => {
  const first = changes.findIndex((one) => one.changeId === changeId);
  return first < 0 ? [] : changes.slice(first);
};

const without = <Value>(map: ReadonlyMap<string, Value>, key: string | undefined): ReadonlyMap<string, Value> =>
  new Map([...map].filter(([one]) => one !== key));

/** All accounts of which the person is or was a member, in the order in which it became one. */
export const accountsOfPerson = ({ accounts, joined }: Pick<Person, 'accounts' | 'joined'>): readonly string[] => [
  ...new Set([...accounts, ...joined]),
];

export const personStream = (personId: string): string => `person-${personId}`;

/** The person of a stream; undefined for streams of other kinds. */
export const personOfStream = (stream: string): string | undefined =>
  stream.startsWith('person-') ? stream.slice('person-'.length) : undefined;

/** Whether the person has something to pass a second step with. */
export const hasSecondStep = ({ passkeys, hasTotp }: Person): boolean => hasTotp || passkeys.size > 0;
