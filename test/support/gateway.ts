import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMigratedDatabase, createTestDatabase } from './database.ts';
import { untilKnown } from './nodes/known.ts';
import { startGatewayOn, type RunningGateway } from './nodes/running-gateway.ts';

export { ADMIN_TOKEN, DATA_KEY, type RunningGateway } from './nodes/running-gateway.ts';

type Opened = Awaited<ReturnType<RunningGateway['openAccount']>>;

/** A database and a data folder that outlive the gateways on them. */
export type Premises = {
  readonly databaseUrl: string;
  readonly dataDir: string;
  /**
   * Starts a gateway as a real process, with the simulated provider; `env` is added to its environment. The accounts that
   * it opens are returned once every live gateway on these premises accepts their keys.
   */
  startGateway(
    env?: Readonly<Record<string, string>>,
    software?: string,
    args?: readonly string[],
  ): Promise<RunningGateway>;
  /** Kills all gateways but this one. */
  killOthers(gateway: RunningGateway): Promise<void>;
  /** Kills the gateways that still run and removes everything. */
  close(): Promise<void>;
};

/** With `empty`, the first gateway creates the tables; otherwise they are there, which saves time. */
export const createPremises = async ({ empty = false } = {}): Promise<Premises> => {
  const database = await (empty ? createTestDatabase() : createMigratedDatabase());
  const dataDir = await mkdtemp(join(tmpdir(), 'kissapi-journey-'));
  const started: RunningGateway[] = [];
  return {
    databaseUrl: database.url,
    dataDir,
    startGateway: async (env, software, args) => {
      const gateway = await startGatewayOn({ databaseUrl: database.url, dataDir, software, args }, env);
      started.push(gateway);
      const openAccount: RunningGateway['openAccount'] = async (usd, holder): Promise<Opened> => {
        const account = await gateway.openAccount(usd, holder);
        const others = started.filter((one) => one !== gateway && !one.process.hasEnded());
        await untilKnown(account.apiKey, others);
        return account;
      };
      return { ...gateway, openAccount };
    },
    killOthers: async ({ url }) => {
      const others = started.filter((one) => one.url !== url);
      await Promise.all(others.map(({ process }) => process.stop('SIGKILL')));
    },
    close: async () => {
      await Promise.all(started.map(({ process }) => process.stop('SIGKILL')));
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};
