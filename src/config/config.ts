import {
  HOW_TO_MAKE_A_KEY,
  MAKE_A_SIGNING_KEY,
  MAX_MS,
  NOT_IN_A_HEADER,
  PRODUCTION_DRAIN_DELAY_MS,
  VISIBLE_ASCII,
  databaseUrl,
  eventStoreUrl,
  limit,
  ms,
  oldDataKeys,
  oldPeppers,
  percent,
  port,
  secret,
  secretKey,
  secretName,
  signingKey,
  usd,
  webUrl,
} from './values.ts';
import { readFileSync } from 'node:fs';
import { inputMessages } from '@kissapi/zod-messages';
import { z } from 'zod';
import type { AccountLimits } from '../domain/account/limits/limits.ts';
import { mailAddress, mailbox, smtpUrl } from './mail-settings.ts';
import { paymentVariables, paymentsOf, wrongPayments } from './payment-settings.ts';
import { publicUrl } from './public-url.ts';
import { networks } from './networks.ts';

/** Sole reader of the environment: one schema, one frozen object. */
export type Config = Omit<z.output<typeof schema>, 'upstreamsFile'> & {
  /** OpenAI-compatible servers besides the one of `OPENAI_API_KEY`, without those whose key is not set. */
  readonly upstreams: readonly UpstreamConfig[];
  /** All names of the file, also of those without a key, so that a typo is found at the start. */
  readonly upstreamNames: readonly string[];
};

export type UpstreamConfig = {
  readonly name: string;
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly outputLimitField: 'max_tokens' | 'max_completion_tokens';
  /** The wire format of the server. */
  readonly dialect: 'openai' | 'anthropic' | 'gemini';
  /** Whether a server with OpenAI's wire format also has its Responses endpoint. */
  readonly responses: boolean;
};

const newAccountLimits = (env: {
  readonly NEW_ACCOUNT_REQUESTS_PER_MINUTE: number;
  readonly NEW_ACCOUNT_CONCURRENT_REQUESTS: number;
  readonly NEW_ACCOUNT_USD_PER_DAY: bigint;
}): AccountLimits => {
  const [requestsPerMinute, concurrentRequests, day] = [
    ...([env.NEW_ACCOUNT_REQUESTS_PER_MINUTE, env.NEW_ACCOUNT_CONCURRENT_REQUESTS] as const),
    env.NEW_ACCOUNT_USD_PER_DAY,
  ];
  return {
    ...(requestsPerMinute > 0 ? { requestsPerMinute } : {}),
    ...(concurrentRequests > 0 ? { concurrentRequests } : {}),
    ...(day > 0n ? { spending: { day } } : {}),
  };
};

