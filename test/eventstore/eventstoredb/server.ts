import { startEventStoreDbStandIn } from '@kissapi/eventstoredb-stand-in';
import { dockerAnswers } from '../postgres/other-servers.ts';

/** An EventStoreDB for the contract. `name` states which one. */
export type ServerUnderTest = {
  readonly name: string;
  readonly start: () => Promise<{ readonly url: string; stop(): Promise<void> }>;
};

const IMAGE = 'eventstore/eventstore:23.10.8-bookworm-slim';
const PORT = 2113;

/** The server that EVENT_STORE_URL names. vitest.config.ts renames the variable, unless the whole suite uses that server. */
export const namedServer = (env: Readonly<Record<string, string | undefined>>): string | undefined =>
  env['TEST_EVENT_STORE_URL'] ?? env['EVENT_STORE_URL'];

/** The server that EVENT_STORE_URL names, else an image if a Docker engine answers, else the stand-in. */
export const serverUnderTest = async (env: Readonly<Record<string, string | undefined>>): Promise<ServerUnderTest> => {
  const url = namedServer(env);
  if (url !== undefined) {
    return {
      name: 'the EventStoreDB that EVENT_STORE_URL names',
      start: () => Promise.resolve({ url, stop: () => Promise.resolve() }),
    };
  }
  return (await dockerAnswers(env['DOCKER_HOST'])) ? IN_DOCKER : STAND_IN;
};

const STAND_IN: ServerUnderTest = {
  name: 'the stand-in for EventStoreDB, because no Docker engine answers and EVENT_STORE_URL is unset',
  start: async () => {
    const { url, close } = await startEventStoreDbStandIn();
    return { url, stop: close };
  },
};

const IN_DOCKER: ServerUnderTest = {
  name: IMAGE,
  start: async () => {
    const { GenericContainer, Wait } = await import('testcontainers');
    const container = await new GenericContainer(IMAGE)
      .withEnvironment({
        EVENTSTORE_INSECURE: 'true',
        EVENTSTORE_MEM_DB: 'true',
        EVENTSTORE_RUN_PROJECTIONS: 'None',
        EVENTSTORE_TELEMETRY_OPTOUT: 'true',
      })
      .withExposedPorts(PORT)
      .withWaitStrategy(Wait.forHttp('/health/live', PORT).forStatusCode(204))
      .start();
    const url = `esdb://${container.getHost()}:${container.getMappedPort(PORT)}?tls=false`;
    return { url, stop: async () => void (await container.stop()) };
  },
};
