import type { Server } from 'node:http';
import type { ClockReading } from '../eventstore/postgres/log-clock.ts';
import { createLogProbe } from '../eventstore/postgres/log-probe.ts';
import { healthChecks } from './health/health-checks.ts';
import { eventStoreCheck, isInEventStore } from './health/event-store-check.ts';
import { openDoor } from './http-server.ts';
import { newId } from './new-id.ts';
import { watchReadiness, type Finding, type Readiness } from './health/readiness.ts';
import { answerUnreadable } from '../http/server/unreadable.ts';
import { openCompletions } from './completions.ts';
import { openRooms, type GatewayOptions, type Rooms } from './rooms.ts';
import { createRoutes, termsInForceOn } from './routes.ts';

const wentBack = { ok: false, reason: 'the log went back in time' } as const;

const completeness = (reason: string | undefined): Finding =>
  reason === undefined ? { ok: true } : { ok: false, reason };

const localUrl = (port: number): string => `http://localhost:${port}`;

export type Gateway = Awaited<ReturnType<typeof startGateway>>;

const openReadiness = async ({ databaseUrl, log }: GatewayOptions, { eventLog, views, watchers }: Rooms) => {
  const probe = createLogProbe(databaseUrl);
  const readiness = await watchReadiness({
    checks: [
      ...healthChecks({
        ...{ probe, appends: eventLog.appends, rows: views.rows, lookUps: views.lookUps },
        movedMs: watchers.movedMs,
      }),
      ...(isInEventStore(eventLog.store) ? [eventStoreCheck(eventLog.store, eventLog.appends)] : []),
      // Not ready until an operator has acknowledged a rewind of the log.
      {
        name: 'history',
        look: () => (eventLog.rewindIsOpen() ? wentBack : completeness(eventLog.incomplete(watchers.missedBeat()))),
      },
    ],
    changed: (check, finding) =>
      finding.ok ? log.info({ check }, 'ready again') : log.error({ check, ...finding }, 'not ready'),
  });
  let stopping = false;
  return {
    read: (): Readiness => {
      const now = readiness.now();
      if (stopping) return { ...now, ready: false, status: 'stopping' };
      // Findings are up to a second old, and an interrupted database may have been put back meanwhile.
      const reason = eventLog.incomplete(watchers.missedBeat());
      if (reason === undefined) return now;
      return { ready: false, status: 'not ready', checks: { ...now.checks, history: { ok: false, reason } } };
    },
    stopping: (): void => void (stopping = true),
    close: async (): Promise<void> => {
      await readiness.close();
      await probe.close();
    },
  };
};

/** Opens all rooms, then the HTTP server. `close` closes them in reverse order. */
export const startGateway = async (options: GatewayOptions) => {
  const { config } = options;
  let publicUrl = config.publicUrl ?? localUrl(config.port);
  const rooms = await openRooms(options, () => publicUrl);
  const { eventLog, views, watchers } = rooms;
  const completions = await openCompletions(options, rooms);
  const readiness = await openReadiness(options, rooms);
  const app = createRoutes(options, { ...rooms, completions, readiness, publicUrl: () => publicUrl });
  const { host, port, drainDelayMs: delayMs, drainTimeoutMs: graceMs } = config;
  const attend = (server: Server): void =>
    answerUnreadable(server, { newId, now: watchers.now, answered: watchers.metrics.answered });
  const door = await openDoor({ app, attend, host, port, delayMs, graceMs, drain: completions.drain });

  publicUrl = config.publicUrl ?? localUrl(door.port);
  rooms.payments.deliverTo(localUrl(door.port));

  return {
    port: door.port,
    publicUrl,
    runId: watchers.runId(),
    clock: (): ClockReading => ({ now: watchers.now(), movedMs: watchers.movedMs() }),
    accounts: eventLog.accounts,
    vault: eventLog.vault,
    keyring: rooms.keyring,
    findKeyOwner: views.findKeyOwner,
    lookedUp: views.lookedUp,
    /** The version of the terms in force now. */
    termsInForce: termsInForceOn(rooms),
    /** The operator's page of simulated payments; undefined if they are not simulated. */
    simulatedPayments: rooms.payments.operatorPage,
    /** Drains requests in progress; those still open after the grace period are settled for what they delivered. */
    close: async (): Promise<void> => {
      readiness.stopping();
      await door.close();
      rooms.ends.close();
      rooms.starters.close();
      await readiness.close();
      await rooms.noticeProcess.close();
      await rooms.mail.close();
      await rooms.contacting.close();
      await rooms.people.close();
      await rooms.payments.close();
      await rooms.erasure.close();
      await watchers.close();
      await views.close();
      await eventLog.close();
      await Promise.all([...rooms.providers.values()].map((provider) => provider.close()));
      await completions.close();
    },
  };
};
