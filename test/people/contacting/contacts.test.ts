import { beforeEach, describe, expect, it } from 'vitest';
import { accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider, type AccountCommand } from '../../../src/domain/account/decide.ts';
import { contactDecider, contactStream } from '../../../src/domain/contacts/contact.ts';
import type { AnswerWay } from '../../../src/domain/contacts/events.ts';
import { readAddress, type Address } from '../../../src/domain/identity/address.ts';
import { personDecider } from '../../../src/domain/identity/decide-person.ts';
import { personStream } from '../../../src/domain/identity/person.ts';
import { mailDecider, mailStream } from '../../../src/domain/mail/mail.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createCommitter } from '../../../src/eventstore/committer.ts';
import { createFold } from '../../../src/eventstore/fold.ts';
import { decodeFact, journal } from '../../../src/eventstore/journal/codec.ts';
import { createVault } from '../../../src/eventstore/journal/personal-data.ts';
import { createInMemoryLog, createInMemoryStore } from '../../../src/eventstore/memory/in-memory.ts';
import type { Attempt } from '../../../src/identity/attempt-limits.ts';
import { answerMail, withContactMail } from '../../../src/people/contacting/contact-mail.ts';
import { createContactProcess } from '../../../src/people/contacting/contact-process.ts';
import { createContacts } from '../../../src/people/contacting/contacts.ts';
import { createExpiry, KEEP_TEXTS_OF_STRANGERS_MS } from '../../../src/people/contacting/erase-contacts.ts';
import { createIdentities } from '../../../src/people/identities.ts';
import type { PeopleMail } from '../../../src/people/mail-data.ts';
import { createContactList } from '../../../src/projections/views/contact-list.ts';
import { createMemoryDataKeys } from '../../support/postgres/data-keys.ts';

const ADDRESS = readAddress('Grace@example.org') as Address;
const DAY_MS = 24 * 60 * 60 * 1000;
const accept = { kind: 'allowed' } as const;

let ids = 0;
const metadata = () => ({ actor: 'test', commandId: `command-${ids++}` });
const work = () => ({ ...metadata(), requestId: 'req_1', mayRepeat: false });

/** Contacts over a log in memory, and their process, which `react` lets catch up. */
const open = () => {
  let time = Date.parse('2026-01-28T10:00:00.000Z');
  const now = () => new Date(time);
  const store = createInMemoryStore(createInMemoryLog(now));
  const all = { store, committer: createCommitter({ store }), codec: journal };
  const [keys, attempts] = [createMemoryDataKeys(), [] as Attempt[]];
  const allowance = { next: accept as typeof accept | { kind: 'wait'; retryAfterMs: number } };
  const options = {
    contacts: createCommands({ ...all, decider: contactDecider }),
    accounts: createCommands({ ...all, decider: accountDecider }),
    persons: createCommands({ ...all, decider: personDecider }),
    mails: createCommands({ ...all, decider: mailDecider }),
    foldContact: createFold({ store, codec: journal, decider: contactDecider }),
    ...{ store, now, vault: createVault(keys), identities: createIdentities('identities') },
    destroyKey: (id: string) => Promise.resolve(keys.destroy(id)),
    attemptLimits: {
      allow: (attempt: Attempt) => {
        attempts.push(attempt);
        return Promise.resolve(allowance.next);
      },
    },
    listed: async () => {
      const list = createContactList();
      void list.apply((await store.readAll(0, 1000)).map(decodeFact), await store.head(), 0);
      return list;
    },
  };
  const process = createContactProcess(options);
  let reactedTo = 0;
  /** To what has happened since, or once more to everything. */
  const react = async (after = reactedTo): Promise<void> => {
    reactedTo = await store.head();
    for (const fact of (await store.readAll(after, 1000)).map(decodeFact)) {
      if (!process.types.has(fact.event.type)) continue;
      for (const [n, reaction] of (await process.react(fact)).entries()) {
        await reaction({ actor: 'system:contacts', commandId: `${fact.id}-${n}` });
      }
    }
  };
  const onAccount = async (accountId: string, ...commands: readonly AccountCommand[]): Promise<void> => {
    for (const command of commands) {
      const outcome = await options.accounts.execute(accountStream(accountId), command, metadata());
      expect(outcome.kind).toBe('accepted');
    }
  };
  const typesOf = async (stream: string) => (await store.readStream(stream, 0, 100)).map(({ type }) => type);
  const mail = withContactMail(options, {
    addressOf: () => Promise.resolve({ name: 'Ada', email: 'ada@example.com' }),
  } as Partial<PeopleMail> as PeopleMail);
  return {
    ...{ options, keys, attempts, allowance, react, onAccount, typesOf, mail, store },
    contacts: createContacts(options),
    expire: createExpiry(options),
    advance: (ms: number): void => void (time += ms),
  };
};

