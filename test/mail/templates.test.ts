import { describe, expect, it } from 'vitest';
import { PLAIN_FACT } from '../../src/domain/mail/mail.ts';
import { composeMail, messageIdOf, UnknownTemplate } from '../../src/mail/compose.ts';
import { MissingSecret, type MailSecrets, type MailTexts, type Operator } from '../../src/mail/templates/template.ts';
import { queueMail, templates, type TemplateName } from '../../src/mail/templates/templates.ts';

const operator: Operator = {
  ...{ name: 'KissAPI', supportEmail: 'support@example.com', publicUrl: 'https://api.example.com/base' },
};
const HOSTILE = `<img src=x onerror="alert(1)"> & 'Bobby' https://evil.example/\r\nBcc: all@example.com ${'x'.repeat(3000)}`;
const CODE = '48151623';
const REASON = 'Sold <b>keys</b> on a page';
const LINK = 'https://api.example.com/base/verify?token=abc&next=1';

const to = { kind: 'person', id: 'per_1' };
const time = '2026-12-01T14:05:00.000Z';
const payment = { account_id: 'acc_1', payment_id: 'pay_1' };
const notice = { account_id: 'acc_1', notice_id: 'ntc_1' };
const ofEvent = { account_id: 'acc_1', revision: '7', at: time };
const queued: { readonly [Name in TemplateName]: ReturnType<typeof queueMail> } = {
  account_closed: queueMail('account_closed', to, {
    ...{ account_id: 'acc_1', closed_at: time, owed_usd: '3.20', rest: 'refund', ended_usd: '0.50' },
  }),
  account_reinstated: queueMail('account_reinstated', to, { ...ofEvent, cause: 'dispute' }),
  account_suspended: queueMail('account_suspended', to, { ...ofEvent, cause: 'violation', category: 'resale' }),
  account_terminated: queueMail('account_terminated', to, {
    ...{ ...ofEvent, category: 'damage', forfeited: 'no', amount_usd: '3.20' },
  }),
  account_warned: queueMail('account_warned', to, { ...ofEvent, category: 'circumvention' }),
  address_changed: queueMail('address_changed', to, { changed_at: time, undo_until: '2026-12-08T14:05:00.000Z' }),
  admin_token_used: queueMail('admin_token_used', to, { used_at: time }),
  already_registered: queueMail('already_registered', to, {}),
  announcement_withdrawn: queueMail('announcement_withdrawn', to, notice),
  confirm_address: queueMail('confirm_address', to, { expires_at: time }),
  contact_answer: queueMail('contact_answer', to, { contact_id: 'ctc_1', revision: '2' }),
  contact_confirmation: queueMail('contact_confirmation', to, { contact_id: 'ctc_1', reply_by: time }),
  contact_received: queueMail('contact_received', to, {
    ...{ contact_id: 'ctc_1', topic: 'billing', account_id: 'acc_1', reply_by: time },
  }),
  key_leaked: queueMail('key_leaked', to, { account_id: 'acc_1', key_id: 'key_1', reported_at: time, since: time }),
  low_balance: queueMail('low_balance', to, { account_id: 'acc_1', balance_usd: '1.50', threshold_usd: '5' }),
  member_invitation: queueMail('member_invitation', to, { role: 'billing', expires_at: time }),
  model_delisted: queueMail('model_delisted', to, notice),
  payment_disputed: queueMail('payment_disputed', to, { ...payment, dispute_id: 'disp_1', amount_usd: '25.00' }),
  payment_quarantined: queueMail('payment_quarantined', to, { ...payment, reason: 'other_currency' }),
  payment_received: queueMail('payment_received', to, { ...payment, credited_usd: '25.00', repaid_usd: '4.00' }),
  price_changed: queueMail('price_changed', to, notice),
  refund_completed: queueMail('refund_completed', to, { ...payment, amount_usd: '25.00' }),
  refund_not_made: queueMail('refund_not_made', to, { ...payment, amount_usd: '25.00' }),
  registration_refused: queueMail('registration_refused', to, {}),
  resale_authorized: queueMail('resale_authorized', to, ofEvent),
  resale_ended: queueMail('resale_ended', to, ofEvent),
  sign_in: queueMail('sign_in', to, { expires_at: time }),
  staff_invitation: queueMail('staff_invitation', to, { role: 'finance', expires_at: time }),
  terms_changed: queueMail('terms_changed', to, notice),
  verify_address: queueMail('verify_address', to, { expires_at: time }),
};
/** What each mail must contain, in both forms. */
const contents: { readonly [Name in TemplateName]: readonly string[] } = {
  account_closed: ['acc_1', '2026-12-01 14:05 UTC', '3.20 USD', '0.50 USD', 'closed', 'We refund'],
  account_reinstated: ['acc_1', REASON, 'no longer suspended because of a dispute'],
  account_suspended: ['acc_1', REASON, 'for a violation of the terms', 'resale or sharing', '/contact'],
  account_terminated: ['acc_1', REASON, '3.20 USD', 'owe you', '/api/accounts/acc_1/refunds', '/contact'],
  account_warned: ['acc_1', REASON, 'circumvention of limits', '/api/accounts/acc_1/events'],
  address_changed: [LINK, 'seven days', '2026-12-08 14:05 UTC', 'undo'],
  admin_token_used: ['2026-12-01 14:05 UTC', 'AdminTokenUsed', 'KISSAPI_ADMIN_TOKEN'],
  already_registered: ['already have an account', operator.publicUrl],
  announcement_withdrawn: ['acc_1', 'the price of m/large <new>', REASON, 'will not take effect'],
  confirm_address: [CODE, LINK, '2026-12-01 14:05 UTC'],
  contact_answer: ['ctc_1', 'we have looked at it.', 'It works again & is not <b>charged</b>.'],
  contact_confirmation: ['ctc_1', '2026-12-01 14:05 UTC', 'three business days'],
  contact_received: ['ctc_1', 'billing', 'acc_1', '2026-12-01 14:05 UTC', '/api/contacts/ctc_1'],
  key_leaked: ['acc_1', 'key_1', '2026-12-01 14:05 UTC'],
  low_balance: ['1.50 USD', '5 USD', LINK, 'PUT /api/accounts/acc_1/low-balance'],
  member_invitation: [LINK, 'billing', '2026-12-01 14:05 UTC'],
  model_delisted: ['acc_1', 'm/large <new>', '2026-12-20 00:00 UTC', REASON, '/api/prices'],
  payment_disputed: ['acc_1', 'pay_1', 'disp_1', '25.00 USD', 'frozen'],
  payment_quarantined: ['acc_1', 'pay_1', 'other_currency', 'not credited'],
  payment_received: ['pay_1', '25.00 USD', '4.00 USD', '/api/accounts/acc_1/payments/pay_1/receipt.pdf'],
  price_changed: ['acc_1', 'm/large <new>', '2026-12-20 00:00 UTC', '1.50 -> 2.00', 'Reasoning', '8.00 -> 9.00'],
  refund_completed: ['pay_1', '25.00 USD', 'refunded'],
  refund_not_made: ['pay_1', '25.00 USD', 'not made', '/api/accounts/acc_1/payments/pay_1'],
  registration_refused: ['we do not open another one', operator.supportEmail],
  resale_authorized: ['acc_1', REASON, 'may resell'],
  resale_ended: ['acc_1', REASON, 'has ended. The terms forbid it'],
  sign_in: [CODE, LINK, '2026-12-01 14:05 UTC'],
  staff_invitation: [LINK, 'finance', 'passkey'],
  terms_changed: [
    ...['Terms of Service', '2026-12-20', 'a "typo" & more', '2026-12-20 00:00 UTC', 'you accept this version'],
    ...['https://api.example.com/base/terms/2026-12-20', '/terms/2026-12-20/changes', 'closes your account', 'refund'],
  ],
  verify_address: [CODE, LINK, '2026-12-01 14:05 UTC'],
};
const ANSWER = `we have looked at it.\n\nIt works again & is not <b>charged</b>.\n${'y'.repeat(3000)}`;
const TEXTS: MailTexts = {
  answer: ANSWER,
  ...{ document: 'Terms of Service', version: '2026-12-20', effective_at: '2026-12-20T00:00:00.000Z' },
  ...{ summary: `a "typo" & more ${'x'.repeat(3000)}`, reason: REASON },
  ...{ url: `${operator.publicUrl}/terms/2026-12-20`, changes_url: `${operator.publicUrl}/terms/2026-12-20/changes` },
  ...{ model: 'm/large <new>', what: 'the price of m/large <new> from 2026-12-20' },
  ...{
    old_input: '1.50',
    old_cached_input: '0.10',
    old_cache_write: '1.00',
    old_output: '8.00',
    old_reasoning: '8.00',
  },
  ...{
    new_input: '2.00',
    new_cached_input: '0.10',
    new_cache_write: '1.00',
    new_output: '9.00',
    new_reasoning: '9.00',
  },
};
const secrets: MailSecrets = { code: CODE, link: LINK, accountName: HOSTILE, actorName: HOSTILE };

