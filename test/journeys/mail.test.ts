import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../support/gateway.ts';
import { SOON } from '../support/soon.ts';
import { call, registration } from '../support/customers/person.ts';

let premises: Premises;
let gateway: RunningGateway;

beforeAll(async () => {
  premises = await createPremises();
  gateway = await premises.startGateway();
});
afterAll(() => premises.close());

const metrics = async (): Promise<string> =>
  (await fetch(`${gateway.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).text();

describe('a gateway in development', () => {
  it('shows the outbox of simulated mail, under a strict policy', async () => {
    const response = await fetch(`${gateway.url}/dev/outbox`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await response.text()).toContain('No mail so far');
    expect((await fetch(`${gateway.url}/dev/outbox`, { method: 'POST' })).status).toBe(405);
  });
});

it('a gateway that sends mail has no outbox, and counts the mail that waits while its server cannot be reached', async () => {
  const smtp = { SMTP_URL: 'smtp://127.0.0.1:2525', MAIL_FROM: 'no-reply@example.com' };
  expect(await gateway.process.stop()).toBe(0);
  gateway = await premises.startGateway(smtp);
  expect((await fetch(`${gateway.url}/dev/outbox`)).status).toBe(404);
  expect(await metrics()).toContain('kissapi_mails_waiting 0\n');
  await call(gateway.url, 'POST', '/registrations', { body: registration('ada@example.com') });
  await expect.poll(metrics, SOON).toContain('kissapi_mails_waiting 1\n');
  expect(await metrics()).toMatch(/^kissapi_mail_oldest_waiting_seconds \d/m);
});