let here: ReturnType<typeof open>;
beforeEach(() => void (here = open()));

const register = { type: 'RegisterAccount', holder: 'person', personal: 'v1.c2VhbGVk', adult: true } as const;
const erase = [
  { type: 'CloseAccount', reason: 'left' },
  { type: 'ErasePersonalData', reason: 'left' },
] as const;
const client = { address: '203.0.113.7', userAgent: undefined };
const asStranger = async (): Promise<string> => {
  const contact = { name: 'Grace', address: ADDRESS, topic: 'other', text: 'Hello', about: undefined, client } as const;
  const written = await here.contacts.writeAsStranger({
    ...contact,
    commandId: `command-${ids++}`,
    requestId: 'req_1',
  });
  if (written.kind !== 'written') throw new Error('The contact was not written.');
  return written.contactId;
};
const member = { accountId: 'acc_1', personId: 'per_1', topic: 'billing', text: 'Hello', about: undefined } as const;
const asMember = (commandId = `command-${ids++}`) =>
  here.contacts.writeAsMember({ ...member, commandId, requestId: 'req_1', mayRepeat: false });
const answer = (contactId: string, how: AnswerWay = 'mail') => here.contacts.answer(contactId, how, 'Yes', work());
const textsOf = async (contactId: string) => {
  const contact = await here.contacts.find(contactId);
  return [contact?.status, contact?.text, ...(contact?.answers.map(({ text }) => text) ?? [])];
};

describe('the limits of contacts', () => {
  it('count a stranger by address and network, and a member by person', async () => {
    await asStranger();
    await here.onAccount('acc_1', register);
    await asMember();
    expect(here.attempts).toEqual([
      { action: 'contact', keys: { addressHash: here.options.identities.hashOf(ADDRESS), network: '203.0.113.0/24' } },
      { action: 'contact', keys: { account: 'per_1' } },
    ]);
  });

  it('refuse more before anything is stored', async () => {
    here.allowance.next = { kind: 'wait', retryAfterMs: 5 };
    await expect(asStranger()).rejects.toThrow();
    expect(await asMember()).toEqual({ kind: 'wait', retryAfterMs: 5 });
    expect(await here.store.head()).toBe(0);
  });
});

describe('an Idempotency-Key of a contact', () => {
  it('repeats what its member wrote, and nothing of other members of the account', async () => {
    await here.onAccount('acc_1', register);
    const once = { ...member, commandId: 'once', requestId: 'req_1', mayRepeat: true };
    const first = await here.contacts.writeAsMember(once);
    expect(await here.contacts.writeAsMember(once)).toEqual({ ...first, repeated: true });
    expect(await here.contacts.writeAsMember({ ...once, personId: 'per_2' })).toEqual({ kind: 'reused' });
  });
});

describe('the history of an account', () => {
  beforeEach(() => here.onAccount('acc_1', register));

  it('has a contact of a member and its first answer', async () => {
    const written = await asMember();
    if (written.kind !== 'written') throw new Error('The contact was not written.');
    for (let n = 0; n < 2; n++) await answer(written.contactId, 'elsewhere');
    await here.react();
    await here.react(0);
    expect(await here.typesOf('account-acc_1')).toEqual(['AccountRegistered', 'ContactNoted', 'ContactAnswerNoted']);
  });

  it('has a contact of a stranger from its link on, with an earlier answer', async () => {
    const [linkedFirst, answeredFirst] = [await asStranger(), await asStranger()];
    await answer(answeredFirst);
    await here.react();
    expect(await here.typesOf('account-acc_1')).toEqual(['AccountRegistered']);
    for (const one of [linkedFirst, answeredFirst]) await here.contacts.link(one, 'acc_1', work());
    await here.react();
    expect(await here.typesOf('account-acc_1')).toEqual([
      ...['AccountRegistered', 'ContactNoted', 'ContactNoted', 'ContactAnswerNoted'],
    ]);
  });
});