const compose = (name: string, over: MailSecrets = secrets, texts: MailTexts = TEXTS) =>
  composeMail({
    mailId: 'mail_1',
    mail: queued[name as TemplateName],
    recipient: { email: 'ada@example.com', name: HOSTILE },
    ...{ secrets: over, texts, operator },
  });

const asText = (html: string): string =>
  html
    .replace(/&amp;/g, '&')
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/\s+/g, ' ');

describe.each(Object.keys(templates) as TemplateName[])('the mail %s', (name) => {
  const { subject, text, html, unsubscribeUrl } = compose(name);

  it('has the same content as text and as HTML', () => {
    for (const part of [...contents[name], operator.supportEmail, operator.publicUrl]) {
      expect(text.replace(/\s+/g, ' ')).toContain(part);
      expect(asText(html)).toContain(part);
    }
    expect(subject).toMatch(/^[^\r\n]{10,78}$/);
  });

  it('escapes names, makes no link of them, and has no line over 998 characters', () => {
    const tags = [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag).join('\n');
    expect(tags).not.toMatch(/<(?:img|script|style|link)|onerror|src/);
    for (const form of [text, html]) {
      expect(form).not.toContain('https://evil.example');
      expect(Math.max(...form.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(998);
      expect(form).not.toContain('undefined');
    }
  });

  it('keeps only plain facts in the log', () => {
    const { params } = queued[name];
    for (const fact of Object.entries(params).flat()) expect(fact).toMatch(PLAIN_FACT);
    for (const secret of [CODE, LINK]) expect(JSON.stringify(queued[name])).not.toContain(secret);
  });

  it('can be ended only if it is optional', () =>
    expect(unsubscribeUrl).toBe(name === 'low_balance' ? LINK : undefined));
});

describe('a mail', () => {
  it('names no one in mail to an address that is not verified', () => {
    for (const name of ['verify_address', 'confirm_address', 'already_registered', 'registration_refused', 'sign_in']) {
      expect(compose(name).text).not.toMatch(/Bobby|xxx/);
    }
  });
  it('greets its recipient, and shows the names of others', () => {
    expect(compose('low_balance').text).toContain('Bobby');
    expect(compose('member_invitation').html).toContain('&lt;img');
  });
  it('has a Message-Id of its id and of the host of PUBLIC_URL', () => {
    expect(compose('sign_in').messageId).toBe('<mail_1@api.example.com>');
    expect(messageIdOf('mail_2', 'http://localhost:8080')).toBe('<mail_2@localhost>');
  });
  it('is not composed without a secret that it needs', () =>
    expect(() => compose('sign_in', { code: CODE })).toThrow(MissingSecret));
  it('is not composed without a text that it needs', () =>
    expect(() => compose('terms_changed', secrets, {})).toThrow(MissingSecret));
  it('breaks a text of staff that has no blank', () => {
    const { text, html } = compose('account_warned', secrets, {
      reason: '&'.repeat(1500),
    });
    for (const form of [text, html]) expect(Math.max(...form.split('\n').map((one) => one.length))).toBeLessThan(998);
  });
  it('states what a termination with forfeiture takes', () => {
    const params = { ...queued.account_terminated.params, forfeited: 'yes' };
    const mail = { ...queued.account_terminated, params };
    const recipient = { email: 'ada@example.com', name: undefined };
    const { text } = composeMail({ mailId: 'mail_1', mail, recipient, secrets, texts: { reason: REASON }, operator });
    expect(text).toContain('forfeited: 3.20 USD');
  });
  it('is not composed with an unknown template', () => {
    const mail = { ...queued.sign_in, template: 'of_a_newer_release' };
    const recipient = { email: 'ada@example.com', name: undefined };
    expect(() => composeMail({ mailId: 'mail_1', mail, recipient, secrets, operator })).toThrow(UnknownTemplate);
  });
  it('is not composed with params of another template', () => {
    const mail = { ...queued.sign_in, params: { balance_usd: '1' } };
    const recipient = { email: 'ada@example.com', name: undefined };
    expect(() => composeMail({ mailId: 'mail_1', mail, recipient, secrets, operator })).toThrow(/expires_at/);
  });
});
