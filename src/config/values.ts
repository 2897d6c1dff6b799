import { z } from 'zod';
import { parseUsd } from '../domain/money.ts';
import { parseMargin } from '../domain/prices/proposals.ts';
import { InvalidDatabaseUrl, parseDatabaseUrl } from './database-url.ts';
import { parseSecretKey } from './secret-key.ts';
import { parseSigningKey } from './signing-key.ts';

export const port = z.coerce.number().int().min(0).max(65_535);
/** A longer timer fires at once. */
export const MAX_MS = 2_147_483_647;
export const ms = z.coerce.number().int().positive().max(MAX_MS);
/** Enough for a load balancer that polls every second and removes a node after three failures. */
export const PRODUCTION_DRAIN_DELAY_MS = 5000;
/** 0: no limit. */
export const limit = z.coerce.number().int().min(0).max(1_000_000_000);
export const usd = z.string().transform((text, context) => {
  const credits = parseUsd(text.trim());
  if (credits !== undefined) return credits;
  context.addIssue({ code: 'custom', message: 'must be decimal USD with up to nine places, such as 100 or 0.50' });
  return z.NEVER;
});
export const percent = z.string().transform((text, context) => {
  const margin = parseMargin(text.trim());
  if (margin !== undefined) return margin;
  context.addIssue({ code: 'custom', message: 'must be 0 or more per cent, with up to four decimals, such as 12.5' });
  return z.NEVER;
});
export const webUrl = z.url({ protocol: /^https?$/, error: 'must be a URL that begins with http:// or https://' });
/** Blanks at the ends are kept but do not count. */
export const secret = z
  .string()
  .refine((text) => text.trim().length >= 32, 'must have at least 32 characters, blanks not counted');
/** The characters that a header can carry; RFC 6750 allows fewer in a bearer token. */
export const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
export const NOT_IN_A_HEADER =
  'must consist of visible ASCII characters, without blanks, because it is sent in a header';
export const databaseUrl = z.string().transform((text, context) => {
  try {
    return parseDatabaseUrl(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof InvalidDatabaseUrl ? error.message : 'is invalid' });
    return z.NEVER;
  }
});
/** The message never repeats the value, which may hold a password. */
export const eventStoreUrl = z
  .string()
  .regex(
    /^esdb(?:\+discover)?:\/\/[^\s/]+(?:\/?\?\S*)?$/,
    'must be a connection string such as esdb://user:password@host:2113?tls=true',
  );
export const HOW_TO_MAKE_A_KEY = 'make one with `openssl rand -base64 32`, and keep a copy apart from the database';
export const secretKey = z.string().transform((text, context) => {
  const key = parseSecretKey(text);
  if (key) return key;
  context.addIssue({ code: 'custom', message: `must be 32 bytes in base64 or hexadecimal: ${HOW_TO_MAKE_A_KEY}` });
  return z.NEVER;
});

export const NAME_OF_A_SECRET = /^[\w-]{1,32}$/;
export const secretName = z.string().regex(NAME_OF_A_SECRET, 'must be 1 to 32 letters, digits, _ or -');

/**
 * Pairs of `id=secret`, separated by commas or white space. A pair begins with a name and `=`, so a secret may contain
 * separators. Messages contain ids, never secrets.
 */
export const secretsById = <Secret>(parse: (text: string) => Secret | undefined, mustBe: string) =>
  z.string().transform((text, context) => {
    const found = new Map<string, Secret>();
    const wrong = (message: string): void => context.addIssue({ code: 'custom', message });
    for (const pair of text.trim().split(/[\s,]+(?=[\w-]{1,32}=)/)) {
      const at = pair.indexOf('=');
      const [id, secret] = [pair.slice(0, at), parse(pair.slice(at + 1).replace(/[\s,]+$/, ''))];
      if (at < 0 || !NAME_OF_A_SECRET.test(id)) wrong('must be pairs such as 2026=secret, separated by commas');
      else if (secret === undefined) wrong(`the secret of ${id} ${mustBe}`);
      else if (found.has(id)) wrong(`has the id ${id} twice`);
      else found.set(id, secret);
    }
    return found as ReadonlyMap<string, Secret>;
  });
export const oldPeppers = secretsById(
  (text) => (text.length < 32 ? undefined : text),
  'must have at least 32 characters',
);
export const oldDataKeys = secretsById(parseSecretKey, 'must be 32 bytes in base64 or hexadecimal');

export const MAKE_A_SIGNING_KEY = 'make one with: openssl genpkey -algorithm ed25519';
export const signingKey = z.string().transform((text, context) => {
  try {
    return parseSigningKey(text);
  } catch {
    const message = `is not an Ed25519 private key (PKCS#8, PEM or base64 in one line); ${MAKE_A_SIGNING_KEY}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
});
