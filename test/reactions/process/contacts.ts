import { randomUUID } from 'node:crypto';
import { accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider } from '../../../src/domain/account/decide.ts';
import { contactDecider, contactStream } from '../../../src/domain/contacts/contact.ts';
import { mailDecider } from '../../../src/domain/mail/mail.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createFold } from '../../../src/eventstore/fold.ts';
import { decodeFact, encode, journal } from '../../../src/eventstore/journal/codec.ts';
import { createContactProcess } from '../../../src/people/contacting/contact-process.ts';
import type { ContactsOptions } from '../../../src/people/contacting/contacts-options.ts';
import { openedByMember } from '../../domain/contacts/examples.ts';
import type { ProcessNode, Subject } from './subject.ts';

const ACCOUNT = 'acc_1';
const UNREGISTERED = 'acc_2';

const accountsOf = ({ store, committer }: ProcessNode) =>
  createCommands({ store, committer, codec: journal, decider: accountDecider });

const register = async (node: ProcessNode, accountId: string): Promise<void> => {
  const command = { type: 'RegisterAccount', holder: 'person', personal: 'v1.c2VhbGVk', adult: true } as const;
  await accountsOf(node).execute(accountStream(accountId), command, { actor: 'test', commandId: randomUUID() });
};

/** Opens the contact ctc_n. */
const open = async ({ store }: ProcessNode, n: number, accountId: string): Promise<void> => {
  const event = encode({ ...openedByMember, accountId }, randomUUID(), { actor: 'test', commandId: randomUUID() });
  const stream = contactStream(`ctc_${n}`);
  const [result] = await store.append([{ stream, expected: { revision: -1 }, events: [event] }]);
  if (result?.kind !== 'appended') throw new Error(`cause ${n} was not appended`);
};

/** Contacts that members open: a mail to support, a confirmation, and a note in the history of the account. */
export const subject: Subject = {
  commands: 3,
  prepare: (node) => register(node, ACCOUNT),
  process: (node) => {
    const { store, committer } = node;
    return createContactProcess({
      ...{ accounts: accountsOf(node), store },
      mails: createCommands({ store, committer, codec: journal, decider: mailDecider }),
      contacts: createCommands({ store, committer, codec: journal, decider: contactDecider }),
      foldContact: createFold({ store, codec: journal, decider: contactDecider }),
    } as Partial<ContactsOptions> as ContactsOptions);
  },
  cause: (node, n) => open(node, n, ACCOUNT),
  refusals: {
    cause: (node, n) => open(node, n, UNREGISTERED),
    allow: (node) => register(node, UNREGISTERED),
  },
  effects: async ({ store }) => {
    const stored = await store.readAll(0, 10_000, ['MailQueued', 'ContactNoted']);
    return stored.map(decodeFact).flatMap(({ event }) => {
      if (event.type === 'ContactNoted') return [`${event.contactId.replace('ctc_', '')}/2`];
      if (event.type !== 'MailQueued') return [];
      const n = (event.params['contact_id'] ?? '').replace('ctc_', '');
      return [`${n}/${event.template === 'contact_received' ? 0 : 1}`];
    });
  },
};
