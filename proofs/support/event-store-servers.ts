import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../random.ts';
import { freePort } from './free-port.ts';

/** A server of EventStoreDB with a data directory of its own. */
export type EventStoreNode = {
  readonly port: number;
  isRunning(): boolean;
  /** Starts it, on the data that it had. Resolves before it is ready: see `ready`. */
  start(): void;
  /** Kills it with -9. */
  kill(): Promise<void>;
  /** Stops it with SIGSTOP, until the returned function is called. */
  freeze(): () => void;
  /** Copies its data directory, as it is at one moment. The server is stopped meanwhile. */
  copy(to: string): Promise<void>;
  /** Replaces its data directory by a copy. It must not be running. */
  putBack(copy: string): Promise<void>;
};

export type EventStoreServers = {
  /** The address for gateways. */
  readonly url: string;
  readonly nodes: readonly EventStoreNode[];
  /** Resolves when one node leads and the others follow it. */
  ready(): Promise<void>;
  /** The node that leads; undefined during an election. */
  leader(): Promise<EventStoreNode | undefined>;
  stop(): Promise<void>;
};

export type EventStoreServersOptions = {
  /** The program and its first arguments, separated by spaces. */
  readonly command: string;
  /** An empty folder. */
  readonly directory: string;
  readonly nodes?: 1 | 3;
};

/** Fault: a server did not start. */
export class ServerNotStarted extends Error {
  override readonly name = 'ServerNotStarted';
}

const PORTS = { lowest: 2300, highest: 2999 };
const READY_WITHIN_MS = 90_000;
const POLL_MS = 50;
const ANSWER_WITHIN_MS = 1000;
const KEEP_OUTPUT = 2000;

type Member = { readonly state: string; readonly isAlive: boolean; readonly httpEndPointPort: number };

/** Starts one server, or three that replicate the log. Resolves when they are ready. They end with this process. */
export const startEventStore = async (options: EventStoreServersOptions): Promise<EventStoreServers> => {
  const { nodes: count = 1 } = options;
  // Not from the seed of the proof: two proofs with one seed may run at the same time.
  const random = createRandom(`${process.pid} ${Date.now()}`);
  const ports: { readonly http: number; readonly replication: number }[] = [];
  while (ports.length < count) {
    const used = new Set(ports.flatMap(({ http, replication }) => [http, replication]));
    const http = await freePort(random, PORTS);
    const replication = await freePort(random, PORTS);
    if (http !== replication && !used.has(http) && !used.has(replication)) ports.push({ http, replication });
  }
  const all = ports.map(({ http }) => http);
  const nodes = await Promise.all(
    ports.map(({ http, replication }) =>
      createNode({ ...options, http, replication, others: all.filter((port) => port !== http) }),
    ),
  );
  const endAll = (): void => nodes.forEach((node) => void node.kill());
  process.once('exit', endAll);

  /** How a node sees the cluster; empty while it does not answer. */
  const membersBy = async (node: EventStoreNode): Promise<readonly Member[]> => {
    if (!node.isRunning()) return [];
    try {
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const response = await fetch(`http://127.0.0.1:${node.port}/gossip`, { signal });
      return ((await response.json()) as { readonly members: readonly Member[] }).members;
    } catch {
      return [];
    }
  };
  const isComplete = (members: readonly Member[]): boolean =>
    members.filter(({ isAlive, state }) => isAlive && state === 'Leader').length === 1 &&
    members.filter(({ isAlive, state }) => isAlive && state === 'Follower').length === count - 1;

  const servers: EventStoreServers = {
    url:
      count === 1
        ? `esdb://127.0.0.1:${all[0]}?tls=false`
        : `esdb://${all.map((port) => `127.0.0.1:${port}`).join(',')}?tls=false&nodePreference=leader`,
    nodes,
    ready: async () => {
      for (const deadline = Date.now() + READY_WITHIN_MS; ; await sleep(POLL_MS)) {
        const seen = await Promise.all(nodes.map(membersBy));
        if (seen.every(isComplete)) return;
        if (nodes.every((node) => !node.isRunning()) || Date.now() > deadline)
          throw new ServerNotStarted(`EventStoreDB does not start: ${options.command}`);
      }
    },
    leader: async () => {
      for (const node of nodes) {
        const leading = (await membersBy(node)).find(({ isAlive, state }) => isAlive && state === 'Leader');
        const leader = nodes.find(({ port }) => port === leading?.httpEndPointPort);
        if (leader?.isRunning()) return leader;
      }
      return undefined;
    },
    stop: async () => {
      process.off('exit', endAll);
      await Promise.all(nodes.map((node) => node.kill()));
    },
  };
  try {
    for (const node of nodes) node.start();
    await servers.ready();
    return servers;
  } catch (error) {
    await servers.stop();
    throw error;
  }
};

type NodeOptions = Pick<EventStoreServersOptions, 'command' | 'directory'> & {
  readonly http: number;
  readonly replication: number;
  readonly others: readonly number[];
};

const createNode = async (options: NodeOptions): Promise<EventStoreNode> => {
  const { command, directory, http, replication, others } = options;
  const [data, log] = [join(directory, `data-${http}`), join(directory, `log-${http}`)];
  await Promise.all([data, log].map((folder) => mkdir(folder, { recursive: true })));
  const [program = '', ...first] = command.split(/\s+/).filter((part) => part !== '');
  const cluster = [
    `--cluster-size=${others.length + 1}`,
    '--discover-via-dns=false',
    `--gossip-seed=${others.map((port) => `127.0.0.1:${port}`).join(',')}`,
  ];
  const args = [
    ...[...first, '--insecure', '--node-ip=127.0.0.1', `--node-port=${http}`],
    ...['--replication-ip=127.0.0.1', `--replication-port=${replication}`, `--db=${data}`, `--log=${log}`],
    ...['--disable-admin-ui', '--run-projections=None', ...(others.length > 0 ? cluster : [])],
  ];
  let child: ChildProcess | undefined;
  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null;
  const freeze = (): (() => void) => {
    const frozen = child;
    frozen?.kill('SIGSTOP');
    return () => void frozen?.kill('SIGCONT');
  };
  const node: EventStoreNode = {
    port: http,
    isRunning,
    start: () => {
      if (isRunning()) return;
      let output = '';
      const started = spawn(program, args, {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, EVENTSTORE_TELEMETRY_OPTOUT: 'true' },
      });
      child = started;
      started.stderr
        .setEncoding('utf8')
        .on('data', (text: string) => (output = `${output}${text}`.slice(-KEEP_OUTPUT)));
      started.on('error', (error) => console.error(`EventStoreDB cannot be started: ${error.message}`));
      started.on('exit', (code) => {
        // A node that has more than the new leader ends, and truncates its log at the next start.
        if (code === 0 && others.length > 0) node.start();
        else if (code !== null) console.error(`EventStoreDB ended with code ${code}; its log is in ${log}\n${output}`);
      });
    },
    kill: async () => {
      if (!child || !isRunning()) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
    freeze,
    copy: async (to) => {
      const goOn = freeze();
      await cp(data, to, { recursive: true }).finally(goOn);
    },
    putBack: async (copy) => {
      await rm(data, { recursive: true, force: true });
      await cp(copy, data, { recursive: true });
    },
  };
  return node;
};
