import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidConfig, readCommandConfig, readConfig } from '../../src/config/config.ts';

const SECRET = 's'.repeat(32);
const { privateKey } = generateKeyPairSync('ed25519');
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://localhost/kissapi',
  KISSAPI_ADMIN_TOKEN: SECRET,
  KISSAPI_KEY_PEPPER: SECRET,
  KISSAPI_SIGNING_KEY: PEM,
  KISSAPI_DATA_KEY: 'd'.repeat(64),
};

const complaint = (env: Record<string, string>): string => {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidConfig);
    return (error as Error).message;
  }
  throw new Error('It was taken.');
};

describe('the configuration', () => {
  it('needs nothing on a fresh machine', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      production: false,
      host: '127.0.0.1',
      port: 8080,
      dataDir: './.kissapi',
      simulated: true,
      openAiKey: undefined,
      openAiUrl: 'https://api.openai.com/v1',
      upstreams: [],
      upstreamNames: [],
    });
    expect(config.databaseUrl).toBeUndefined();
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('takes an empty variable for none', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '', OPENAI_API_KEY: '' })).toMatchObject({ port: 8080 });
  });

  it('reads what is said', () => {
    const said = { PORT: '0', UPSTREAM_IDLE_TIMEOUT_MS: '500', OPENAI_API_KEY: 'sk-1', MAX_BODY_BYTES: '1000' };
    expect(readConfig(said)).toMatchObject({ port: 0, idleTimeoutMs: 500, openAiKey: 'sk-1', maxBodyBytes: 1000 });
  });

  it('limits new accounts, unless a limit is 0', () => {
    expect(readConfig({}).newAccountLimits).toEqual({
      ...{ requestsPerMinute: 600, concurrentRequests: 50, spending: { day: 100_000_000_000n } },
    });
    const none = { NEW_ACCOUNT_REQUESTS_PER_MINUTE: '0', NEW_ACCOUNT_CONCURRENT_REQUESTS: '0' };
    expect(readConfig({ ...none, NEW_ACCOUNT_USD_PER_DAY: '0' }).newAccountLimits).toEqual({});
    expect(readConfig({ ...none, NEW_ACCOUNT_USD_PER_DAY: '2.50' }).newAccountLimits).toEqual({
      spending: { day: 2_500_000_000n },
    });
  });

  const creem = { CREEM_API_KEY: 'creem_test_1', CREEM_WEBHOOK_SECRET: 'whsec_1', CREEM_PRODUCT_ID: 'prod_1' };
  it('simulates payments in development, unless Creem is configured', () => {
    expect(readConfig({}).payments.partner).toEqual({ kind: 'simulated' });
    expect(readConfig({ KISSAPI_SIMULATED_PAYMENTS: 'off' }).payments.partner).toEqual({ kind: 'none' });
    expect(readConfig(creem).payments.partner).toMatchObject({
      ...{ kind: 'creem', isTest: true, url: 'https://test-api.creem.io' },
    });
    expect(readConfig({ ...creem, CREEM_API_KEY: 'creem_1' }).payments.partner).toMatchObject({
      ...{ isTest: false, url: 'https://api.creem.io' },
    });
  });

  it('names what is missing for Creem', () => {
    expect(complaint({ CREEM_API_KEY: 'creem_1' })).toContain('CREEM_WEBHOOK_SECRET: is required with CREEM_API_KEY');
  });

  it.each(['whsec_1\n', ' whsec_1', '  '])(
    'refuses a secret of the webhook with blanks, which signs nothing: %j',
    (secret) => {
      expect(complaint({ ...creem, CREEM_WEBHOOK_SECRET: secret })).toContain('CREEM_WEBHOOK_SECRET: must consist of');
    },
  );

  it('refuses a test key of Creem in production, unless simulated payments are asked for', () => {
    const production = { ...creem, NODE_ENV: 'production' };
    expect(complaint(production)).toContain('CREEM_API_KEY: is a test key');
    expect(complaint({ ...production, KISSAPI_SIMULATED_PAYMENTS: 'on' })).not.toContain('CREEM_API_KEY');
  });

  it.each([
    ['NEW_ACCOUNT_REQUESTS_PER_MINUTE', '-1'],
    ['NEW_ACCOUNT_USD_PER_DAY', '-1'],
    ['NEW_ACCOUNT_USD_PER_DAY', '1e3'],
    ['PORT', '65536'],
    ['PORT', '8080x'],
    ['GRANT_NEEDS_SECOND_PERSON_USD', 'many'],
    ['GRANT_NEEDS_SECOND_PERSON_USD', '-1'],
    ['PRICE_MARGIN_PERCENT', '-1'],
    ['PRICE_MARGIN_PERCENT', '12.34567'],
    ['PRICE_MARGIN_PERCENT', 'much'],
    ['CREEM_API_KEY', 'sk_live_1'],
    ['CREEM_API_URL', 'ftp://example.com'],
    ['CREEM_WEBHOOK_SECRET', 'whsec'],
    ['TOP_UP_LEAST_USD', '0.005'],
    ['TOP_UP_MOST_USD', '1'],
    ['TOP_UP_PRESETS_USD', '10;25'],
    ['TOP_UP_PRESETS_USD', '10,2000'],
    ['KISSAPI_SIMULATED_PAYMENTS', 'yes'],
    ['PORT', '-1'],
    ['DATABASE_URL', 'mysql://localhost/x'],
    ['DATABASE_URL', 'localhost'],
    ['DATABASE_URL', 'postgres://one,two/x'],
    ['DATABASE_WAIT_MS', '-1'],
    ['KISSAPI_ADMIN_TOKEN', 'short'],
    ['KISSAPI_ADMIN_TOKEN', ' '.repeat(40)],
    ['KISSAPI_ADMIN_TOKEN', '\t'.repeat(40)],
    ['KISSAPI_ADMIN_TOKEN', '\u00a0'.repeat(40)],
    ['KISSAPI_ADMIN_TOKEN', `${' '.repeat(20)}${SECRET.slice(12)}`],
    ['KISSAPI_ADMIN_TOKEN', `${SECRET} with blanks`],
    ['KISSAPI_ADMIN_TOKEN', 'é'.repeat(40)],
    ['KISSAPI_KEY_PEPPER', ' '.repeat(40)],
    ['KISSAPI_KEY_PEPPER', `${' '.repeat(20)}${SECRET.slice(12)}`],
    ['KISSAPI_KEY_PEPPER', `${SECRET.slice(1)}\n`],
    ['KISSAPI_DATA_KEY', ' '.repeat(64)],
    ['KISSAPI_SIGNING_KEY', ' '.repeat(64)],
    ['OPENAI_API_KEY', ' '.repeat(40)],
    ['OPENAI_API_KEY', 'sk-1\n'],
    ['KISSAPI_KEY_PEPPER', 'short'],
    ['KISSAPI_KEY_PEPPER_ID', 'two words'],
    ['KISSAPI_KEY_PEPPERS_OLD', 'short'],
    ['KISSAPI_KEY_PEPPERS_OLD', '0=short'],
    ['KISSAPI_KEY_PEPPERS_OLD', `0=${SECRET}, 0=${SECRET}`],
    ['KISSAPI_KEY_PEPPERS_OLD', `1=${SECRET}`],
    ['KISSAPI_DATA_KEYS_OLD', '0=short'],
    ['KISSAPI_DATA_KEYS_OLD', `1=${'d'.repeat(64)}`],
    ['KISSAPI_SIGNING_KEY', 'short'],
    ['KISSAPI_DATA_KEY', 'short'],
    ['KISSAPI_DATA_KEY', 'd'.repeat(63)],
    ['KISSAPI_DATA_KEY', Buffer.alloc(33).toString('base64')],
    ['KISSAPI_DATA_KEY_ID', 'two words'],
    ['KISSAPI_SIMULATED', 'yes'],
    ['KISSAPI_LOG', 'loud'],
    ['NODE_ENV', 'staging'],
    ['OPENAI_UPSTREAM_URL', 'ftp://example.com'],
    ['UPSTREAM_IDLE_TIMEOUT_MS', '0'],
    ['UPSTREAM_IDLE_TIMEOUT_MS', '9999999999'],
    ['DRAIN_TIMEOUT_MS', '1.5'],
    ['MAX_BODY_BYTES', '1e999'],
  ])('names %s where it is %s', (name, value) => {
    const message = complaint({ [name]: value });
    expect(message).toContain(name);
    expect(message).not.toMatch(/Invalid (input|option|string|URL)|Too (big|small)|expected/);
    // What is wrong with a secret is told without it.
    for (const secret of ['short', SECRET]) if (value.includes(secret)) expect(message).not.toContain(secret);
  });

  it('names all that is wrong at once', () => {
    const message = complaint({ PORT: 'x', KISSAPI_LOG: 'y' });
    expect(message).toContain('PORT');
    expect(message).toContain('KISSAPI_LOG');
  });

  it('wants its secrets and a database in production, and sells nothing simulated there', () => {
    expect(readConfig(production)).toMatchObject({ production: true, simulated: false });
    expect(readConfig({ ...production, KISSAPI_SIMULATED: 'on' }).simulated).toBe(true);
    const message = complaint({ NODE_ENV: 'production' });
    for (const name of [
      'DATABASE_URL',
      'KISSAPI_ADMIN_TOKEN',
      'KISSAPI_KEY_PEPPER',
      'KISSAPI_DATA_KEY',
      'KISSAPI_SIGNING_KEY',
    ]) {
      expect(message).toContain(name);
    }
    expect(message).toContain('openssl genpkey -algorithm ed25519');
    expect(message).toContain('openssl rand -base64 32');
    expect(readConfig({ KISSAPI_SIMULATED: 'off' }).simulated).toBe(false);
  });

  it.each([
    ['0', 0n],
    ['20', 200_000n],
    ['12.5', 125_000n],
    ['0.0001', 1n],
  ])('reads PRICE_MARGIN_PERCENT %s as parts per million', (text, priceMargin) => {
    expect(readConfig({ PRICE_MARGIN_PERCENT: text }).priceMargin).toBe(priceMargin);
    expect(readConfig({}).priceMargin).toBe(0n);
  });

  it.each([
    ['http://localhost:8080', 'http://localhost:8080'],
    ['https://API.Example.com/', 'https://api.example.com'],
    ['https://example.com/ai/', 'https://example.com/ai'],
  ])('reads PUBLIC_URL %s', (text, publicUrl) => {
    expect(readConfig({ PUBLIC_URL: text }).publicUrl).toBe(publicUrl);
  });

  it.each([
    ['example.com', /must be a URL/],
    ['ftp://example.com', /must be a URL/],
    ['https://', /must be a URL/],
    ['https://example.com/../x', /path segments/],
    ['https://example.com/a/..', /path segments/],
    ['https://example.com/%2E%2e/x', /path segments/],
    ['https://example.com\\x', /path segments/],
    ['https://user:password@example.com', /user name/],
    ['https://example.com?a=b', /query/],
    ['https://example.com#a', /query/],
  ])('refuses PUBLIC_URL %s', (text, why) => {
    const message = complaint({ PUBLIC_URL: text });
    expect(message).toMatch(/PUBLIC_URL: must /);
    expect(message).toMatch(why);
    expect(message).not.toContain('password@');
  });

  it('requires https of PUBLIC_URL in production', () => {
    expect(complaint({ ...production, PUBLIC_URL: 'http://example.com' })).toContain(
      'PUBLIC_URL: must begin with https:// in production',
    );
    const url = 'https://example.com';
    expect(readConfig({ ...production, PUBLIC_URL: url }).publicUrl).toBe(url);
  });

  it.each([
    ['PEM', PEM],
    ['PEM in base64', Buffer.from(PEM).toString('base64')],
    ['DER in base64', privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64')],
  ])('takes the signing key as %s', (_, text) => {
    const { signingKey } = readConfig({ KISSAPI_SIGNING_KEY: text });
    expect(signingKey?.equals(privateKey)).toBe(true);
  });

  it('signs with Ed25519 and nothing else', () => {
    const rsa = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const message = complaint({ KISSAPI_SIGNING_KEY: rsa.export({ type: 'pkcs8', format: 'pem' }).toString() });
    expect(message).toMatch(/KISSAPI_SIGNING_KEY: is not an Ed25519 private key/);
  });

  it('asks no secret of a command beside the gateway', () => {
    const { NODE_ENV, DATABASE_URL } = production;
    expect(readCommandConfig({ NODE_ENV, DATABASE_URL }).databaseUrl).toBe(DATABASE_URL);
    expect(() => readCommandConfig({ KISSAPI_DATA_KEY: 'short' })).toThrow('KISSAPI_DATA_KEY');
  });

  it('takes the master key as people write it, and shows it to nobody', () => {
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, n) => 255 - n));
    const [hex, base64, base64url] = (['hex', 'base64', 'base64url'] as const).map((code) => bytes.toString(code));
    for (const text of [hex, hex?.toUpperCase(), base64, base64url]) {
      const config = readConfig({ KISSAPI_DATA_KEY: text });
      expect(config.dataKey?.export()).toEqual(bytes);
      expect(
        inspect(config) +
          JSON.stringify(config, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
      ).not.toContain(text);
    }
    expect(readConfig({})).toMatchObject({ dataKey: undefined, dataKeyId: '1' });
    const named = readConfig({ KISSAPI_DATA_KEY: hex, KISSAPI_DATA_KEY_ID: '2027' });
    expect(named.dataKeyId).toBe('2027');
  });

  it("does not take a customer's key for a provider's, which a shell with both may hold", () => {
    expect(readConfig({ OPENAI_API_KEY: 'kiss_test_abc' }).openAiKey).toBeUndefined();
  });
});

