import { readFileSync } from 'node:fs';
import { inputMessages } from '@kissapi/zod-messages';
import express, { type RequestHandler } from 'express';
import type { z } from 'zod';
import { contactTopics, type ContactTopic } from '../../domain/contacts/events.ts';
import type { Contacts } from '../../people/contacting/contacts.ts';
import { MAX_TEXT, strangersContact } from '../management/contacting/strangers-contact.ts';
import { requestIdOf } from '../server/request-id.ts';
import type { Support } from '../server/support.ts';
import { escapeHtml, pageOf, withPolicy } from './html.ts';

type ContactPageOptions = {
  readonly contacts: Pick<Contacts, 'writeAsStranger'>;
  readonly newId: () => string;
  readonly support: () => Support;
};

/** The submitted texts, by the names of the fields. */
type Entered = Readonly<Record<string, string>>;

const FIELDS = ['name', 'email', 'topic', 'about', 'text'] as const;
const MAX_FORM_BYTES = 64 * 1024;
const ID = /^ctc_[\w-]{1,60}$/;

/** Pages without a script: a form, and a confirmation. The query parameters `topic` and `about` fill in the form. */
export const contactPages = ({ contacts, newId, support }: ContactPageOptions) => {
  const style = readFileSync(new URL('contact.css', import.meta.url), 'utf8');
  const send: RequestHandler = async (request, response) => {
    const entered = textsIn(request.body);
    const again = (status: number, wrong: string): void =>
      void withPolicy(response.status(status), { forms: "'self'" })
        .type('html')
        .send(formOf(entered, support(), '../', wrong));
    const given = Object.fromEntries(Object.entries(entered).filter(([, text]) => text.trim() !== ''));
    const read = strangersContact.safeParse(given, { error: inputMessages });
    if (!read.success) return again(400, whatIsWrong(read.error));
    const { name, email: address, topic, text, about } = read.data;
    const client = { address: request.ip, userAgent: request.headers['user-agent'] };
    const ids = { commandId: newId(), requestId: requestIdOf(response) };
    const outcome = await contacts.writeAsStranger({ name, address, topic, text, about, client, ...ids });
    if (outcome.kind === 'wait') {
      response.setHeader('retry-after', Math.ceil(outcome.retryAfterMs / 1000));
      return again(429, 'Too many messages were sent. Wait a few minutes, then send yours again.');
    }
    // A redirect, so that reloading the confirmation does not send the message again.
    response.redirect(303, `thanks?id=${outcome.contactId}`);
  };
  return {
    form: ((request, response) =>
      void withPolicy(response, { forms: "'self'" })
        .type('html')
        .send(formOf(textsIn(request.query), support(), ''))) satisfies RequestHandler,
    send: [express.urlencoded({ extended: false, inflate: false, limit: MAX_FORM_BYTES }), send],
    thanks: (({ query }, response) => {
      const { id } = textsIn(query);
      void withPolicy(response)
        .type('html')
        .send(thanksOf(id !== undefined && ID.test(id) ? id : undefined));
    }) satisfies RequestHandler,
    style: ((_request, response) => void withPolicy(response).type('css').send(style)) satisfies RequestHandler,
  };
};

/** The known fields that occur exactly once. */
const textsIn = (fields: unknown): Entered =>
  Object.fromEntries(
    Object.entries((fields ?? {}) as Readonly<Record<string, unknown>>).flatMap(([name, value]) =>
      ['id', ...FIELDS].includes(name) && typeof value === 'string' ? [[name, value] as const] : [],
    ),
  );

const LABELS: Readonly<Record<string, string>> = {
  name: 'Your name',
  email: 'Your e-mail address',
  topic: 'Topic',
  about: 'Account or request id',
  text: 'Message',
};

const whatIsWrong = ({ issues: [issue] }: z.ZodError): string => {
  const label = LABELS[String(issue?.path[0])];
  return label === undefined ? 'The form is not complete. Send it again.' : `${label}: ${issue?.message ?? ''}.`;
};

const TOPICS: Readonly<Record<ContactTopic, string>> = {
  question: 'A question',
  billing: 'Billing',
  refund: 'A refund',
  close_account: 'Close my account',
  security: 'Security, such as a leaked key',
  abuse: 'Report abuse',
  privacy: 'Privacy and my data',
  other: 'Something else',
};

const formOf = (entered: Entered, { email }: Support, root: string, wrong?: string): string => {
  const value = (name: (typeof FIELDS)[number]): string => escapeHtml(entered[name] ?? '');
  const selected = entered['topic'] ?? 'question';
  const title = 'Contact support';
  const main = [
    `<h1>${title}</h1>`,
    '<p>We answer by mail within three business days, Monday to Friday.</p>',
    ...(email === undefined
      ? []
      : [`<p>You can also write to <a href="mailto:${escapeHtml(email)}">${escapeHtml(email)}</a>.</p>`]),
    ...(wrong === undefined ? [] : [`<p role="alert">${escapeHtml(wrong)}</p>`]),
    `<form method="post" action="${root}contact/messages">`,
    `<p><label for="email">Your e-mail address</label> <input id="email" name="email" type="email" autocomplete="email" maxlength="254" required value="${value('email')}" /></p>`,
    `<p><label for="name">Your name (optional)</label> <input id="name" name="name" autocomplete="name" maxlength="200" value="${value('name')}" /></p>`,
    '<p><label for="topic">Topic</label> <select id="topic" name="topic">',
    ...contactTopics.map(
      (topic) => `<option value="${topic}"${topic === selected ? ' selected' : ''}>${TOPICS[topic]}</option>`,
    ),
    '</select></p>',
    `<p><label for="about">Account or request id (optional)</label> <input id="about" name="about" maxlength="64" autocomplete="off" spellcheck="false" value="${value('about')}" /></p>`,
    `<p><label for="text">Message</label> <textarea id="text" name="text" rows="10" maxlength="${MAX_TEXT}" required>\n${value('text')}</textarea></p>`,
    '<p class="hint">Do not send prompts, outputs or API keys. The id of the request is enough: it is <code>request_id</code> in an error, and the header <code>x-request-id</code>.</p>',
    '<p><button type="submit">Send</button></p>',
    '</form>',
    '<p class="hint">Your message is stored encrypted. It is erased after a year, or with the account that it belongs to.</p>',
  ];
  return pageOf({ title, style: `${root}contact.css`, main });
};

const thanksOf = (contactId: string | undefined): string =>
  pageOf({
    title: 'Message sent',
    style: '../contact.css',
    main: [
      '<h1>Thank you</h1>',
      '<p role="status">Your message has arrived. We answer by mail within three business days, Monday to Friday.</p>',
      ...(contactId === undefined
        ? []
        : [`<p>Its id is <strong>${contactId}</strong>. Name it if you write again.</p>`]),
    ],
  });
