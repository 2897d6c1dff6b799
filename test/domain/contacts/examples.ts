import type { ContactEvent } from '../../../src/domain/contacts/events.ts';

type Of<Type extends ContactEvent['type']> = Extract<ContactEvent, { type: Type }>;

export const REPLY_BY = Date.UTC(2026, 1, 4, 10);

export const openedByStranger: Of<'ContactOpened'> = {
  ...{ type: 'ContactOpened', accountId: null, personId: null, topic: 'question' },
  ...{ sealed: 'v1.c2VhbGVk', replyBy: REPLY_BY },
};
export const openedByMember: Of<'ContactOpened'> = {
  ...{ type: 'ContactOpened', accountId: 'acc_1', personId: 'per_1', topic: 'billing' },
  ...{ sealed: 'v1.c2VhbGVk', replyBy: REPLY_BY },
};
export const linked: Of<'ContactLinked'> = { type: 'ContactLinked', accountId: 'acc_2' };
export const answered = (how: 'mail' | 'elsewhere' = 'mail'): Of<'ContactAnswered'> => ({
  ...{ type: 'ContactAnswered', how, sealed: 'v1.YW5zd2Vy' },
});
export const closed = (reason: Of<'ContactClosed'>['reason'] = 'answered'): Of<'ContactClosed'> => ({
  ...{ type: 'ContactClosed', reason },
});

/** One of every type, and its data as it is on disk. */
export const contactsOnDisk: { readonly [Type in ContactEvent['type']]: readonly [Of<Type>, string] } = {
  ContactOpened: [
    openedByMember,
    '{"accountId":"acc_1","personId":"per_1","topic":"billing","sealed":"v1.c2VhbGVk","replyBy":1770199200000}',
  ],
  ContactLinked: [linked, '{"accountId":"acc_2"}'],
  ContactAnswered: [answered(), '{"how":"mail","sealed":"v1.YW5zd2Vy"}'],
  ContactClosed: [closed('expired'), '{"reason":"expired"}'],
};
