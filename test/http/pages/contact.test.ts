import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { contactPages } from '../../../src/http/pages/contact.ts';
import { arrive } from '../../../src/http/server/request-id.ts';
import type { Contacts, OfStranger } from '../../../src/people/contacting/contacts.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

type Outcome = Awaited<ReturnType<Contacts['writeAsStranger']>>;
const arrived: Outcome = { kind: 'written', contactId: 'ctc_1', replyBy: new Date(0), repeated: false };

const serve = async (outcome: Outcome = arrived, email: string | undefined = 'support@example.com') => {
  const written: OfStranger[] = [];
  const pages = contactPages({
    contacts: {
      writeAsStranger: (contact) => {
        written.push(contact);
        return Promise.resolve(outcome);
      },
    },
    newId: () => 'id-1',
    support: () => ({ email, url: 'https://api.example.com/contact' }),
  });
  const app = express();
  app.use((_request, response, next) => {
    arrive(response, '1');
    next();
  });
  app.get('/contact', pages.form);
  app.get('/contact/thanks', pages.thanks);
  app.get('/contact.css', pages.style);
  app.post('/contact/messages', pages.send);
  const server = createServer(app).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const post = (fields: Readonly<Record<string, string>>) =>
    fetch(`${url}/contact/messages`, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
  return { url, written, post };
};

const valid = { email: 'Ada@Example.com', name: '', topic: 'refund', about: '', text: 'First.\r\nSecond.' };

describe('the contact page', () => {
  it('has a policy without scripts and other origins, no cookie, and the time of an answer', async () => {
    const { url } = await serve();
    for (const path of ['/contact', '/contact/thanks', '/contact.css']) {
      const response = await fetch(url + path);
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src 'none'; style-src 'self'; /);
      expect(policy).toContain(path === '/contact' ? "form-action 'self'" : "form-action 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|script/);
      expect(response.headers.get('set-cookie')).toBeNull();
      expect(await response.text()).not.toMatch(/<script|<style|\son\w+="|javascript:|style="|https?:\/\//i);
    }
    const html = await (await fetch(`${url}/contact`)).text();
    for (const text of ['three business days', 'support@example.com', 'Do not send prompts', 'erased after a year']) {
      expect(html).toContain(text);
    }
  });

  it('can be opened with a topic and an id, which are escaped', async () => {
    const { url } = await serve();
    const html = await (await fetch(`${url}/contact?topic=abuse&about=req_1%22%3E%3Cscript%3E`)).text();
    expect(html).toContain('<option value="abuse" selected>');
    expect(html).toContain('value="req_1&quot;&gt;&lt;script&gt;"');
  });

  it('sends the message once, and goes to a page that can be loaded again', async () => {
    const { url, written, post } = await serve();
    const response = await post(valid);
    expect([response.status, response.headers.get('location')]).toEqual([303, 'thanks?id=ctc_1']);
    expect(written).toMatchObject([
      { address: { exact: 'ada@example.com' }, topic: 'refund', text: 'First.\nSecond.', requestId: 'req_1' },
    ]);
    expect(written[0]).toMatchObject({ name: undefined, about: undefined, commandId: 'id-1' });
    expect(await (await fetch(`${url}/contact/thanks?id=ctc_1`)).text()).toContain('<strong>ctc_1</strong>');
    expect(await (await fetch(`${url}/contact/thanks?id=ctc_1%3Cb%3E`)).text()).not.toContain('<b>');
  });

  it.each([
    ['email', { ...valid, email: 'ada' }, 'Your e-mail address: must be an e-mail address'],
    ['text', { ...valid, text: ' ' }, 'Message: is required'],
    ['topic', { ...valid, topic: 'x' }, 'Topic: '],
    ['about', { ...valid, about: 'two words' }, 'Account or request id: must be an id'],
  ])('shows what is wrong with %s, and keeps what was entered', async (_, fields, wrong) => {
    const { written, post } = await serve();
    const response = await post(fields);
    expect(response.status).toBe(400);
    const html = await response.text();
    expect(html).toContain(`<p role="alert">${wrong}`);
    if (fields.text !== ' ') expect(html).toContain('Second.</textarea>');
    expect(html).toContain('href="../contact.css"');
    expect(html).toContain('action="../contact/messages"');
    expect(written).toEqual([]);
  });

  it('asks to wait after too many messages', async () => {
    const { post } = await serve({ kind: 'wait', retryAfterMs: 61_000 });
    const response = await post(valid);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '61']);
    expect(await response.text()).toContain('Too many messages');
  });

  it('shows a form to a request that has none', async () => {
    const { url, written } = await serve();
    const response = await fetch(`${url}/contact/messages`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('<form');
    expect(written).toEqual([]);
  });
});
