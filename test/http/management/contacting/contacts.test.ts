import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ada, message, param, refusal, startManagementApi, type ManagementApi } from '../management-api.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let api: ManagementApi;
beforeEach(async () => void (api = await startManagementApi()));
afterEach(() => api.close());

const contact = { email: 'ada@example.com', topic: 'question', text: 'Is there a status page?' };
const write = async (more: object = {}): Promise<string> => {
  const { status, json } = await api.post('/contact', { ...contact, ...more }, { token: null });
  expect(status).toBe(201);
  return String(json['contact_id']);
};
const ids = async (query = '') => {
  const { json } = await api.get(`/contacts${query}`);
  return [(json['data'] as readonly { contact_id: string }[]).map(({ contact_id }) => contact_id), json['next']];
};

describe('POST /contact', () => {
  it('201: has an id and the time of the answer', async () => {
    const { status, json } = await api.post('/contact', contact, { token: null });
    // 31 January 2026 is a Saturday.
    expect([status, json]).toEqual([
      201,
      { contact_id: expect.stringMatching(/^ctc_/) as string, reply_by: '2026-02-05T00:00:00.000Z' },
    ]);
  });

  it('keeps line breaks, in one form', async () => {
    const id = await write({ text: '  a\r\n\r\nb\tc\rd ' });
    expect((await api.get(`/contacts/${id}`)).json).toMatchObject({ text: 'a\n\nb\tc\nd', name: null });
  });

  it.each([
    [{ email: 'ada' }, 'email'],
    [{ topic: 'chat' }, 'topic'],
    [{ text: ' \n' }, 'text'],
    [{ text: 'a\u0000' }, 'text'],
    [{ text: 'a'.repeat(5001) }, 'text'],
    [{ about: 'two words' }, 'about'],
    [{ name: 'a\nb' }, 'name'],
    [{ account_id: 'acc_1' }, 'account_id'],
  ])('400: %j', async (more, field) => {
    const refused = await api.post('/contact', { ...contact, ...more }, { token: null });
    expect([refusal(refused), param(refused)]).toEqual([[400, 'invalid_request'], field]);
  });
});

describe('GET /contacts', () => {
  it('lists those that wait for an answer, the oldest first, in pages', async () => {
    const [first, second, third] = [await write(), await write(), await write()];
    expect(await ids('?limit=2')).toEqual([[first, second], second]);
    expect(await ids(`?limit=2&after=${second}`)).toEqual([[third], null]);
    expect((await api.post(`/contacts/${second}/answer`, { how: 'elsewhere', text: 'Yes.' })).status).toBe(200);
    expect((await api.post(`/contacts/${third}/close`, { reason: 'spam' })).status).toBe(200);
    expect(await ids()).toEqual([[first], null]);
    expect(await ids('?state=answered')).toEqual([[second], null]);
    expect(await ids('?state=closed')).toEqual([[third], null]);
    expect(await ids('?state=all')).toEqual([[first, second, third], null]);
  });

  it('marks what is overdue, which an answer ends', async () => {
    const id = await write();
    api.clock.advance(6 * DAY_MS);
    expect((await api.get('/contacts')).json).toMatchObject({ data: [{ age_hours: 144, overdue: true }] });
    expect((await api.post(`/contacts/${id}/answer`, { how: 'mail', text: 'Yes.' })).json).toMatchObject({
      overdue: false,
    });
  });
});

describe('a contact of a stranger', () => {
  it('404: an unknown id', async () => {
    for (const answer of [
      await api.get('/contacts/ctc_none'),
      await api.post('/contacts/ctc_none/answer', { how: 'mail', text: 'x' }),
      await api.post('/contacts/ctc_none/close', { reason: 'spam' }),
    ]) {
      expect(refusal(answer)).toEqual([404, 'contact_not_found']);
    }
  });

  it('is answered once under one Idempotency-Key', async () => {
    const id = await write();
    const answer = (text: string) => api.post(`/contacts/${id}/answer`, { how: 'mail', text }, { key: 'k' });
    expect((await answer('Yes.')).json).toMatchObject({ answers: [{ text: 'Yes.', answered_by: 'admin' }] });
    const again = await answer('Yes.');
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.json['answers']).toHaveLength(1);
    expect(refusal(await answer('No.'))).toEqual([409, 'idempotency_key_reused']);
  });

  it('409: is not answered after it was closed, and not closed for another reason', async () => {
    const id = await write();
    const close = (reason: string) => api.post(`/contacts/${id}/close`, { reason });
    expect((await close('duplicate')).json).toMatchObject({ status: 'closed', closed_for: 'duplicate' });
    expect((await close('duplicate')).status).toBe(200);
    expect(refusal(await close('spam'))).toEqual([409, 'contact_closed']);
    expect(refusal(await close('expired'))).toEqual([400, 'invalid_request']);
    const late = await api.post(`/contacts/${id}/answer`, { how: 'mail', text: 'x' });
    expect(refusal(late)).toEqual([409, 'contact_closed']);
  });

  it('is linked to one account, which must exist and not be erased', async () => {
    const id = await write();
    const [own, other] = [await api.account(), await api.account()];
    const link = (account_id: string) => api.post(`/contacts/${id}/link`, { account_id });
    expect(refusal(await link('acc_none'))).toEqual([404, 'account_not_found']);
    await api.execute(other, { type: 'CloseAccount', reason: 'left' });
    await api.execute(other, { type: 'ErasePersonalData', reason: 'left' });
    expect(refusal(await link(other))).toEqual([409, 'personal_data_erased']);
    expect((await link(own)).json).toMatchObject({ account_id: own, is_linked: true });
    expect((await link(own)).status).toBe(200);
    expect(refusal(await link(await api.account()))).toEqual([409, 'contact_of_account']);
    expect(await ids(`?account_id=${own}`)).toEqual([[id], null]);
    expect(await ids(`?account_id=${other}`)).toEqual([[], null]);
  });

  it('409: has no answer, and no texts, once they were erased', async () => {
    const id = await write({ name: ada.name });
    api.dataKeys.destroy(id);
    expect((await api.get(`/contacts/${id}`)).json).toMatchObject({ name: null, email: null, text: null });
    const late = await api.post(`/contacts/${id}/answer`, { how: 'mail', text: 'secret words' });
    expect(refusal(late)).toEqual([409, 'contact_erased']);
    expect(message(late)).not.toContain('secret words');
  });
});
