import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, type RunningGateway } from '../support/gateway.ts';
import { sharedHouse } from '../support/house.ts';

const run = promisify(execFile);
let gateway: RunningGateway;
let env: Record<string, string | undefined>;

beforeAll(async () => {
  ({ gateway } = await sharedHouse());
  // The examples of the API page revoke a key and suspend an account.
  const [{ accountId, keyId }, { apiKey }] = [await gateway.openAccount(), await gateway.openAccount()];
  env = {
    ...{ PATH: process.env['PATH'], KISSAPI_URL: gateway.url, KISSAPI_ADMIN_TOKEN: ADMIN_TOKEN, KISSAPI_KEY: apiKey },
    ...{ ACCOUNT_ID: accountId, KEY_ID: keyId, REQUEST_ID: 'req_0198f3c2-7b1e-7c3a-9d52-4f6e8a1b2c3d' },
  };
});

/** Runs a command in a shell. Rejects unless the gateway answers with a 2xx status. */
const paste = async (command: string): Promise<string> => {
  const failing = command.replaceAll(/^curl /gm, 'curl --fail-with-body -sS ');
  return (await run('bash', ['-euc', failing], { env })).stdout;
};

describe('the API page', () => {
  it('has examples that succeed when pasted in order', async () => {
    const html = await (await fetch(`${gateway.url}/api/docs`)).text();
    for (const name of ['KISSAPI_URL', 'KISSAPI_ADMIN_TOKEN', 'ACCOUNT_ID', 'KEY_ID', 'REQUEST_ID'])
      expect(html).toContain(name);
    expect(html).toContain('export KISSAPI_URL=http://localhost:8080');
    const examples = [...html.matchAll(/<pre>(curl [^]*?)<\/pre>/g)].map(([, text = '']) =>
      text
        .replaceAll('&quot;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&amp;', '&'),
    );
    expect(examples.length).toBeGreaterThan(15);
    for (const example of examples) {
      const answer = await paste(example).catch((error: unknown) => expect.fail(`${example}\n${String(error)}`));
      expect(JSON.parse(answer)).toEqual(expect.any(Object));
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
