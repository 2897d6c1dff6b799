import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from './database.ts';
import { startGatewayOn, type RunningGateway } from './running-gateway.ts';

export { ADMIN_TOKEN, DATA_KEY, type RunningGateway } from './running-gateway.ts';

/** A database and a data folder that outlive the gateways on them, as those of a machine do. */
export type Premises = {
  readonly databaseUrl: string;
  /** Starts a gateway, as a real process, with the simulated provider and whatever the environment given adds. */
  startGateway(env?: Readonly<Record<string, string>>, software?: string): Promise<RunningGateway>;
  /** Ends what still runs and removes everything. */
  close(): Promise<void>;
};

export const createPremises = async (): Promise<Premises> => {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'kissapi-journey-'));
  const started: RunningGateway[] = [];
  return {
    databaseUrl: database.url,
    startGateway: async (env, software) => {
      const gateway = await startGatewayOn({ databaseUrl: database.url, dataDir, software }, env);
      started.push(gateway);
      return gateway;
    },
    close: async () => {
      await Promise.all(started.map(({ process }) => process.stop('SIGKILL')));
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};