describe('other upstreams', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kissapi-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const file = async (content: unknown): Promise<string> => {
    const path = join(folder, 'upstreams.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const groq = { name: 'groq', baseUrl: 'https://api.groq.com/openai/v1', apiKeyEnv: 'GROQ_API_KEY' };

  it('are those whose key is set', async () => {
    const path = await file({ upstreams: [groq, { ...groq, name: 'other', apiKeyEnv: 'NOT_SET' }] });
    expect(readConfig({ KISSAPI_UPSTREAMS: path, GROQ_API_KEY: 'gsk' }).upstreams).toEqual([
      {
        ...{ name: 'groq', baseUrl: groq.baseUrl, apiKey: 'gsk', outputLimitField: 'max_tokens' },
        ...{ dialect: 'openai', responses: false },
      },
    ]);
    expect(complaint({ KISSAPI_UPSTREAMS: path, GROQ_API_KEY: ' '.repeat(40) })).toContain('GROQ_API_KEY');
    const none = readConfig({ KISSAPI_UPSTREAMS: path, GROQ_API_KEY: '' });
    expect(none).toMatchObject({ upstreams: [], upstreamNames: ['groq', 'other'] });
  });

  it.each([
    ['no JSON', '{'],
    ['another shape', { groq: {} }],
    ['a name with spaces', { upstreams: [{ ...groq, name: 'two words' }] }],
    ['no URL', { upstreams: [{ ...groq, baseUrl: 'api.groq.com' }] }],
    ['a key that stands there itself', { upstreams: [{ ...groq, apiKey: 'gsk' }] }],
  ])('are told where the file is wrong: %s', async (_name, content) => {
    const path = await file(content);
    const message = complaint({ KISSAPI_UPSTREAMS: path });
    expect(message).toContain('KISSAPI_UPSTREAMS');
    expect(message).toContain(path);
    expect(message).not.toContain('gsk');
  });

  it('are told where there is no file', () => {
    expect(complaint({ KISSAPI_UPSTREAMS: join(folder, 'none.json') })).toContain('none.json');
  });
});

describe('older secrets', () => {
  it.each([',', ', ', ' ', '\n'])('are pairs of id and secret, separated by %j, the newest first', (separator) => {
    const peppers = ['2026-07=first-first-first-first-first-first,=', `old_1=${SECRET}`].join(separator);
    expect([...readConfig({ KISSAPI_KEY_PEPPERS_OLD: peppers }).keyPeppersOld]).toEqual([
      ['2026-07', 'first-first-first-first-first-first,='],
      ['old_1', SECRET],
    ]);
  });

  it('are keys of 32 bytes for personal data', () => {
    const key = Buffer.alloc(32, 7);
    const old = `0=${key.toString('base64')},x=${'e'.repeat(64)}`;
    const { dataKeysOld } = readConfig({ KISSAPI_DATA_KEYS_OLD: old });
    expect([...dataKeysOld].map(([id, secret]) => [id, secret.export().toString('hex')])).toEqual([
      ['0', key.toString('hex')],
      ['x', 'e'.repeat(64)],
    ]);
  });

  it('are none by default', () => {
    expect(readConfig({}).keyPeppersOld.size).toBe(0);
    expect(readConfig({}).dataKeysOld.size).toBe(0);
  });
});

describe('the settings of mail', () => {
  const smtp = (SMTP_URL: string) => readConfig({ SMTP_URL, MAIL_FROM: 'Example <no-reply@example.com>' }).smtp;

  it('name a server, with TLS unless it is on this machine', () => {
    expect(smtp('smtps://user%40example.com:p%2Fw@smtp.example.com')).toEqual({
      ...{ host: 'smtp.example.com', port: 465, secure: true, requireTls: true },
      auth: { user: 'user@example.com', pass: 'p/w' },
    });
    expect(smtp('smtp://smtp.example.com')).toMatchObject({ port: 587, secure: false, requireTls: true });
    expect(smtp('smtp://smtp.example.com:25?requireTLS=false')).toMatchObject({ port: 25, requireTls: false });
    expect(smtp('smtp://127.0.0.1:2525')).toMatchObject({ host: '127.0.0.1', port: 2525, requireTls: false });
    expect(smtp('smtp://[::1]:2525')).toMatchObject({ host: '::1', requireTls: false });
  });

  it.each([
    'smtp.example.com',
    'https://smtp.example.com',
    'smtp://',
    'smtp://user:%zz@smtp.example.com',
    'smtp://smtp.example.com/path',
    'smtp://smtp.example.com?tls.rejectUnauthorized=false',
    'smtp://smtp.example.com?requireTLS=maybe',
    'smtp://smtp.example.com:99999',
  ])('refuse the server %s', (url) => {
    const message = complaint({ SMTP_URL: url, MAIL_FROM: 'no-reply@example.com' });
    expect(message).toContain('SMTP_URL');
    expect(message).not.toContain('%zz');
  });

  it('name a sender, with or without a name', () => {
    const from = (MAIL_FROM: string) => readConfig({ MAIL_FROM }).mailFrom;
    expect(from('Example Inc. <no-reply@example.com>')).toEqual({
      ...{ name: 'Example Inc.', address: 'no-reply@example.com' },
    });
    expect(from('no-reply@example.com')).toEqual({ name: '', address: 'no-reply@example.com' });
  });

  it('refuse a sender or a support address that is not an address, and a server without a sender', () => {
    for (const MAIL_FROM of ['Example', 'Example <example>', 'a@b.com\r\nBcc: c@d.com', 'A <a@b.com> <c@d.com>']) {
      expect(complaint({ MAIL_FROM })).toContain('MAIL_FROM');
    }
    expect(complaint({ SUPPORT_EMAIL: 'support' })).toContain('SUPPORT_EMAIL');
    expect(complaint({ SUPPORT_URL: 'mailto:support@example.com' })).toContain('SUPPORT_URL');
    expect(complaint({ SMTP_URL: 'smtp://localhost' })).toContain('MAIL_FROM: is required with SMTP_URL');
  });
});
