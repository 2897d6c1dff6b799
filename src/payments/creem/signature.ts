import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SignatureCheck, WebhookHeaders } from '../partner.ts';

/**
 * The only header that counts. Creem's SDK also accepts the headers of Standard Webhooks: the sender could then choose the
 * check, and the SDK throws if the secret is not base64.
 */
const HEADER = 'creem-signature';

/** The check that failed; undefined if the signature is right. It is the hex HMAC-SHA256 of the body as it was sent. */
export const failedCheck = (headers: WebhookHeaders, body: Uint8Array, secret: string): SignatureCheck | undefined => {
  const sent = headers[HEADER];
  if (typeof sent !== 'string' || sent === '') return 'header_missing';
  const expected = Buffer.from(createHmac('sha256', secret).update(body).digest('hex'), 'latin1');
  const actual = Buffer.from(sent, 'utf8');
  // timingSafeEqual throws if the lengths differ. The length of a right signature is no secret.
  if (actual.length !== expected.length) return 'wrong_length';
  return timingSafeEqual(actual, expected) ? undefined : 'no_match';
};
