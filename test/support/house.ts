import { APIError } from 'openai';
import type { ChainedLog } from '../../src/eventstore/chained-log.ts';
import { openLog } from './stores/log.ts';
import { createSimulatedServer, type SimulatedServer } from '@kissapi/simulator';
import type { Knobs } from '@kissapi/simulator';
import { shared } from './shared.ts';
import { runCommand } from './command.ts';
import { createPremises, type Premises, type RunningGateway } from './gateway.ts';

/** A gateway, and behind it, over real sockets, what it takes for OpenAI. */
export type House = {
  readonly premises: Premises;
  readonly gateway: RunningGateway;
  readonly upstream: SimulatedServer;
  /** The log, read past the gateway. */
  readonly store: ChainedLog;
  close(): Promise<void>;
};

export const UPSTREAM_KEY = 'sk-of-the-house';

export const createHouse = async (env: Readonly<Record<string, string>> = {}): Promise<House> => {
  const upstream = await createSimulatedServer();
  const premises = await createPremises();
  const store = openLog(premises.databaseUrl);
  const close = async (): Promise<void> => {
    await store.close();
    await premises.close();
    await upstream.close();
  };
  try {
    const gateway = await premises.startGateway({
      OPENAI_UPSTREAM_URL: upstream.url,
      OPENAI_API_KEY: UPSTREAM_KEY,
      ...env,
    });
    return { premises, gateway, upstream, store, close };
  } catch (error) {
    await close();
    throw error;
  }
};

const stay = (): Promise<void> => Promise.resolve();

/** A house with default settings that the files of a worker share. It is not closed, and its log is not empty. */
export const sharedHouse = async (): Promise<House> => ({ ...(await shared('house', createHouse)), close: stay });

/** Spread into a body: what the provider is asked to do with it. */
export const simulate = (knobs: Knobs): { readonly simulate: Knobs } => ({ simulate: knobs });

/** The exact cost in a usage, which OpenAI's types do not have. */
export const costIn = (usage: unknown): unknown => (usage as { cost_usd?: unknown } | null | undefined)?.cost_usd;

export const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

/** The error that the SDK raised. */
export const failure = async (answer: PromiseLike<unknown>): Promise<APIError> => {
  try {
    await answer;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new Error('It was answered.');
};

/** What `npm run explain` prints of a generation; rejects unless it found everything in order. */
export const explain = async ({ premises }: House, generation: string): Promise<string> => {
  const { code, stdout, stderr } = await runCommand('explain', [generation], {
    env: { DATABASE_URL: premises.databaseUrl },
  });
  if (code !== 0) throw new Error(stdout + stderr);
  return stdout;
};