const schema = z
  .object({
    NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
    HOST: z.string().default('127.0.0.1'),
    PORT: port.default(8080),
    PUBLIC_URL: publicUrl.optional(),
    TRUSTED_PROXIES: networks.default([]),
    KISSAPI_DATA: z.string().min(1).default('./.kissapi'),
    DATABASE_URL: databaseUrl.optional(),
    EVENT_STORE_URL: eventStoreUrl.optional(),
    KISSAPI_ADMIN_TOKEN: secret.regex(VISIBLE_ASCII, NOT_IN_A_HEADER).optional(),
    KISSAPI_KEY_PEPPER: secret.optional(),
    KISSAPI_KEY_PEPPER_ID: secretName.default('1'),
    KISSAPI_KEY_PEPPERS_OLD: oldPeppers.default(new Map()),
    KISSAPI_SIGNING_KEY: signingKey.optional(),
    KISSAPI_DATA_KEY: secretKey.optional(),
    KISSAPI_DATA_KEY_ID: secretName.default('1'),
    KISSAPI_DATA_KEYS_OLD: oldDataKeys.default(new Map()),
    KISSAPI_SIMULATED: z.enum(['on', 'off']).optional(),
    KISSAPI_UPSTREAMS: z.string().min(1).optional(),
    KISSAPI_LOG: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    SMTP_URL: smtpUrl.optional(),
    MAIL_FROM: mailbox.optional(),
    SUPPORT_EMAIL: mailAddress.optional(),
    SUPPORT_URL: webUrl.optional(),
    TERMS_AFTER_FAILED_NOTICE: z.enum(['use', 'explicit']).default('use'),
    ...paymentVariables,
    GRANT_NEEDS_SECOND_PERSON_USD: usd.default(100_000_000_000n),
    PRICE_MARGIN_PERCENT: percent.default(0n),
    OPENAI_API_KEY: z.string().regex(VISIBLE_ASCII, NOT_IN_A_HEADER).optional(),
    OPENAI_UPSTREAM_URL: webUrl.default('https://api.openai.com/v1'),
    NEW_ACCOUNT_REQUESTS_PER_MINUTE: limit.default(600),
    NEW_ACCOUNT_CONCURRENT_REQUESTS: limit.default(50),
    NEW_ACCOUNT_USD_PER_DAY: usd.default(100_000_000_000n),
    UPSTREAM_FIRST_BYTE_TIMEOUT_MS: ms.default(120_000),
    UPSTREAM_IDLE_TIMEOUT_MS: ms.default(120_000),
    MAX_STREAM_MS: ms.default(60 * 60_000),
    USAGE_AFTER_LEAVING_MS: z.coerce.number().int().min(0).max(MAX_MS).default(2000),
    KEEP_ALIVE_COMMENT_MS: ms.default(12_000),
    SLOW_READER_TIMEOUT_MS: ms.default(60_000),
    DRAIN_DELAY_MS: z.coerce.number().int().min(0).max(MAX_MS).optional(),
    DRAIN_TIMEOUT_MS: ms.default(20_000),
    DATABASE_WAIT_MS: z.coerce.number().int().min(0).max(MAX_MS).default(30_000),
    SELF_AUDIT_EVERY_MS: z.coerce.number().int().min(0).max(MAX_MS).default(1000),
    MAX_BODY_BYTES: z.coerce
      .number()
      .int()
      .positive()
      .default(20 * 1024 * 1024),
    MAX_BODY_MEMORY_BYTES: z.coerce.number().int().positive().optional(),
  })
  .superRefine((env, context) => {
    for (const [name, message] of wrongPayments(env)) context.addIssue({ code: 'custom', path: [name], message });
  })
  .transform((env) => ({
    production: env.NODE_ENV === 'production',
    host: env.HOST,
    port: env.PORT,
    /** Undefined: http://localhost with the port. */
    publicUrl: env.PUBLIC_URL,
    /** Proxies whose X-Forwarded-For names the client. */
    trustedProxies: env.TRUSTED_PROXIES,
    dataDir: env.KISSAPI_DATA,
    databaseUrl: env.DATABASE_URL,
    /** EventStoreDB, which then commits the log. Undefined: PostgreSQL commits it. */
    eventStoreUrl: env.EVENT_STORE_URL,
    adminToken: env.KISSAPI_ADMIN_TOKEN,
    keyPepper: env.KISSAPI_KEY_PEPPER,
    keyPepperId: env.KISSAPI_KEY_PEPPER_ID,
    /** By id, newest first: accepted, but not used for new keys. */
    keyPeppersOld: env.KISSAPI_KEY_PEPPERS_OLD,
    signingKey: env.KISSAPI_SIGNING_KEY,
    dataKey: env.KISSAPI_DATA_KEY,
    dataKeyId: env.KISSAPI_DATA_KEY_ID,
    dataKeysOld: env.KISSAPI_DATA_KEYS_OLD,
    simulated: (env.KISSAPI_SIMULATED ?? (env.NODE_ENV === 'production' ? 'off' : 'on')) === 'on',
    upstreamsFile: env.KISSAPI_UPSTREAMS,
    logLevel: env.KISSAPI_LOG,
    /** Undefined: nothing is sent. */
    smtp: env.SMTP_URL,
    mailFrom: env.MAIL_FROM,
    supportEmail: env.SUPPORT_EMAIL,
    /** Undefined: the gateway's own page /contact. */
    supportUrl: env.SUPPORT_URL,
    /** Whether a holder must accept new terms explicitly if the notice about them could not be delivered. */
    acceptAfterFailedNotice: env.TERMS_AFTER_FAILED_NOTICE === 'explicit',
    /** Larger grants need a second person. */
    grantAlone: env.GRANT_NEEDS_SECOND_PERSON_USD,
    payments: paymentsOf(env),
    /** The margin of proposed prices over the cost. */
    priceMargin: env.PRICE_MARGIN_PERCENT,
    /** Of accounts that persons open themselves. */
    newAccountLimits: newAccountLimits(env),
    // Customers put a key of this gateway into this variable; it is not a provider's.
    openAiKey: env.OPENAI_API_KEY?.startsWith('kiss_') ? undefined : env.OPENAI_API_KEY,
    openAiUrl: env.OPENAI_UPSTREAM_URL,
    firstByteTimeoutMs: env.UPSTREAM_FIRST_BYTE_TIMEOUT_MS,
    idleTimeoutMs: env.UPSTREAM_IDLE_TIMEOUT_MS,
    /** The longest duration of one call to an upstream. */
    maxStreamMs: env.MAX_STREAM_MS,
    /** How long to wait for the usage of a model that may hide its reasoning, after the client disconnected. */
    usageAfterLeavingMs: env.USAGE_AFTER_LEAVING_MS,
    /** The silence after which a stream sends a comment. */
    commentAfterMs: env.KEEP_ALIVE_COMMENT_MS,
    /** How long a client may read nothing although data is available. */
    slowReaderMs: env.SLOW_READER_TIMEOUT_MS,
    /** How long a stopping gateway is not ready but still serves, so that a load balancer notices. */
    drainDelayMs: env.DRAIN_DELAY_MS ?? (env.NODE_ENV === 'production' ? PRODUCTION_DRAIN_DELAY_MS : 0),
    drainTimeoutMs: env.DRAIN_TIMEOUT_MS,
    /** How long each step of the start waits for the database; 0: not at all. */
    databaseWaitMs: env.DATABASE_WAIT_MS,
    /** How often an account is compared with its rows; 0: never. */
    selfAuditEveryMs: env.SELF_AUDIT_EVERY_MS,
    maxBodyBytes: env.MAX_BODY_BYTES,
    /** Undefined: a default that depends on `maxBodyBytes`. */
    maxBodyMemoryBytes: env.MAX_BODY_MEMORY_BYTES,
  }))
  .superRefine((config, context) => {
    const rotated = [
      ['KISSAPI_KEY_PEPPERS_OLD', config.keyPeppersOld, 'KISSAPI_KEY_PEPPER_ID', config.keyPepperId],
      ['KISSAPI_DATA_KEYS_OLD', config.dataKeysOld, 'KISSAPI_DATA_KEY_ID', config.dataKeyId],
    ] as const;
    for (const [variable, old, newest, id] of rotated) {
      if (!old.has(id)) continue;
      const message = `has the id ${id}, which is the id of the newest one: set ${newest} to another`;
      context.addIssue({ code: 'custom', path: [variable], message });
    }
  })
  .superRefine((config, context) => {
    if (config.smtp && !config.mailFrom) {
      const message = 'is required with SMTP_URL, such as Example <no-reply@example.com>';
      context.addIssue({ code: 'custom', path: ['MAIL_FROM'], message });
    }
    if (!config.production) return;
    const required = {
      DATABASE_URL: config.databaseUrl,
      KISSAPI_ADMIN_TOKEN: config.adminToken,
      KISSAPI_KEY_PEPPER: config.keyPepper,
    };
    for (const [name, value] of Object.entries(required)) {
      if (value === undefined) context.addIssue({ code: 'custom', path: [name], message: 'is required in production' });
    }
    if (config.publicUrl?.startsWith('https:') === false) {
      context.addIssue({ code: 'custom', path: ['PUBLIC_URL'], message: 'must begin with https:// in production' });
    }
    if (!config.signingKey) {
      const message = `is required in production; ${MAKE_A_SIGNING_KEY}`;
      context.addIssue({ code: 'custom', path: ['KISSAPI_SIGNING_KEY'], message });
    }
    if (config.dataKey === undefined) {
      const message = `is required in production: ${HOW_TO_MAKE_A_KEY}`;
      context.addIssue({ code: 'custom', path: ['KISSAPI_DATA_KEY'], message });
    }
  });

