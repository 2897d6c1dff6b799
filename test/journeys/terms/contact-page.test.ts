import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, openBrowser } from '../../support/browser/browser.ts';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';
import { call } from '../../support/customers/person.ts';

// Not the gateway that other files share, because attempts from one network are limited.
let premises: Premises;
let gateway: RunningGateway;
beforeAll(async () => {
  premises = await createPremises();
  gateway = await premises.startGateway();
});
afterAll(() => premises.close());

if (chromiumPath === undefined) console.warn('skipped: Chromium is not installed (Debian: apt-get install chromium)');

describe.skipIf(chromiumPath === undefined)('the contact page (needs the program chromium)', () => {
  let browser: Browser;
  beforeAll(async () => void (browser = await openBrowser()));
  afterAll(() => browser.close());

  it.each([true, false])('sends a message to support, with JavaScript: %s', async (javaScriptEnabled) => {
    const { url } = gateway;
    const page = await (await browser.newContext({ javaScriptEnabled })).newPage();
    const faults: string[] = [];
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    await page.goto(`${url}/contact?topic=billing&about=req_1`);
    await page.getByRole('heading', { name: 'Contact support' }).waitFor();
    await page.getByLabel('Your e-mail address').fill('two words@example.com');
    await page.getByLabel('Message').fill('Why was this charged?\nSecond line');
    // The browser refuses this address before it sends anything.
    await page.getByRole('button', { name: 'Send' }).click();
    expect(page.url()).toContain('/contact?');
    await page.getByLabel('Your e-mail address').fill('ada@example.com');
    await page.getByLabel('Account or request id').fill('req 1');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('alert').filter({ hasText: 'Account or request id: must be an id' }).waitFor();
    expect(await page.getByLabel('Topic').inputValue()).toBe('billing');
    await page.getByLabel('Account or request id').fill('req_1');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('status').filter({ hasText: 'Your message has arrived.' }).waitFor();
    const [, contactId = ''] = /id=(ctc_\w+)$/.exec(page.url()) ?? [];
    expect(await call(url, 'GET', `/contacts/${contactId}`, { token: ADMIN_TOKEN })).toMatchObject({
      json: { topic: 'billing', email: 'ada@example.com', about: 'req_1', text: 'Why was this charged?\nSecond line' },
    });
    // The refusal of the form is reported as a failed request; nothing else is.
    expect(faults.filter((fault) => !fault.includes('400'))).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
  });
});
