import { generateKeyPairSync } from 'node:crypto';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startGatewayOn, type RunningGateway } from '../../test/support/nodes/running-gateway.ts';
import { chat, errorOf } from '../../test/support/traffic.ts';
import { until } from './world.ts';

/** Gateways with shared secrets, each with its own data folder. */
export type Gateways = {
  running(): readonly RunningGateway[];
  start(n: number): Promise<RunningGateway>;
  /** Sends SIGKILL. */
  kill(n: number): Promise<void>;
  at(n: number): RunningGateway;
  /** Waits until a gateway has stored that it has seen a position of the log. */
  hasNoted(n: number, position: number): Promise<void>;
  close(): Promise<void>;
};

const SEEN_WITHIN_MS = 20_000;

export const openGateways = (
  home: string,
  databaseUrl: string,
  more: Readonly<Record<string, string>> = {},
): Gateways => {
  const running = new Map<number, RunningGateway>();
  const { privateKey } = generateKeyPairSync('ed25519');
  const signingKey = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  const dataDirOf = (n: number): string => join(home, `gateway-${n}`);
  const kill = async (n: number): Promise<void> => {
    await running.get(n)?.process.stop('SIGKILL');
    running.delete(n);
  };
  const noted = async (n: number): Promise<number> => {
    const text = await readFile(join(dataDirOf(n), 'seen-heads.json'), 'utf8').catch(() => '{}');
    const places = Object.values(JSON.parse(text) as Record<string, { readonly position: number }>);
    return Math.max(0, ...places.map(({ position }) => position));
  };
  return {
    running: () => [...running.values()],
    at: (n) => {
      const gateway = running.get(n);
      if (!gateway) throw new Error(`gateway ${n} does not run`);
      return gateway;
    },
    start: async (n) => {
      // All have the same demo key, as if it were shared through the environment.
      await mkdir(dataDirOf(n), { recursive: true });
      if (n > 0) await copyFile(join(dataDirOf(0), 'demo-api-key'), join(dataDirOf(n), 'demo-api-key'));
      const env = { KISSAPI_LOG: 'warn', KISSAPI_SIGNING_KEY: signingKey, ...more };
      const gateway = await startGatewayOn({ databaseUrl, dataDir: dataDirOf(n) }, env);
      running.set(n, gateway);
      return gateway;
    },
    kill,
    hasNoted: async (n, position) => {
      await until(
        `gateway ${n} has seen position ${position}`,
        async () => (await noted(n)) >= position,
        SEEN_WITHIN_MS,
      );
    },
    close: async () => {
      for (const n of [...running.keys()]) await kill(n);
    },
  };
};

/** The positions that a gateway reports as seen and lost, one for each rewind that it detected. */
export const rewindsNoticed = ({ process }: RunningGateway): readonly number[] =>
  process
    .output()
    .split('\n')
    .filter((line) => line.includes('"log_rewound"'))
    .map((line) => (JSON.parse(line) as { readonly seenPosition: number }).seenPosition);

/** The status and the error code of a small completion request. */
export const askFor = async (gateway: RunningGateway, apiKey: string): Promise<string> => {
  const answer = await chat(gateway, apiKey, { maxTokens: 20 }).answer;
  if (answer.status === 200) return '200';
  return answer.status === undefined ? 'no answer' : `${answer.status} ${errorOf(answer).code}`;
};