const upstreamsSchema = z.strictObject({
  upstreams: z.array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 lower-case letters, digits or -'),
      baseUrl: webUrl,
      /** The variable that holds the key, so that the file itself holds no secret. */
      apiKeyEnv: z.string().min(1),
      outputLimitField: z.enum(['max_tokens', 'max_completion_tokens']).default('max_tokens'),
      dialect: z.enum(['openai', 'anthropic', 'gemini']).default('openai'),
      responses: z.boolean().default(false),
    }),
  ),
});

const readUpstreams = (file: string, env: NodeJS.ProcessEnv): Pick<Config, 'upstreams' | 'upstreamNames'> => {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new InvalidConfig(`KISSAPI_UPSTREAMS: ${file} cannot be read as JSON`, { cause });
  }
  const parsed = upstreamsSchema.safeParse(json, { error: inputMessages });
  if (!parsed.success) throw new InvalidConfig(`KISSAPI_UPSTREAMS: ${file}:\n${z.prettifyError(parsed.error)}`);
  const upstreams = parsed.data.upstreams.flatMap(({ apiKeyEnv, ...upstream }) => {
    const apiKey = env[apiKeyEnv];
    if (apiKey === undefined || apiKey === '') return [];
    if (!VISIBLE_ASCII.test(apiKey)) throw new InvalidConfig(`${apiKeyEnv}: ${NOT_IN_A_HEADER}`);
    return [{ ...upstream, apiKey }];
  });
  return { upstreams, upstreamNames: parsed.data.upstreams.map(({ name }) => name) };
};

