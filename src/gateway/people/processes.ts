import type { Logger } from 'pino';
import { startProcess, type Process, type RunningProcess } from '../../reactions/process.ts';
import type { EventLog } from '../event-log.ts';
import type { OutageLog } from '../health/outage.ts';
import type { Metrics } from '../metrics.ts';

export type GatewayProcessOptions = {
  readonly databaseUrl: string;
  readonly eventLog: Pick<EventLog, 'store' | 'reactions' | 'commonPosition' | 'onRewind'>;
  readonly metrics: Pick<Metrics, 'watchProcess'>;
  readonly outage: OutageLog;
  readonly log: Logger;
};

/** Runs a process on one of the gateways, and logs what an operator must act on. Must be closed before the log. */
export const startGatewayProcess = (options: GatewayProcessOptions, process: Process): RunningProcess => {
  const { databaseUrl, eventLog, metrics, outage, log } = options;
  const { store, reactions, commonPosition } = eventLog;
  const running = startProcess({
    ...{ databaseUrl, process, store, reactions, commonPosition },
    parked: (reaction) =>
      log.error({ alert: 'reaction_parked', ...reaction }, 'a command was refused and waits for an operator'),
    failed: (error, fact) => {
      if (outage.covers(error)) return;
      const place = fact && { stream: fact.stream, position: fact.position };
      log.error({ process: process.name, ...place, err: error }, 'a process failed and tries again');
    },
    rewound: (checkpoint, position) =>
      log.warn(
        { process: process.name, checkpoint, position },
        'the log went back in time: the process continues from the newest common event',
      ),
  });
  metrics.watchProcess(running);
  eventLog.onRewind(running.restart);
  return running;
};
