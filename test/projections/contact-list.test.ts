import { beforeEach, describe, expect, it } from 'vitest';
import type { ContactEvent } from '../../src/domain/contacts/events.ts';
import { createContactList } from '../../src/projections/views/contact-list.ts';
import { answered, closed, linked, openedByMember, openedByStranger, REPLY_BY } from '../domain/contacts/examples.ts';
import { createLog } from './log.ts';

describe('the list of contacts', () => {
  let log: ReturnType<typeof createLog>;
  beforeEach(() => void (log = createLog()));
  const append = (id: string, event: ContactEvent) => log.append(`contact-${id}`, event);
  const follow = async () => {
    const list = createContactList();
    const facts = await log.recorded();
    expect(list.apply(facts, facts.length, 0)).toBe(facts.length);
    // Events that were processed before change nothing.
    void list.apply(facts, facts.length, 0);
    return list;
  };
  const ids = (listed: readonly { readonly contactId: string }[]) => listed.map(({ contactId }) => contactId);
  const limit = 10;

  it('is in the order of the log, by status, account and writer, and has no text', async () => {
    await append('ctc_1', openedByStranger);
    await append('ctc_2', openedByMember);
    await append('ctc_3', openedByStranger);
    await append('ctc_4', openedByStranger);
    await append('ctc_1', linked);
    await append('ctc_2', answered());
    await append('ctc_3', closed('spam'));
    const list = await follow();
    expect(ids(list.list({ limit }))).toEqual(['ctc_1', 'ctc_2', 'ctc_3', 'ctc_4']);
    expect(ids(list.list({ status: 'open', limit }))).toEqual(['ctc_1', 'ctc_4']);
    expect(ids(list.list({ status: 'answered', limit }))).toEqual(['ctc_2']);
    expect(list.list({ status: 'closed', limit })).toMatchObject([{ contactId: 'ctc_3', closedFor: 'spam' }]);
    expect(list.list({ accountId: 'acc_2', limit })).toMatchObject([{ contactId: 'ctc_1', accountId: null }]);
    expect(ids(list.list({ accountId: 'acc_1', personId: 'per_1', limit }))).toEqual(['ctc_2']);
    expect(ids(list.list({ accountId: 'acc_1', personId: 'per_2', limit }))).toEqual([]);
    expect(JSON.stringify(list.list({ limit }))).not.toContain('v1.');
  });

  it('has pages', async () => {
    for (const id of ['ctc_1', 'ctc_2', 'ctc_3']) await append(id, openedByStranger);
    const list = await follow();
    expect(ids(list.list({ limit: 2 }))).toEqual(['ctc_1', 'ctc_2']);
    expect(ids(list.list({ limit: 2, after: 'ctc_2' }))).toEqual(['ctc_3']);
    expect(ids(list.list({ limit: 2, after: 'ctc_9' }))).toEqual([]);
  });

  it('counts what waits for an answer, and what is overdue', async () => {
    await append('ctc_1', openedByMember);
    await append('ctc_2', { ...openedByMember, replyBy: REPLY_BY + 1 });
    await append('ctc_3', openedByMember);
    await append('ctc_3', answered());
    const list = await follow();
    expect(list.waiting(new Date(REPLY_BY - 1))).toEqual({ inTime: 2, overdue: 0 });
    expect(list.waiting(new Date(REPLY_BY))).toEqual({ inTime: 1, overdue: 1 });
  });

  it('finds the contacts of strangers by their age, also if they were linked or closed', async () => {
    await append('ctc_1', openedByStranger);
    await append('ctc_1', linked);
    await append('ctc_2', openedByMember);
    await append('ctc_3', openedByStranger);
    await append('ctc_3', closed());
    const list = await follow();
    const [{ openedAt } = { openedAt: new Date(0) }] = list.list({ limit });
    expect(list.ofStrangersBefore(openedAt)).toEqual([]);
    expect(list.ofStrangersBefore(new Date(openedAt.getTime() + 60_000))).toEqual(['ctc_1', 'ctc_3']);
  });
});
