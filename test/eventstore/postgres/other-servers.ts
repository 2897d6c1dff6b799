import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import pg from 'pg';

/** A PostgreSQL server beside the bundled one. `start` returns its URL, with the right to create databases. */
export type OtherServer = {
  readonly name: string;
  readonly start: () => Promise<{ readonly url: string; stop(): Promise<void> }>;
};

const VERSIONS = [15, 16, 17, 18] as const;
const ANSWER_WITHIN_MS = 1000;

/** The images of PostgreSQL, if a Docker engine answers. */
export const otherServers = async (dockerHost: string | undefined): Promise<readonly OtherServer[]> =>
  (await dockerAnswers(dockerHost)) ? VERSIONS.map((version) => image(`postgres:${version}`)) : [];

/** Why there is none. TEST_DATABASE_URL makes the whole suite use a server, the contract included. */
export const NO_OTHER_SERVER =
  `skipped: the contract of the log on PostgreSQL ${VERSIONS[0]} to ${VERSIONS.at(-1)}, because no Docker engine answers ` +
  'and TEST_DATABASE_URL is unset';

/** Asks the Docker engine without the help of a library, so that the suite loads none on machines without Docker. */
export const dockerAnswers = (host = 'unix:///var/run/docker.sock'): Promise<boolean> =>
  new Promise((resolve) => {
    const { protocol, pathname, hostname, port } = new URL(host);
    const address = protocol === 'unix:' ? { path: pathname } : { host: hostname, port: Number(port || 2375) };
    const socket = connect(address, () => socket.write('GET /_ping HTTP/1.0\r\n\r\n'));
    const settle = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(ANSWER_WITHIN_MS, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.once('data', (data) => settle(data.toString().startsWith('HTTP/')));
  });

const image = (name: string): OtherServer => ({
  name,
  start: async () => {
    const { GenericContainer, Wait } = await import('testcontainers');
    const container = await new GenericContainer(name)
      .withEnvironment({ POSTGRES_PASSWORD: 'test' })
      .withExposedPorts(5432)
      // The image starts the server twice: the first one only initialises the data directory.
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .start();
    const url = `postgres://postgres:test@${container.getHost()}:${container.getMappedPort(5432)}/postgres`;
    return { url, stop: async () => void (await container.stop()) };
  },
});

/** An empty database on the server. Dropping it ends all sessions on it. */
export const createDatabaseOn = async (serverUrl: string): Promise<{ readonly url: string; drop(): Promise<void> }> => {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const onServer = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: serverUrl });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await onServer(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`drop database ${name} with (force)`) };
};
