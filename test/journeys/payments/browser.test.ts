import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, openBrowser } from '../../support/browser/browser.ts';
import { call } from '../../support/customers/person.ts';
import { ADMIN_TOKEN } from '../../support/gateway.ts';
import { createHouse, type House } from '../../support/house.ts';
import { SOON } from '../../support/soon.ts';
import { checkSettledBooks } from '../../support/events/account-history.ts';

if (chromiumPath === undefined) console.warn('skipped: Chromium is not installed (Debian: apt-get install chromium)');

describe.skipIf(chromiumPath === undefined)('simulated payments in a browser (needs the program chromium)', () => {
  let house: House;
  let browser: Browser;
  let page: Page;
  let accountId: string;
  let apiKey: string;

  beforeAll(async () => {
    // As `npm start` runs it: the gateway starts the stand-in for the payment partner itself.
    house = await createHouse({});
    browser = await openBrowser();
    page = await browser.newPage();
    // Grants pay before payments: this one is used up by the first request.
    ({ accountId, apiKey } = await house.gateway.openAccount('0.000000001'));
  });
  afterAll(async () => {
    await browser.close();
    await house.close();
  });

  const ofAccount = (method: string, path = '', body?: unknown) =>
    call(house.gateway.url, method, `/accounts/${accountId}${path}`, {
      token: ADMIN_TOKEN,
      ...(body === undefined ? {} : { body }),
    });
  const lotOf = async (paymentId: string) => (await ofAccount('GET', `/payments/${paymentId}`)).json['lot'];
  const untilLot = (paymentId: string, expected: object) =>
    expect.poll(() => lotOf(paymentId), SOON).toMatchObject(expected);

  /** Pays with the test card on the payment page, and returns to the gateway. Resolves to the ids. */
  const pay = async (amount: string, country: string) => {
    const { json } = await ofAccount('POST', '/top-ups', { amount_usd: amount });
    const url = String(json['checkout_url']);
    await page.goto(url);
    expect(await page.textContent('body')).toContain('Simulated payment page. No money moves.');
    await page.selectOption('select[name=country]', country);
    await page.click('button[value=update]');
    await page.click('button[value=pay]');
    await page.waitForURL(/\/top-ups\/pay_/);
    await page.waitForSelector('text=Payment received');
    return { paymentId: String(json['payment_id']), operator: new URL('/operator/', url).href };
  };

  /** Asks for a refund of all that is left of a payment, and approves it as staff. */
  const approveRefund = async (paymentId: string): Promise<string> => {
    const asked = await ofAccount('POST', '/refunds', { payment_id: paymentId, reason: 'not_needed' });
    const [{ refund_id }] = asked.json['data'] as [{ refund_id: string }];
    const path = `/payments/${paymentId}/refunds/${refund_id}/approve`;
    await expect.poll(async () => (await ofAccount('POST', path, { reason: 'in time' })).status, SOON).toBe(200);
    const { json } = await call(house.gateway.url, 'GET', '/refunds', { token: ADMIN_TOKEN });
    const entries = json['data'] as readonly { refund_id: string; gross: string }[];
    return entries.find((entry) => entry.refund_id === refund_id)?.gross ?? '';
  };

  const spend = () =>
    house.gateway
      .client(apiKey)
      .chat.completions.create({ model: 'simulated-chat', messages: [{ role: 'user', content: 'Hello' }] });

  it('pays, sees the credit, and refunds in full what was not spent', async () => {
    const { paymentId } = await pay('25.00', 'FR');
    await untilLot(paymentId, { amount_usd: '25.00', remaining_usd: '25.00', refundable_usd: '25.00' });
    await approveRefund(paymentId);
    await untilLot(paymentId, { remaining_usd: '0.00', refunded_usd: '25.00' });
  });

  it('spends some, and refunds the rest on the page of the partner, but for what is below a cent', async () => {
    const { paymentId, operator } = await pay('10.00', 'DE');
    await untilLot(paymentId, { remaining_usd: '10.00' });
    await spend();
    const gross = await approveRefund(paymentId);
    expect(gross).toBe('11.89');
    await page.goto(operator);
    await page.click(`tr:has-text("${paymentId}") a`);
    await page.fill('input[name=amount]', gross);
    await page.click('button:has-text("Refund")');
    await untilLot(paymentId, { refunded_usd: '9.99', remaining_usd: '0.009931001', held_for_refund_usd: '0.00' });
    await checkSettledBooks(house.gateway, accountId);
  });
});