describe('an answer', () => {
  it('is only in its own event, and is mailed to the stranger once, without a name', async () => {
    const contactId = await asStranger();
    await answer(contactId);
    await answer(contactId, 'elsewhere');
    await answer(contactId);
    await here.react();
    for (const [revision, types] of [
      [1, ['MailQueued']],
      [2, []],
      [3, ['MailQueued']],
    ] as const) {
      expect(await here.typesOf(mailStream(`contact-answer-${contactId}-${revision}`))).toEqual(types);
    }
    const { to, template, params } = answerMail(contactId, null, 1).command;
    expect(await here.mail.addressOf(to)).toEqual({ name: undefined, email: 'grace@example.org' });
    expect(await here.mail.textsOf({ mailId: 'x', to, template, params })).toEqual({ answer: 'Yes' });
    here.keys.destroy(contactId);
    expect(await here.mail.addressOf(to)).toBeUndefined();
    expect(await here.mail.textsOf({ mailId: 'x', to, template, params })).toBeUndefined();
  });

  it('to a member goes to the address of the person', async () => {
    expect(answerMail('ctc_1', 'per_1', 1).command.to).toEqual({ kind: 'person', id: 'per_1' });
    expect(await here.mail.addressOf({ kind: 'person', id: 'per_1' })).toMatchObject({ email: 'ada@example.com' });
  });
});

describe('the texts of a contact', () => {
  it('of a member have neither name nor address, which stay with the person', async () => {
    await here.onAccount('acc_1', register);
    const personal = await here.options.vault.seal('per_1', { name: 'Ada', email: 'ada@example.com' });
    const person = { type: 'RegisterPerson', personal, how: 'registration' } as const;
    await here.options.persons.execute(personStream('per_1'), person, metadata());
    const written = await asMember();
    if (written.kind !== 'written') throw new Error('The contact was not written.');
    const { contactId } = written;
    const { state } = await here.options.contacts.read(contactStream(contactId));
    const sealed = state.status === 'unknown' ? '' : state.sealed;
    expect(await here.options.vault.open('acc_1', sealed)).toEqual({ name: '', email: '', text: 'Hello' });
    expect(await here.contacts.find(contactId)).toMatchObject({ name: 'Ada', email: 'ada@example.com' });
    here.keys.destroy('per_1');
    expect(await here.contacts.find(contactId)).toMatchObject({ name: null, email: null, text: 'Hello' });
  });

  it('are not accepted for an account that was erased', async () => {
    await here.onAccount('acc_1', register);
    here.keys.destroy('acc_1');
    expect(await asMember()).toEqual({ kind: 'erased' });
  });

  it('end with the account that they were linked to, whether the link or the erasure comes first', async () => {
    await here.onAccount('acc_1', register);
    const [before, after, other] = [await asStranger(), await asStranger(), await asStranger()];
    await answer(before);
    await here.contacts.link(before, 'acc_1', work());
    await here.react();
    await here.onAccount('acc_1', ...erase);
    await here.react();
    expect(await textsOf(before)).toEqual(['closed', null, null]);
    // As if the erasure had come between the check of the account and the link.
    const link = { type: 'LinkContact', accountId: 'acc_1' } as const;
    await here.options.contacts.execute(contactStream(after), link, metadata());
    await here.react();
    expect(await textsOf(after)).toEqual(['closed', null]);
    expect(await textsOf(other)).toEqual(['open', 'Hello']);
  });

  it('of a stranger end a year after the contact was opened, also if it was closed or linked', async () => {
    await here.onAccount('acc_1', register);
    const [isOpen, isClosed, isLinked] = [await asStranger(), await asStranger(), await asStranger()];
    await here.contacts.close(isClosed, 'spam', work());
    await here.contacts.link(isLinked, 'acc_1', work());
    here.advance(KEEP_TEXTS_OF_STRANGERS_MS);
    expect(await here.expire()).toBe(0);
    here.advance(1);
    expect(await here.expire()).toBe(3);
    expect(await textsOf(isOpen)).toEqual(['closed', null]);
    expect(await textsOf(isClosed)).toEqual(['closed', null]);
    expect(await textsOf(isLinked)).toEqual(['closed', null]);
    expect(await here.contacts.find(isClosed)).toMatchObject({ closedFor: 'spam' });
    here.advance(DAY_MS);
    expect(await here.expire()).toBe(0);
    expect(await here.typesOf(contactStream(isOpen))).toEqual(['ContactOpened', 'ContactClosed']);
  });
});
