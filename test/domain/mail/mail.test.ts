import { describe, expect, it } from 'vitest';
import { BACK_OFF_MS, mailDecider, type MailEvent } from '../../../src/domain/mail/mail.ts';
import { specify } from '../../given.ts';

const given = specify(mailDecider);
const content = { to: { kind: 'person', id: 'per_1' }, template: 'low_balance', params: { balance_usd: '1.50' } };
const queue = { type: 'QueueMail', ...content } as const;
const queued: MailEvent = { type: 'MailQueued', ...content };
const AT = new Date('2026-12-01T00:00:00Z');
const after = (ms: number): Date => new Date(AT.getTime() + ms);
const deferred = (attempt: number): MailEvent => ({
  ...{ type: 'MailDeferred', attempt, reply: '451 4.3.0' },
  until: after(BACK_OFF_MS[attempt - 1] ?? 0),
});
const defer = { type: 'RecordDeferral', reply: '451 4.3.0', at: AT } as const;
const sent: MailEvent = { type: 'MailSent', messageId: '<mail_1@localhost>', reply: '250' };
const send = { type: 'RecordSent', messageId: '<mail_1@localhost>', reply: '250' } as const;

describe('QueueMail', () => {
  it('queues a mail', () => given().when(queue).then(queued));
  it('queues it once', () => given(queued).when(queue).then());
  it('queues it once, also after it was sent', () => given(queued, sent).when(queue).then());
  it.each([
    ['recipient', { to: { kind: 'person', id: 'per_2' } }],
    ['template', { template: 'account_closed' }],
    ['params', { params: { balance_usd: '1.51' } }],
    ['further params', { params: { balance_usd: '1.50', more: '1' } }],
  ])('refuses another mail of the same id: %s', (_, other) =>
    given(queued)
      .when({ ...queue, ...other })
      .thenRefused('mail_exists'),
  );
  it.each([
    ['an address as recipient', { to: { kind: 'person', id: 'ada@example.com' } }],
    ['an address in params', { params: { email: 'ada@example.com' } }],
    ['a name in params', { params: { name: 'Ada Lovelace' } }],
    ['an address as the name of a param', { params: { 'ada@example.com': '1' } }],
    ['a text of several lines', { params: { text: 'a\nb' } }],
  ])('refuses %s', (_, other) =>
    given()
      .when({ ...queue, ...other })
      .thenRefused('mail_not_private'),
  );
});

describe('an attempt', () => {
  it('that succeeds ends the mail', () => given(queued).when(send).then(sent));
  it('that succeeds after others ends the mail', () => given(queued, deferred(1)).when(send).then(sent));
  it('that is rejected ends the mail', () =>
    given(queued)
      .when({ type: 'RecordRejection', reply: '550 5.1.1' })
      .then({ type: 'MailFailed', reason: 'rejected', reply: '550 5.1.1' }));
  it('that is deferred is repeated a minute later', () =>
    given(queued)
      .when(defer)
      .then({ type: 'MailDeferred', attempt: 1, reply: '451 4.3.0', until: after(60_000) }));
  it('that is deferred again is repeated later than before', () =>
    given(queued, deferred(1), deferred(2))
      .when({ ...defer, reply: null })
      .then({ type: 'MailDeferred', attempt: 3, reply: null, until: after(15 * 60_000) }));
  it('that is the ninth to be deferred is the last', () =>
    given(queued, ...BACK_OFF_MS.map((_, n) => deferred(n + 1)))
      .when(defer)
      .then({ type: 'MailFailed', reason: 'gave_up', reply: '451 4.3.0' }));
  it.each(['no_address', 'obsolete'] as const)('is not made for a mail that is abandoned: %s', (reason) =>
    given(queued).when({ type: 'AbandonMail', reason }).then({ type: 'MailFailed', reason, reply: null }),
  );
  it('changes nothing after the mail was sent', () => given(queued, sent).when(defer).then());
  it('is refused for a mail that does not exist', () => given().when(send).thenRefused('mail_not_found'));
});

it('a mail is tried for about three days, from one minute to a day apart', () => {
  const hours = BACK_OFF_MS.reduce((sum, ms) => sum + ms, 0) / 3_600_000;
  expect(hours).toBeGreaterThan(60);
  expect(hours).toBeLessThan(80);
  expect(BACK_OFF_MS).toEqual([...BACK_OFF_MS].sort((a, b) => a - b));
  expect([BACK_OFF_MS[0], BACK_OFF_MS.at(-1)]).toEqual([60_000, 86_400_000]);
});
