import type { Random } from '../random.ts';
import type { EventStoreServers } from '../support/event-store-servers.ts';
import { createWire, type Wire } from '../torture/wire.ts';

/** What happens to EventStoreDB, and to its connections. */
export const EVENT_STORE_KINDS = ['event-store', 'event-store-stopped', 'event-store-connections'] as const;
export type EventStoreKind = (typeof EVENT_STORE_KINDS)[number] | 'event-store-leader';

export type EventStoreWorld = {
  readonly servers: EventStoreServers;
  /** The address for the gateways. */
  readonly url: string;
  make(kind: EventStoreKind): Promise<void>;
  close(): Promise<void>;
};

const LEADS_AGAIN_WITHIN_MS = 60_000;
const POLL_MS = 20;
const CUTS = 4;
/** Within the first frames of a connection, within an append, or within the answers to several. */
const CUT_WITHIN_BYTES = 4000;
const CUT_WITHIN_MS = 5000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Gateways reach a single server through a wire. A cluster has none, because its nodes announce their own addresses. */
export const openEventStoreWorld = async (servers: EventStoreServers, random: Random): Promise<EventStoreWorld> => {
  const wire: Wire | undefined = servers.nodes.length === 1 ? await createWire(servers.url) : undefined;

  const killLeader = async (): Promise<void> => {
    const leader = await servers.leader();
    if (!leader) throw new Error('no node of EventStoreDB leads');
    await leader.kill();
    const deadline = Date.now() + LEADS_AGAIN_WITHIN_MS;
    // The killed node stays away until another one leads, as after the failure of a machine.
    while (servers.nodes.length > 1 && (await servers.leader()) === undefined) {
      if (Date.now() > deadline) throw new Error('no other node of EventStoreDB leads');
      await pause(POLL_MS);
    }
    leader.start();
    await servers.ready();
  };
  const cutConnections = async (): Promise<void> => {
    for (let n = 0; wire && n < CUTS; n++) {
      const of = random.between(0, 1) === 0 ? 'request' : 'reply';
      const then = random.between(0, 3) === 0 ? 'hang' : 'close';
      await Promise.race([
        wire.cut({ of, then, afterBytes: random.between(0, CUT_WITHIN_BYTES) }),
        pause(CUT_WITHIN_MS),
      ]);
      await pause(random.between(50, 500));
    }
  };
  return {
    servers,
    url: wire?.url ?? servers.url,
    make: async (kind) => {
      const node = random.oneOf(servers.nodes);
      switch (kind) {
        case 'event-store':
          await node.kill();
          node.start();
          return servers.ready();
        case 'event-store-leader':
          return killLeader();
        case 'event-store-stopped': {
          const goOn = node.freeze();
          await pause(random.between(500, 8000));
          goOn();
          return servers.ready();
        }
        case 'event-store-connections':
          return cutConnections();
      }
    },
    close: async () => {
      await wire?.close();
    },
  };
};
