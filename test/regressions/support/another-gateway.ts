import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import { untilKnown } from '../../support/nodes/known.ts';
import { createScriptedUpstream } from '../../support/scripted-upstream.ts';
import { nanoUsd, type Nano, type Prices } from '../../support/money.ts';
import { withoutPath } from './customers.ts';
import type { Target } from './target.ts';

const run = async (command: string, argument = ''): Promise<string> =>
  (await promisify(exec)(`${command} ${argument}`)).stdout.trim();

/** A gateway that runs already: see regressions.md. A capability that is not configured counts as missing. */
export const anotherGateway = async (env: NodeJS.ProcessEnv): Promise<Target> => {
  const required = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`${name} is required if REGRESSION_BASE_URL is set: see regressions.md.`);
    return value;
  };
  const base = required('REGRESSION_BASE_URL');
  const open = required('REGRESSION_OPEN');
  const balanceOf = required('REGRESSION_BALANCE');
  const prices = JSON.parse(required('REGRESSION_PRICES')) as Readonly<Record<string, Prices>>;
  const { REGRESSION_OTHER_BASE_URL: other, REGRESSION_CRASH: crash, REGRESSION_RESTART: restart } = env;
  const silence = env['REGRESSION_SILENCE_MS'];
  const settlesWithinMs = Number(env['REGRESSION_SETTLED_MS'] ?? 250);
  const nodes = other ? [base, other] : [base];
  const upstream = await createScriptedUpstream({ port: Number(required('REGRESSION_UPSTREAM_PORT')) });

  /** Holds are not visible here, so a request counts as settled once the balance stops changing. */
  const balance = async (apiKey: string): Promise<{ balance: Nano; held: Nano }> => {
    let last = await run(balanceOf, apiKey);
    for (let again: string; ; last = again) {
      await new Promise((resolve) => setTimeout(resolve, settlesWithinMs));
      again = await run(balanceOf, apiKey);
      if (again === last) return { balance: nanoUsd(last), held: 0n };
    }
  };

  return {
    nodes,
    upstream,
    model: env['REGRESSION_MODEL'] ?? 'gpt-4o-mini',
    silenceMs: silence ? Number(silence) : undefined,
    prices: (model) => {
      const found = prices[model];
      return found ? Promise.resolve(found) : Promise.reject(new Error(`REGRESSION_PRICES has no ${model}.`));
    },
    openCustomer: async (usd) => {
      const apiKey = await run(open, usd);
      await untilKnown(
        apiKey,
        nodes.map((node) => ({ url: withoutPath(node) })),
      );
      return { apiKey, balance: () => balance(apiKey) };
    },
    ...(crash && restart
      ? { crash: async () => void (await run(crash)), restart: async () => void (await run(restart)) }
      : {}),
    close: () => upstream.close(),
  };
};
