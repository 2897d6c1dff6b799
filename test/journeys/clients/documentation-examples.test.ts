import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, createPremises, type Premises, type RunningGateway } from '../../support/gateway.ts';

const run = promisify(execFile);
// Not the one that other files share, whose attempts count.
let premises: Premises;
let gateway: RunningGateway;
let env: Record<string, string | undefined>;

beforeAll(async () => {
  premises = await createPremises();
  gateway = await premises.startGateway();
  // The examples of the OpenAPI document revoke a key and suspend an account.
  const [{ accountId, keyId }, { apiKey }] = [await gateway.openAccount('5.00', 'entity'), await gateway.openAccount()];
  env = {
    ...{ PATH: process.env['PATH'], KISSAPI_URL: gateway.url, KISSAPI_ADMIN_TOKEN: ADMIN_TOKEN, KISSAPI_KEY: apiKey },
    ...{ ACCOUNT_ID: accountId, KEY_ID: keyId, REQUEST_ID: 'req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d' },
  };
});

afterAll(() => premises.close());

/** Runs a command in a shell. Rejects unless the gateway answers with a 2xx status. */
const paste = async (command: string): Promise<string> => {
  const failing = command.replaceAll(/^curl /gm, 'curl --fail-with-body -sS ');
  return (await run('bash', ['-euc', failing], { env })).stdout;
};

type Operation = {
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly example: unknown } } };
};

const NEEDS_A_PAYMENT = /receipt|post .*\/refunds$|\{(refund|dispute|transaction|generation|lot)_id\}/;
/** Credits are forfeited only after a termination. */
const NEEDS_A_TERMINATION = /\/forfeit$/;

describe('the OpenAPI document', () => {
  it('has examples that succeed when sent in order', async () => {
    const document = (await (await fetch(`${gateway.url}/api/openapi.json`)).json()) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    };
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        // The routes of persons need a mail or a session, or a person.
        .filter(([, { security }]) => security.some((one) => 'adminToken' in one) && !path.includes('{person_id}'))
        // Only a member can create the token that it needs, and only persons who register are suspected duplicates.
        .filter(() => path !== '/accounts/{account_id}/tokens/{token_id}' && !path.includes('{other_id}'))
        // A contact is opened by a customer or a stranger.
        .filter(() => !path.includes('{contact_id}') && !NEEDS_A_TERMINATION.test(path))
        // These need what a customer or the payment partner does: a payment, a refund, a dispute, a charge, a debt.
        .filter(([method]) => !NEEDS_A_PAYMENT.test(`${method} ${path}`))
        .map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    );
    expect(operations.length).toBeGreaterThan(15);
    const given = new Set(Object.keys(env));
    for (const { path, method, operation } of operations) {
      const example = operation.requestBody?.content['application/json'].example;
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => env[name.toUpperCase()] ?? '');
      const response = await fetch(`${gateway.url}/api${filled}`, {
        method,
        headers: {
          authorization: `Bearer ${ADMIN_TOKEN}`,
          ...(method === 'POST' ? { 'idempotency-key': `${method} ${path}` } : {}),
          ...(example === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(example === undefined ? {} : { body: JSON.stringify(example) }),
      });
      const text = await response.text();
      expect(response.ok, `${method} ${path}: ${text}`).toBe(true);
      // What one example creates, another one names.
      for (const [name, value] of Object.entries(JSON.parse(text) as Readonly<Record<string, unknown>>)) {
        const variable = name.toUpperCase();
        const isNamed = variable.endsWith('_ID') || variable === 'DOCUMENT' || variable === 'VERSION';
        if (isNamed && typeof value === 'string' && !given.has(variable)) env[variable] = value;
      }
    }
  });
});

describe('docs/api.md', () => {
  it('has examples that succeed when pasted', async () => {
    const page = await readFile('docs/api.md', 'utf8');
    const examples = [...page.matchAll(/```sh\n([^]*?)```/g)].map(([, text = '']) => text);
    expect(examples.length).toBeGreaterThan(1);
    for (const example of examples) expect(await paste(example)).not.toBe('');
  });
});

describe('the README', () => {
  it('has a snippet that runs as a plain module and prints the answer with its cost', async () => {
    const [, snippet = ''] = /```js\n([^]*?)```/.exec(await readFile('README.md', 'utf8')) ?? [];
    const folder = await mkdtemp(join(tmpdir(), 'kissapi-snippet-'));
    await symlink(resolve('node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'hello.mjs'), snippet);
    const { stdout } = await run(process.execPath, [join(folder, 'hello.mjs')], {
      env: { PATH: env['PATH'], OPENAI_BASE_URL: `${gateway.url}/v1`, OPENAI_API_KEY: env['KISSAPI_KEY'] },
    });
    // The answer, and its exact cost in USD.
    expect(stdout).toMatch(/^\w.* 0\.\d+\n$/);
    await rm(folder, { recursive: true });
  });
});
