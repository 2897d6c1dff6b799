import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chromiumPath, openBrowser } from '../../support/browser/browser.ts';
import { createReceiver, createTestShop } from './shop.ts';
import type { Receiver, TestShop } from './shop.ts';

let receiver: Receiver;
let shop: TestShop;
beforeEach(async () => {
  receiver = await createReceiver();
  shop = await createTestShop({ webhookUrl: receiver.url });
});
afterEach(async () => {
  await shop.close();
  await receiver.close();
});

const CUSTOMER = { email: 'ada@example.test', name: 'Ada Example', country: 'US', card: '4242424242424242' };

const visit = async (
  path: string,
  form?: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
) => {
  const url = path.startsWith('http') ? path : `${shop.url}${path}`;
  const post = form && { method: 'POST', body: new URLSearchParams(form) };
  const response = await fetch(url, { redirect: 'manual', headers, ...post });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

/** `fetch` does not send another `Host`. */
const statusForHost = (host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(`${shop.url}/operator/`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });

describe('the payment page', () => {
  it('is labelled, runs no script, and is sent under a strict policy that names the way back', async () => {
    const { checkout_url: url } = await shop.open();
    const { status, headers, text } = await visit(url as string);
    expect(status).toBe(200);
    expect(text).toContain('Simulated payment page. No money moves.');
    expect(text).not.toContain('<script');
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self' https:\/\/kissapi\.example; base-uri 'none'; frame-ancestors 'none'$/,
    );
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('pays the total that it showed, and leads back with a signature', async () => {
    const { id, checkout_url: url } = await shop.open();
    const { status, headers } = await visit(url as string, { ...CUSTOMER, total: '2500', do: 'pay' });
    expect(status).toBe(303);
    const back = new URL(headers.get('location') ?? '');
    expect(`${back.origin}${back.pathname}`).toBe('https://kissapi.example/top-ups/pay_1');
    expect(back.searchParams.get('checkout_id')).toBe(id as string);
    expect(back.searchParams.get('signature')).toMatch(/^[\da-f]{64}$/);
    expect(shop.control.transactions()).toMatchObject([{ amount_paid: 2_500, tax_country: 'US' }]);
    const again = await visit(url as string, { ...CUSTOMER, total: '2500', do: 'pay' });
    expect(again.text).toContain('This checkout has been paid.');
    expect(shop.control.transactions()).toHaveLength(1);
  });

  it('does not charge a total that it has not shown', async () => {
    const { checkout_url: url } = await shop.open();
    const french = { ...CUSTOMER, country: 'FR', discount: 'tenoff' };
    const first = await visit(url as string, { ...french, total: '2500', do: 'pay' });
    expect(first.status).toBe(409);
    expect(first.text).toContain('27.00 USD');
    expect(shop.control.transactions()).toEqual([]);
    const updated = await visit(url as string, { ...french, do: 'update' });
    expect(updated.text).toMatch(/name="total" value="2700"/);
    expect((await visit(url as string, { ...french, total: '2700', do: 'pay' })).status).toBe(303);
    expect(shop.control.transactions()).toMatchObject([{ amount_paid: 2_700, tax_amount: 450, discount_amount: 250 }]);
  });

  it.each([
    [402, { card: '4000000000000002' }, 'Your card was declined.'],
    [402, { other_card: '5555 5555 5555 4444' }, 'accepts only the test cards'],
    [400, { discount: 'NOTONE' }, 'This discount code is not valid.'],
    [400, { country: 'XX' }, 'Choose a country'],
    [400, { email: 'ada' }, 'Enter an e-mail address.'],
  ])('answers %i for %j, keeps what was entered, and charges nothing', async (status, form, message) => {
    const { checkout_url: url } = await shop.open();
    const answer = await visit(url as string, { ...CUSTOMER, ...form, total: '2500', do: 'pay' });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(message);
    expect(answer.text).toContain('value="Ada Example"');
    expect(shop.control.transactions()).toEqual([]);
  });

  it('can be cancelled, and paid later; answers 410 once it has expired', async () => {
    const { checkout_url: url } = await shop.open();
    const cancelled = await visit(url as string, { ...CUSTOMER, do: 'cancel' });
    expect(cancelled.text).toContain('Nothing was paid.');
    expect(cancelled.text).toContain('href="https://kissapi.example/top-ups/pay_1"');
    expect((await visit(url as string)).status).toBe(200);
    shop.clock.now += 86_400_000;
    expect((await visit(url as string)).status).toBe(410);
    expect((await visit(url as string, { ...CUSTOMER, total: '2500', do: 'pay' })).status).toBe(410);
    expect((await visit('/checkout/ch_x')).status).toBe(404);
  });

  it('escapes what was entered', async () => {
    const { checkout_url: url } = await shop.open();
    const { text } = await visit(url as string, { ...CUSTOMER, name: '"><img src=x onerror=alert(1)>', do: 'update' });
    expect(text).toContain('value="&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"');
    expect(text).not.toContain('<img');
  });
});

describe('the pages', () => {
  it('refuse a post of another site, and every other host name', async () => {
    const { checkout_url: url } = await shop.open();
    const form = { ...CUSTOMER, total: '2500', do: 'pay' };
    expect((await visit(url as string, form, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await visit(url as string, form, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await visit(url as string, form, { origin: 'null' })).status).toBe(403);
    expect(await statusForHost('evil.example')).toBe(403);
    expect(await statusForHost('localhost:1')).toBe(200);
    expect((await visit(url as string, form, { origin: shop.url, 'sec-fetch-site': 'same-origin' })).status).toBe(303);
  });

  it('lead to the operator from the root', async () => {
    expect((await visit('/')).headers.get('location')).toBe('operator/');
    expect((await visit('/operator')).headers.get('location')).toBe('operator/');
    expect((await visit('/nothing')).status).toBe(404);
  });
});

describe('the page of the operator', () => {
  it('lists payments from the newest, open checkouts and deliveries', async () => {
    const open = await shop.open({ request_id: 'pay_open' });
    const { transaction } = await shop.sell();
    await shop.control.deliverDue();
    const { status, text } = await visit('/operator/');
    expect(status).toBe(200);
    expect(text).toContain('Simulated partner dashboard. No money moves.');
    expect(text).toContain(`href="payments/${transaction.id}"`);
    expect(text).toContain(`href="../checkout/${open.id as string}"`);
    expect(text).toContain('answered with 200');
    expect((await visit(`/operator/checkouts/${open.id as string}/expire`, {})).status).toBe(303);
    expect((await visit('/operator/')).text).not.toContain('pay_open');
  });

  it('refunds in part, in full, and unasked as Creem', async () => {
    const { transaction } = await shop.sell();
    const path = `/operator/payments/${transaction.id}`;
    const form = { amount: '12.5', reason: 'other', status: 'succeeded' };
    const made = await visit(`${path}/refund`, form);
    expect([made.status, made.headers.get('location')]).toEqual([303, `../${transaction.id}`]);
    expect(shop.control.refunds()).toMatchObject([{ amount: 1_250, reason: 'other' }]);
    expect((await visit(path)).text).toContain('value="17.50"');
    for (const amount of ['17.51', '-1', '1e3', '0', '1.234', '']) {
      expect((await visit(`${path}/refund`, { ...form, amount })).status).toBe(400);
    }
    await visit(`${path}/refund-by-partner`, {});
    expect(shop.control.transactions()).toMatchObject([{ status: 'refunded', refunded_amount: 3_000 }]);
    expect((await visit(`${path}/refund-by-partner`, {})).status).toBe(400);
    expect((await visit('/operator/payments/tran_x')).status).toBe(404);
  });

  it('settles a pending refund, and opens, wins and loses disputes', async () => {
    const { transaction } = await shop.sell();
    const path = `/operator/payments/${transaction.id}`;
    await visit(`${path}/refund`, { amount: '5.00', reason: 'other', status: 'pending' });
    const [refund] = shop.control.refunds();
    expect((await visit(path)).text).toContain(`action="../refunds/${refund?.id ?? ''}/canceled"`);
    const settled = await visit(`/operator/refunds/${refund?.id ?? ''}/succeeded`, {});
    expect(settled.headers.get('location')).toBe(`../../payments/${transaction.id}`);
    await visit(`${path}/dispute`, {});
    const [dispute] = shop.control.disputes();
    await visit(`/operator/disputes/${dispute?.id ?? ''}/won`, {});
    await visit(`${path}/dispute`, {});
    await visit(`/operator/disputes/${shop.control.disputes()[1]?.id ?? ''}/lost`, {});
    expect(shop.control.disputes()).toMatchObject([
      { outcome: 'won', amount: 2_500 },
      { outcome: 'lost', amount: 2_500 },
    ]);
    expect(shop.control.transactions()).toMatchObject([{ status: 'chargedBack' }]);
    expect((await visit(`/operator/disputes/${dispute?.id ?? ''}/lost`, {})).status).toBe(400);
  });

  it('closes a payout, and hands out its statement as CSV', async () => {
    const { transaction } = await shop.sell();
    expect((await visit('/operator/payouts', { currency: 'USD' })).text).toContain('a payout needs 50.00');
    expect((await visit('/operator/payouts', { currency: 'USD', any: 'yes' })).status).toBe(303);
    const [, id = ''] = /payouts\/(\w+)\.csv/.exec((await visit('/operator/')).text) ?? [];
    const { headers, text } = await visit(`/operator/payouts/${id}.csv`);
    expect(headers.get('content-type')).toMatch(/^text\/csv/);
    expect(headers.get('content-disposition')).toBe(`attachment; filename="${id}.csv"`);
    expect(text).toContain(`,payment,${transaction.id},`);
    expect((await visit('/operator/payouts/pout_x.csv')).status).toBe(404);
  });

  it('sends an event again', async () => {
    const { eventId } = await shop.sell();
    const { text } = await visit(`/operator/events/${eventId}/resend`, {});
    expect(text).toContain('answered with 200');
    expect(receiver.received).toMatchObject([{ event: { id: eventId } }]);
  });
});

describe.runIf(chromiumPath !== undefined)('in Chromium', () => {
  it('a customer updates the total, is declined, pays, and returns to the shop', async () => {
    const back = `${new URL(receiver.url).origin}/back`;
    const { checkout_url: url } = await shop.open({ success_url: back });
    const browser = await openBrowser();
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => void complaints.push(message.text()));
      await page.goto(url as string);
      await page.getByLabel('Country').selectOption('FR');
      await page.getByRole('button', { name: 'Update the total' }).click();
      expect(await page.locator('#total').innerText()).toBe('30.00 USD');
      await page.getByLabel('Test card').selectOption('4000000000000002');
      await page.getByRole('button', { name: 'Pay 30.00 USD' }).click();
      expect(await page.getByRole('alert').innerText()).toBe('Your card was declined.');
      // Chromium reports the response 402.
      complaints.length = 0;
      await page.getByLabel('Test card').selectOption('4242424242424242');
      await page.getByRole('button', { name: 'Pay 30.00 USD' }).click();
      await page.waitForURL((address) => address.href.startsWith(back));
      expect(complaints).toEqual([]);

      await page.goto(`${shop.url}/operator`);
      await page.getByRole('link', { name: shop.control.transactions()[0]?.id ?? '' }).click();
      await page.getByLabel('Amount').fill('12.00');
      await page.getByRole('button', { name: 'Refund', exact: true }).click();
      await page.getByText('refunded in part').waitFor();
      await page.getByRole('button', { name: 'Open a dispute' }).click();
      await page.getByRole('button', { name: 'Lose' }).click();
      await page.getByRole('cell', { name: 'lost' }).waitFor();
    } finally {
      await browser.close();
    }
  });
});
