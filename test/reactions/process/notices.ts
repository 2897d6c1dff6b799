import { randomUUID } from 'node:crypto';
import { accountStream } from '../../../src/domain/account/account.ts';
import { accountDecider } from '../../../src/domain/account/decide.ts';
import { mailDecider } from '../../../src/domain/mail/mail.ts';
import { priceDecider } from '../../../src/domain/prices/decide.ts';
import { termsDecider } from '../../../src/domain/terms/terms.ts';
import { createCommands } from '../../../src/eventstore/commands.ts';
import { createFold } from '../../../src/eventstore/fold.ts';
import { decodeEvent, encode, journal } from '../../../src/eventstore/journal/codec.ts';
import type { NoticeOptions } from '../../../src/people/notices/notice-options.ts';
import { createNoticeProcess } from '../../../src/people/notices/notice-process.ts';
import type { Subject } from './subject.ts';

const none = () => Promise.resolve([]);

/** Notices that are queued: each leads to a mail. */
export const subject: Subject = {
  commands: 1,
  prepare: () => Promise.resolve(),
  process: ({ store, committer }) => {
    const writing = { store, committer, codec: journal };
    const options: NoticeOptions = {
      ...{ store, accountsWithoutNotice: none, usersWithoutNotice: none, toldOf: none, progressed: () => undefined },
      accounts: createCommands({ ...writing, decider: accountDecider }),
      mails: createCommands({ ...writing, decider: mailDecider }),
      vault: { seal: () => Promise.reject(new Error('unused')), open: () => Promise.resolve(undefined) },
      foldAccount: createFold({ store, codec: journal, decider: accountDecider }),
      foldTerms: createFold({ store, codec: journal, decider: termsDecider }),
      foldPrices: createFold({ store, codec: journal, decider: priceDecider }),
    };
    return { ...createNoticeProcess(options), from: 'start' };
  },
  cause: async ({ store }, n) => {
    const about = { kind: 'terms', document: 'terms', version: '2026-12-20' } as const;
    const queued = { type: 'NoticeQueued', noticeId: `ntc_${n}`, about } as const;
    const event = encode(queued, randomUUID(), { actor: 'test', commandId: randomUUID() });
    const [result] = await store.append([
      { stream: accountStream(`acc_${n}`), expected: { revision: -1 }, events: [event] },
    ]);
    if (result?.kind !== 'appended') throw new Error(`cause ${n} was not appended`);
  },
  effects: async ({ store }) => {
    const events = (await store.readAll(0, await store.head(), ['MailQueued'])).map(decodeEvent);
    return events.flatMap((event) =>
      event.type === 'MailQueued' ? [`${event.params['account_id']?.replace('acc_', '')}/0`] : [],
    );
  },
};
