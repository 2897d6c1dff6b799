import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { topUpPages } from '../../../src/http/pages/top-up.ts';
import type { KnownPayment } from '../../../src/domain/payments/payment.ts';
import { isSimulatedPartner } from '../../../src/payments/partner.ts';
import type { Payments } from '../../../src/payments/payments.ts';

const open: KnownPayment = {
  ...{ status: 'open', accountId: 'acc_1', amount: 25_000_000_000n, partner: 'creem', checkouts: [], sale: null },
  ...{ quarantined: [], requests: [], refunds: [], disputes: [] },
};
const sale = {
  ...{ transactionId: 'tran_1', orderId: 'ord_1', checkoutId: 'ch_1', currency: 'USD' },
  ...{ paid: 29_750_000_000n, tax: 4_750_000_000n, credited: 20_000_000_000n },
};

const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

/** Serves the pages. `checked` are the payments that the partner was asked about. */
const serve = async (payment: KnownPayment | undefined, more: Partial<Payments> = {}) => {
  const checked: string[] = [];
  let time = 0;
  const check = (id: string) => {
    checked.push(id);
    return Promise.resolve(payment);
  };
  const app = express();
  const pages = topUpPages(
    { check, find: () => Promise.resolve(payment), ...more },
    isSimulatedPartner,
    () => new Date(time),
    () => ({ email: 'support@example.com', url: 'https://api.example.com/contact' }),
  );
  for (const [route, handler] of Object.entries(pages)) app.get(route, handler);
  const server = createServer(app).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, checked, wait: (ms: number) => void (time += ms) };
};

const show = async (payment: KnownPayment | undefined, path = '/top-ups/pay_1', more: Partial<Payments> = {}) => {
  const { url, checked } = await serve(payment, more);
  const response = await fetch(url + path);
  return { status: response.status, headers: response.headers, html: await response.text(), checked };
};

describe('the page to which a customer returns from the payment page', () => {
  it('shows that the payment was received, with what was credited, without signing in', async () => {
    const { status, html, checked } = await show({ ...open, status: 'completed', sale });
    expect(status).toBe(200);
    expect(html).toContain('<h1>Payment received</h1>');
    expect(html).toContain('$20.00');
    expect(html).not.toContain('refresh');
    expect(checked).toEqual(['pay_1']);
  });

  it('waits for the confirmation, whatever the partner has added to the address', async () => {
    const { html } = await show(open, '/top-ups/pay_1?checkout_id=ch_1&order_id=ord_1&signature=abc&status=completed');
    expect(html).toContain('<h1>We are waiting for the confirmation</h1>');
    expect(html).toContain('$25.00');
    expect(html).toContain('<meta http-equiv="refresh" content="5; url=?n=1" />');
    expect(html).not.toContain('ch_1');
  });

  it('reloads less often as time passes, and stops after an hour', async () => {
    expect((await show(open, '/top-ups/pay_1?n=24')).html).toContain('content="60; url=?n=25"');
    const { html } = await show(open, '/top-ups/pay_1?n=84');
    expect(html).not.toContain('refresh');
    expect(html).toContain('Load it again later.');
    expect((await show(open, '/top-ups/pay_1?n=%22%3E%3Cscript%3E')).html).toContain('url=?n=1"');
  });

  it.each([
    ['expired', 'Not paid'],
    ['quarantined', 'Your payment is being checked'],
    ['rejected', 'Your payment was not credited'],
  ] as const)('shows a payment that is %s as such', async (status, title) => {
    const { html } = await show({ ...open, status });
    expect(html).toContain(`<h1>${title}</h1>`);
    expect(html).not.toContain('refresh');
  });

  it('is labelled if the payment is simulated', async () => {
    const label = 'Simulated payment: no money is moved.';
    expect((await show(open)).html).not.toContain(label);
    for (const partner of ['simulated', 'creem-test']) expect((await show({ ...open, partner })).html).toContain(label);
  });

  it('asks the partner about a payment every three seconds at most, however often it is loaded', async () => {
    const { url, checked, wait } = await serve(open);
    const load = async (id: string) => expect((await fetch(`${url}/top-ups/${id}`)).status).toBe(200);
    await load('pay_1');
    wait(2999);
    await load('pay_1');
    await load('pay_2');
    expect(checked).toEqual(['pay_1', 'pay_2']);
    wait(1);
    await load('pay_1');
    expect(checked).toEqual(['pay_1', 'pay_2', 'pay_1']);
  });

  it('shows what the log has if the partner gives no answer', async () => {
    const check = () => Promise.reject(new Error('unreachable'));
    expect((await show({ ...open, status: 'completed', sale }, undefined, { check })).html).toContain(
      'Payment received',
    );
  });

  it.each(['/top-ups/pay_1', '/top-ups/acc_1', '/top-ups/pay_a%00', '/top-ups/pay_%3Cb%3E'])(
    'is a page of status 404 for %s, if there is no such payment',
    async (path) => {
      const { status, html, headers } = await show(undefined, path);
      expect(status).toBe(404);
      expect(headers.get('content-type')).toMatch(/^text\/html/);
      expect(html).toContain('There is no such payment');
    },
  );

  it('loads and executes nothing but its style, and is neither stored nor framed', async () => {
    const { html, headers } = await show(open);
    const expected =
      "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    expect(headers.get('content-security-policy')).toBe(expected);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(html).not.toMatch(/<script|<style|\son\w+=|javascript:|style="|https?:/i);
    const style = await show(open, '/top-up.css');
    expect(style.headers.get('content-type')).toMatch(/^text\/css/);
  });
});
