import { readFileSync } from 'node:fs';
import type { RequestHandler } from 'express';

/** The script, the style and the requests of this origin only. The empty icon is a data URL. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const serve = (file: string, type: string): RequestHandler => {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  return (_request, response) =>
    void response
      .set({
        'content-security-policy': CONTENT_SECURITY_POLICY,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
      })
      .type(type)
      .send(text);
};

/**
 * The page that the links of mails open. Mail scanners open links too, so nothing changes before the button is pressed. The
 * secret is in the fragment of the URL, which browsers send to no server; the script reads it there.
 */
export const confirmPage: Readonly<Record<string, RequestHandler>> = {
  '/confirm': serve('confirm.html', 'html'),
  '/confirm.js': serve('confirm.js', 'js'),
  '/confirm.css': serve('confirm.css', 'css'),
};
