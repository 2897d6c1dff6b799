import { z } from 'zod';

/** Parts that a base URL must not have, or that the URL parser would silently change. */
const FORBIDDEN = [
  [/[?#]/, 'must not have a query or a fragment'],
  [/^https?:\/\/[^/]*@/i, 'must not have a user name or a password'],
  [/\\|\/\.{1,2}(?:\/|$)|%2e|%2f|%5c|\/\/.*\/\//i, 'must not have path segments such as . or ..'],
] as const;

/** The base URL of links to this gateway: http or https, possibly with a path. Returned without a trailing slash. */
export const publicUrl = z.string().transform((text, context) => {
  const refuse = (message: string): never => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) {
    return refuse('must be a URL that begins with http:// or https://, such as https://api.example.com');
  }
  const wrong = FORBIDDEN.find(([part]) => part.test(text));
  if (wrong) return refuse(wrong[1]);
  return new URL(text).href.replace(/\/+$/, '');
});
