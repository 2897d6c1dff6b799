import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SignatureCheck, WebhookHeaders } from '../partner.ts';

/**
 * The only header that counts. Creem's SDK also accepts Standard Webhooks headers, so that the sender chooses the check, and
 * ends with an error at secrets that are not base64.
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
