import { setTimeout as sleep } from 'node:timers/promises';
import type { TestSmtp } from '../../mail/smtp.ts';

type Json = Readonly<Record<string, unknown>>;
export type Reply = { readonly status: number; readonly json: Json; readonly code: unknown };

export const TERMS = '2026-11-30';
export const ADULT = 'I am 18 or older.';
export const ENTITY = 'I am 18 or older and may act for this entity.';

/** Calls the API as a person with a session, or as a stranger without one. */
export const call = async (
  url: string,
  method: string,
  path: string,
  { body, token, headers = {} }: { body?: unknown; token?: string | undefined; headers?: Record<string, string> } = {},
): Promise<Reply> => {
  const response = await fetch(`${url}/api${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const json = (await response.json()) as Json;
  return { status: response.status, json, code: (json['error'] as Json | undefined)?.['code'] };
};

/** The text of a mail, with its transfer encoding undone. */
const textOf = (raw: string): string =>
  raw
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

export type Mailed = {
  readonly subject: string;
  readonly text: string;
  /** The code that the mail carries; empty without one. */
  readonly code: string;
  readonly linkSecret: string;
  /** The id that the link names. */
  readonly linkId: string;
};

/** Long header lines are folded: RFC 5322, 2.2.3. */
const unfolded = (raw: string): string => raw.replaceAll(/\r?\n(?=[ \t])/g, '');

const readMail = (raw: string): Mailed => {
  const text = textOf(raw);
  const [, linkId = '', linkSecret = ''] = /\/confirm#([\w-]+)\.([\w-]+)/.exec(text) ?? [];
  return {
    subject: /^Subject: (.+)$/im.exec(unfolded(raw))?.[1]?.trim() ?? '',
    text,
    code: /^\s*(\d{4} ?\d{4})\s*$/m.exec(text)?.[1] ?? '',
    linkId,
    linkSecret,
  };
};

/** The mails to an address that the server has accepted, the oldest first. */
export const mailsTo = (smtp: TestSmtp, address: string): readonly Mailed[] =>
  smtp.received.filter(({ to, accepted }) => accepted && to === address).map(({ raw }) => readMail(raw));

const MAIL_WITHIN_MS = 60_000;
const POLL_MS = 25;

/** Throws unless the answer has the status. Proofs use this file without a test runner. */
const must = (reply: Reply, status: number): Reply => {
  if (reply.status === status) return reply;
  throw new Error(`expected ${status}, received ${reply.status}: ${JSON.stringify(reply.json)}`);
};

/** Waits for the n-th mail to an address, from 1. */
export const mailTo = async (smtp: TestSmtp, address: string, n = 1): Promise<Mailed> => {
  for (let left = MAIL_WITHIN_MS / POLL_MS; left > 0; left--) {
    const mail = mailsTo(smtp, address)[n - 1];
    if (mail) return mail;
    await sleep(POLL_MS);
  }
  throw new Error(`no mail number ${n} to ${address} came within ${MAIL_WITHIN_MS} ms`);
};

export type Person = {
  readonly personId: string;
  readonly accountId: string;
  readonly email: string;
  readonly token: string;
};

export const registration = (email: string, more: Json = {}): Json => ({
  ...{ name: 'Ada Lovelace', email, declaration: ADULT, accept_terms: TERMS },
  ...more,
});

/** Registers a person, reads the mail, and enters its code. `headers` can name the network that it comes from. */
export const registerPerson = async (
  url: string,
  smtp: TestSmtp,
  email: string,
  more: Json = {},
  headers: Record<string, string> = {},
): Promise<Person> => {
  const asked = must(await call(url, 'POST', '/registrations', { body: registration(email, more), headers }), 202);
  const { code } = await mailTo(smtp, email, mailsTo(smtp, email).length + 1);
  const path = `/registrations/${String(asked.json['registration_id'])}/verify`;
  const body = { code, browser_secret: asked.json['browser_secret'] };
  const verified = must(await call(url, 'POST', path, { body, headers }), 200);
  return {
    personId: String(verified.json['person_id']),
    accountId: String(verified.json['account_id']),
    email,
    token: String((verified.json['session'] as Json)['token']),
  };
};

/** Asks for a code, reads the mail, and signs in with it. */
export const signIn = async (
  url: string,
  smtp: TestSmtp,
  email: string,
  headers: Record<string, string> = {},
): Promise<string> => {
  const before = mailsTo(smtp, email).length;
  const asked = must(await call(url, 'POST', '/sign-in/codes', { body: { email }, headers }), 202);
  const { code } = await mailTo(smtp, email, before + 1);
  const path = `/sign-in/codes/${String(asked.json['sign_in_id'])}/redeem`;
  const signedIn = must(
    await call(url, 'POST', path, { body: { code, browser_secret: asked.json['browser_secret'] } }),
    201,
  );
  return String((signedIn.json['session'] as Json)['token']);
};
