/** A PKCS#8 Ed25519 key is this prefix and 32 bytes (RFC 8410, section 7). */
const PKCS8 = '302e020100300506032b657004220420';

/**
 * The secrets with which release-before.sql was written, for that release and for the one that upgrades it. Both start with
 * the simulated provider.
 */
export const ENVIRONMENT = {
  NODE_ENV: 'development',
  PORT: '0',
  KISSAPI_ADMIN_TOKEN: 'admin-token-of-the-release-before-0123456789',
  KISSAPI_KEY_PEPPER: 'pepper-of-the-release-before-0123456789abcdef',
  KISSAPI_DATA_KEY: 'fedcba9876543210'.repeat(4),
  KISSAPI_SIGNING_KEY: Buffer.from(PKCS8 + '42'.repeat(32), 'hex').toString('base64'),
  OPENAI_API_KEY: '',
};

export type Json = Readonly<Record<string, unknown>>;

/** What the release before showed of its database when it was killed, in release-before.json. */
export type ReleaseBefore = {
  readonly commit: string;
  readonly accounts: readonly AccountBefore[];
};

export type AccountBefore = {
  /** `GET /api/accounts/{account_id}`. */
  readonly account: Json & { readonly account_id: string; readonly open_holds: readonly unknown[] };
  readonly keys: readonly KeyBefore[];
  /** `GET /v1/generation` of each generation that has ended. */
  readonly receipts: readonly Json[];
  /** The lines of `npm run replay -- <account> --json`: the events, then the summary. */
  readonly replay: readonly Json[];
};

export type KeyBefore = { readonly keyId: string; readonly secret: string; readonly state: 'works' | 'revoked' };

/** An Idempotency-Key that has been used, with the body of its request. */
export const USED_ONCE = {
  key: 'used-once',
  body: { model: 'simulated-chat', messages: [{ role: 'user', content: 'Once' }], max_tokens: 10 },
};
