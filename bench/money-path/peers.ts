import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Stage } from '../support/stage.ts';
import { print } from '../support/table.ts';
import type { Target } from '../support/targets.ts';

const PORTKEY = '1.15.2';
const PACKAGE = {
  private: true,
  dependencies: { '@portkey-ai/gateway': PORTKEY },
  // With a newer version, which its range allows, every stream ends with 500.
  overrides: { '@hono/node-server': '1.3.3' },
};
const INSTALLED_WITHIN_MS = 120_000;

/**
 * Portkey's gateway, which routes and keeps no ledger, in front of the same provider and on the same Node.js. It is installed
 * from npm into a temporary directory. If that fails, prints the reason and returns undefined.
 */
export const startPortkey = async (stage: Stage, upstream: Target): Promise<Target | undefined> => {
  const directory = await stage.directory();
  await writeFile(join(directory, 'package.json'), JSON.stringify(PACKAGE));
  const how = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--fetch-retries=1'];
  try {
    const limits = { timeout: INSTALLED_WITHIN_MS, signal: stage.signal };
    await promisify(execFile)('npm', [...how, '--prefix', directory], limits);
  } catch (error) {
    stage.signal.throwIfAborted();
    const { stderr = '' } = error as { stderr?: string };
    const reason = stderr.trim().split('\n')[0] || 'npm is missing or too slow';
    print(`Portkey's gateway is skipped, because npm did not install version ${PORTKEY}: ${reason}`);
    return undefined;
  }
  const { said, pid } = await stage.start(
    join(directory, 'node_modules/@portkey-ai/gateway/build/start-server.js'),
    ['--headless', '--port=0'],
    {
      NODE_ENV: 'production',
      // By default it listens on all interfaces.
      NODE_OPTIONS: `--import=${new URL('loopback-only.ts', import.meta.url).href}`,
    },
    /listening at (\S+)[^]*Ready/,
  );
  return {
    name: `portkey ${PORTKEY}`,
    url: `${said}/v1`,
    headers: {
      authorization: 'Bearer bench',
      'content-type': 'application/json',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': upstream.url,
    },
    pid,
  };
};
