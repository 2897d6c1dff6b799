import { z } from 'zod';
import type { Mailbox, SmtpServer } from '../mail/mailer.ts';

const EXAMPLE = 'such as smtps://user:password@smtp.example.com';
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;
const DEFAULT_PORT = { 'smtp:': 587, 'smtps:': 465 } as const;

const parseSmtpUrl = (text: string): SmtpServer | string => {
  if (!/^smtps?:\/\/[^/]/.test(text) || !URL.canParse(text)) return `must be a URL of a mail server, ${EXAMPLE}`;
  const url = new URL(text);
  if (url.hostname === '') return `names no host: it must be a URL of a mail server, ${EXAMPLE}`;
  if (url.pathname.length > 1 || url.hash !== '') return 'must have no path and no fragment';
  const unknown = [...url.searchParams.keys()].find((name) => name !== 'requireTLS');
  if (unknown !== undefined) return 'has an unknown parameter: the only one is requireTLS';
  const required = url.searchParams.get('requireTLS');
  if (required !== null && required !== 'true' && required !== 'false')
    return 'has a requireTLS that is not true or false';
  const secure = url.protocol === 'smtps:';
  const { username, password } = url;
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORT[secure ? 'smtps:' : 'smtp:'] : Number(url.port),
    secure,
    requireTls: required === null ? !LOOPBACK.test(url.hostname) : required === 'true',
    auth: username === '' ? undefined : { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
  };
};

export const smtpUrl = z.string().transform((text, context) => {
  let parsed: SmtpServer | string;
  try {
    parsed = parseSmtpUrl(text);
  } catch {
    parsed = 'has a user name or a password that is not percent-encoded';
  }
  if (typeof parsed !== 'string') return parsed;
  context.addIssue({ code: 'custom', message: parsed });
  return z.NEVER;
});

const NOT_AN_ADDRESS = 'must be an e-mail address, such as support@example.com';
export const mailAddress = z.email(NOT_AN_ADDRESS);

const NAMED = /^([^<>"@\r\n]{0,60})<([^<>]+)>$/;

/** An address, or a name and an address in angle brackets. */
export const mailbox = z.string().transform((text, context): Mailbox => {
  const [, name = '', address = text] = NAMED.exec(text.trim()) ?? [];
  if (mailAddress.safeParse(address.trim()).success) return { name: name.trim(), address: address.trim() };
  context.addIssue({ code: 'custom', message: 'must be an address, such as Example <no-reply@example.com>' });
  return z.NEVER;
});