/** Fault: the environment is invalid. The message names each variable and the expected value. */
export class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig';
}

/** An empty variable counts as unset, as a shell's `VAR= command` means it. */
const parsed = <T>(variables: z.ZodType<T>, env: NodeJS.ProcessEnv): T => {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const result = variables.safeParse(set, { error: inputMessages });
  if (result.success) return result.data;
  const lines = result.error.issues.map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  throw new InvalidConfig(`The configuration is invalid:\n${lines.join('\n')}`);
};

export const readConfig = (env: NodeJS.ProcessEnv = process.env): Config => {
  const { upstreamsFile, ...config } = parsed(schema, env);
  const named = upstreamsFile === undefined ? { upstreams: [], upstreamNames: [] } : readUpstreams(upstreamsFile, env);
  return Object.freeze({ ...config, ...named });
};

/** Whether the environment is that of production, for a command that must not run there. */
export const isProduction = (env: NodeJS.ProcessEnv = process.env): boolean => env['NODE_ENV'] === 'production';

/** The configuration of a command, which does not require the secrets of production. */
export const readCommandConfig = (env: NodeJS.ProcessEnv = process.env): Config =>
  readConfig({ ...env, NODE_ENV: 'development' });

const eventStoreUrls = z
  .object({ EVENT_STORE_URL: eventStoreUrl.optional(), EVENT_STORE_ADMIN_URL: eventStoreUrl.optional() })
  .transform((env) => ({ url: env.EVENT_STORE_URL, adminUrl: env.EVENT_STORE_ADMIN_URL }));

/** Addresses of EventStoreDB for the command that prepares it: as the gateways use it, and with an administrator. */
export const readEventStoreUrls = (env: NodeJS.ProcessEnv = process.env): z.output<typeof eventStoreUrls> =>
  parsed(eventStoreUrls, env);
