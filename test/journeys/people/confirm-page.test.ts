import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, openBrowser } from '../../support/browser/browser.ts';
import { createTestSmtp, type TestSmtp } from '../../mail/smtp.ts';
import {
  ADULT,
  call,
  mailTo,
  mailsTo,
  registerPerson,
  registration,
  TERMS,
  type Mailed,
} from '../../support/customers/person.ts';
import { createPremises, type Premises } from '../../support/gateway.ts';
import { query } from '../../support/sql.ts';

let smtp: TestSmtp;
let premises: Premises;
let url: string;

beforeAll(async () => {
  smtp = await createTestSmtp();
  premises = await createPremises();
  const env = { SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'KissAPI <no-reply@example.com>' };
  ({ url } = await premises.startGateway(env));
});
afterAll(async () => {
  await premises.close();
  await smtp.close();
});

const countOf = async (type: string): Promise<number> =>
  (await query<{ n: number }>(premises.databaseUrl, `select count(*)::int n from events where type = '${type}'`))[0]
    ?.n ?? 0;

describe('the page of the links in mails', () => {
  it('has a policy without inline scripts and other origins, and everything from this origin', async () => {
    for (const path of ['/confirm', '/confirm.js', '/confirm.css']) {
      const response = await fetch(url + path);
      expect(response.status, path).toBe(200);
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
      expect(policy).not.toMatch(/unsafe|https?:/);
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('set-cookie')).toBeNull();
      const text = await response.text();
      expect(text).not.toMatch(/<script>|<style|\son\w+="|javascript:|style="|https?:\/\/|innerHTML/i);
    }
    expect((await fetch(`${url}/confirm`, { method: 'POST' })).status).toBe(405);
  });
});

if (chromiumPath === undefined) console.warn('skipped: Chromium is not installed (Debian: apt-get install chromium)');

describe.skipIf(chromiumPath === undefined)('the page of the links in mails (needs the program chromium)', () => {
  let browser: Browser;
  beforeAll(async () => void (browser = await openBrowser()));
  afterAll(() => browser.close());

  type Opened = { readonly page: Page; readonly requests: readonly string[]; readonly faults: readonly string[] };

  const open = async ({ linkId, linkSecret }: Pick<Mailed, 'linkId' | 'linkSecret'>): Promise<Opened> => {
    const page = await (await browser.newContext()).newPage();
    const requests: string[] = [];
    const faults: string[] = [];
    page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(`${url}/confirm#${linkId}.${linkSecret}`);
    return { page, requests, faults };
  };
  const press = (page: Page) => page.getByRole('button').click();
  const result = (page: Page, text: string | RegExp) => page.getByRole('status').filter({ hasText: text }).waitFor();
  const post = (path: string, body: unknown, token?: string) => call(url, 'POST', path, { body, token });

  it('confirms a registration when its button is pressed, and not when it is opened', async () => {
    await post('/registrations', registration('page@example.com'));
    const mail = await mailTo(smtp, 'page@example.com');
    const before = await countOf('AddressVerified');
    const { page, requests, faults } = await open(mail);
    await page.getByRole('heading', { name: 'Confirm your e-mail address' }).waitFor();
    await page.getByText('The button confirms your e-mail address and opens your account.').waitFor();
    expect(requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
    expect(await countOf('AddressVerified')).toBe(before);

    await press(page);
    await result(page, 'Your address is confirmed');
    expect(await countOf('AddressVerified')).toBe(before + 1);
    expect(page.url()).toBe(`${url}/confirm`);
    expect(requests.filter((request) => !request.includes(` ${url}/`) && !request.includes(' data:'))).toEqual([]);
    expect(requests.join('\n')).not.toContain(`.${mail.linkSecret}`);
    expect(faults).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
  });

  it('signs in in its tab only, and signs out', async () => {
    await registerPerson(url, smtp, 'tab@example.com');
    await post('/sign-in/codes', { email: 'tab@example.com' });
    const { page, faults } = await open(await mailTo(smtp, 'tab@example.com', 2));
    await press(page);
    await result(page, 'You are signed in as tab@example.com, in this tab');
    const stored = await page.evaluate<string>(`JSON.stringify([{ ...sessionStorage }, { ...localStorage }])`);
    const [inTab, inBrowser] = JSON.parse(stored) as [Record<string, string>, object];
    expect(inBrowser).toEqual({});
    const token = inTab['kissapi.session'];
    expect(await call(url, 'GET', '/me', { token })).toMatchObject({ json: { email: 'tab@example.com' } });
    expect(await page.context().cookies()).toEqual([]);
    await press(page);
    await result(page, 'You are signed out.');
    expect(await call(url, 'GET', '/me', { token })).toMatchObject({ status: 401 });
    expect(faults).toEqual([]);
  });

  it('confirms a change of address, and undoes it', async () => {
    const { token } = await registerPerson(url, smtp, 'moves@old.example');
    await post('/me/address-changes', { email: 'moves@new.example' }, token);
    const { page: confirming } = await open(await mailTo(smtp, 'moves@new.example'));
    await press(confirming);
    await result(confirming, 'The new address is in force.');
    const { page: undoing } = await open(await mailTo(smtp, 'moves@old.example', 2));
    await undoing.getByRole('heading', { name: 'Undo the change of your e-mail address' }).waitFor();
    await press(undoing);
    await result(undoing, 'Your earlier address is in force again');
    expect(await call(url, 'GET', '/me', { token })).toMatchObject({ status: 401 });
  });

  it('shows why a link does not work', async () => {
    await post('/registrations', registration('wrong@example.com'));
    const { linkId, linkSecret } = await mailTo(smtp, 'wrong@example.com');
    const { page } = await open({ linkId, linkSecret: `${linkSecret}x` });
    await press(page);
    await result(page, 'The code or the link is not correct.');
    const used = await open(mailsTo(smtp, 'page@example.com')[0] as Mailed);
    await press(used.page);
    await result(used.page, 'The code or the link was used before');
    const { page: incomplete } = await open({ linkId: 'verify-', linkSecret: '' });
    await incomplete.getByRole('heading', { name: 'This link is not complete' }).waitFor();
    expect(await incomplete.getByRole('button').count()).toBe(0);
  });

  it('asks a person without an account for name, age and terms before an invitation is accepted', async () => {
    const { page } = await open({ linkId: 'invite-inv_1', linkSecret: 'x' });
    const sent: unknown[] = [];
    await page.route('**/api/invitations/inv_1/accept', async (route) => {
      sent.push(route.request().postDataJSON());
      const error = { error: { code: 'newcomer_details_required', message: 'More is required.' } };
      const answer = sent.length === 1 ? { status: 400, json: error } : { status: 200, json: {} };
      await route.fulfill(answer);
    });
    await press(page);
    await result(page, 'You have no account yet.');
    await page.getByLabel('Your name').fill('Grace Hopper');
    await page.getByLabel('I am 18 or older.').check();
    await page.getByLabel('I accept the terms.').check();
    await press(page);
    await result(page, 'The invitation is accepted.');
    const details = { name: 'Grace Hopper', declaration: ADULT, accept_terms: TERMS };
    expect(sent).toEqual([{ link_secret: 'x' }, { link_secret: 'x', ...details }]);
    expect(await page.getByLabel('Your name').isVisible()).toBe(false);
  });

  it('shows the link that is opened next in the same tab', async () => {
    const { page } = await open({ linkId: 'verify-per_1', linkSecret: 'x' });
    await page.goto(`${url}/confirm#undo-chg_1.x`);
    await page.getByRole('heading', { name: 'Undo the change of your e-mail address' }).waitFor();
  });
});
