import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

export type MetricsOptions = {
  /** Called whenever the metrics are read. */
  readonly positions: () => Promise<{ readonly head: number; readonly projections: Readonly<Record<string, number>> }>;
  readonly disagreeing: () => number;
  /** The live keys by pepper. */
  readonly keysByPepper: () => ReadonlyMap<string, { readonly length: number }>;
  /** Whether the log went back in time and no operator has acknowledged it. */
  readonly rewindIsOpen: () => boolean;
  /** How far the copy of a log in EventStoreDB is behind; undefined for other logs. */
  readonly copyLag?: (() => { readonly events: number; readonly ms: number }) | undefined;
};

/** A process that this gateway has started. Its figures are known only to the node that runs it. */
export type WatchedProcess = {
  readonly name: string;
  readonly status: {
    readonly leads: boolean;
    readonly position: number;
    readonly parked: number;
    readonly stuck: number;
  };
};

/** The mails that wait, and for how long the oldest has waited. */
export type WatchedMail = () => Promise<{ readonly waiting: number; readonly oldestMs: number }>;

/** Contacts with support that wait for an answer. */
export type WatchedContacts = () => { readonly inTime: number; readonly overdue: number };

export type MailOutcome = 'queued' | 'sent' | 'deferred' | 'failed';

export type Metrics = {
  readonly contentType: string;
  /** The text format of Prometheus. */
  text(): Promise<string>;
  /**
   * To be called when a response has ended. The status is undefined if the client disconnected before the response
   * began.
   */
  answered(status: number | undefined): void;
  audited(result: 'agreed' | 'disagreed' | 'skipped'): void;
  orphanedHoldReleased(): void;
  upstreamRefused(upstream: string, status: number): void;
  mail(outcome: MailOutcome): void;
  /** From now on, the gauges of processes include this one. */
  watchProcess(process: WatchedProcess): void;
  /** From now on, the gauges of mail show this. */
  watchMail(mail: WatchedMail): void;
  /** From now on, the gauges of contacts show this. */
  watchContacts(contacts: WatchedContacts): void;
};

/** Registers the gauges that are evaluated when the metrics are read. */
const registerGauges = (registry: Registry, options: MetricsOptions): { readonly refresh: () => Promise<void> } => {
  const registers = [registry];
  new Gauge({
    name: 'kissapi_log_rewind_open',
    help: '1 while the log has gone back in time and no operator has acknowledged it.',
    registers,
    collect() {
      this.set(options.rewindIsOpen() ? 1 : 0);
    },
  });
  new Gauge({
    name: 'kissapi_audit_disagreeing_accounts',
    help: 'Accounts whose rows differed from the log when the self-audit last compared them.',
    registers,
    collect() {
      this.set(options.disagreeing());
    },
  });
  new Gauge({
    name: 'kissapi_live_keys',
    help: 'API keys that are neither revoked nor expired, by the newest accepted pepper of their hashes.',
    labelNames: ['pepper'],
    registers,
    collect() {
      this.reset();
      for (const [pepper, { length }] of options.keysByPepper()) this.set({ pepper }, length);
    },
  });
  if (options.copyLag) registerCopyLag(registry, options.copyLag);
  const head = new Gauge({ name: 'kissapi_log_head_position', help: 'The last position of the log.', registers });
  const rows = new Gauge({
    name: 'kissapi_projection_position',
    help: 'The position of the log up to which a projection is current.',
    labelNames: ['projection'],
    registers,
  });
  return {
    refresh: async () => {
      // While the database is unreachable the positions are unknown, and old ones must not be reported as current.
      const now = await options.positions().catch(() => undefined);
      head.set(now?.head ?? Number.NaN);
      if (!now) rows.reset();
      for (const [projection, position] of Object.entries(now?.projections ?? {})) rows.set({ projection }, position);
    },
  };
};

const registerCopyLag = (registry: Registry, copyLag: NonNullable<MetricsOptions['copyLag']>): void => {
  new Gauge({
    name: 'kissapi_sequencer_lag_events',
    help: 'Events that this process appended to EventStoreDB and that are not in the copy in PostgreSQL.',
    registers: [registry],
    collect() {
      this.set(copyLag().events);
    },
  });
  new Gauge({
    name: 'kissapi_sequencer_lag_ms',
    help: 'For how long the oldest of these events has waited, in milliseconds.',
    registers: [registry],
    collect() {
      this.set(copyLag().ms);
    },
  });
};

/** The gauges of processes and mail. */
const registerBackground = (registry: Registry) => {
  const processes: WatchedProcess[] = [];
  let watchedMail: WatchedMail | undefined;
  let watchedContacts: WatchedContacts | undefined;
  const gauge = (name: string, help: string, labelNames: readonly 'process'[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const ofProcess = ['process'] as const;
  const position = gauge('kissapi_process_position', 'The position up to which a process has reacted.', ofProcess);
  const parked = gauge('kissapi_process_parked_commands', 'Refused commands that wait for an operator.', ofProcess);
  const stuck = gauge('kissapi_process_stuck_streams', 'Streams whose oldest event a process retries.', ofProcess);
  const waiting = gauge('kissapi_mails_waiting', 'Mails that wait to be sent.');
  const oldest = gauge('kissapi_mail_oldest_waiting_seconds', 'How long the oldest waiting mail has waited.');
  new Gauge({
    name: 'kissapi_contacts_open',
    help: 'Contacts with support that wait for an answer. overdue="true": reply_by has passed.',
    labelNames: ['overdue'],
    registers: [registry],
    collect() {
      const { inTime, overdue } = watchedContacts?.() ?? { inTime: 0, overdue: 0 };
      this.set({ overdue: 'false' }, inTime);
      this.set({ overdue: 'true' }, overdue);
    },
  });
  return {
    watchProcess: (process: WatchedProcess): void => void processes.push(process),
    watchMail: (mail: WatchedMail): void => void (watchedMail = mail),
    watchContacts: (contacts: WatchedContacts): void => void (watchedContacts = contacts),
    refresh: async (): Promise<void> => {
      for (const one of [position, parked, stuck]) one.reset();
      for (const { name: process, status } of processes) {
        if (!status.leads) continue;
        position.set({ process }, status.position);
        parked.set({ process }, status.parked);
        stuck.set({ process }, status.stuck);
      }
      const mail = await watchedMail?.().catch(() => undefined);
      waiting.set(mail?.waiting ?? Number.NaN);
      oldest.set(mail ? mail.oldestMs / 1000 : Number.NaN);
    },
  };
};

/** The metrics of one gateway; a process can hold several gateways. */
export const createMetrics = (options: MetricsOptions): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter<Label>({ name, help, labelNames, registers: [registry] });

  const requests = counter(
    'kissapi_http_requests_total',
    'Requests answered, by the class of the status; aborted if the client disconnected before an answer.',
    ['status'],
  );
  const samples = counter('kissapi_audit_samples_total', 'Accounts that the self-audit compared with their rows.', [
    'result',
  ]);
  const orphans = counter('kissapi_orphaned_holds_released_total', 'Holds of dead processes that this one released.');
  const refusals = counter(
    'kissapi_upstream_refusals_total',
    'Requests that a provider answered with an error, by provider and status.',
    ['upstream', 'status'],
  );
  const mails = counter('kissapi_mails_total', 'Mails that this process queued, sent, deferred, or that failed.', [
    'outcome',
  ]);
  const { refresh } = registerGauges(registry, options);
  const background = registerBackground(registry);
  // Prometheus computes a rate only for series that have been 0 before.
  for (const status of ['2xx', '4xx', '5xx', 'aborted']) requests.inc({ status }, 0);
  for (const outcome of ['queued', 'sent', 'deferred', 'failed']) mails.inc({ outcome }, 0);
  for (const result of ['agreed', 'disagreed', 'skipped']) samples.inc({ result }, 0);

  return {
    contentType: registry.contentType,
    text: async () => {
      await Promise.all([refresh(), background.refresh()]);
      return registry.metrics();
    },
    answered: (status) => requests.inc({ status: status === undefined ? 'aborted' : `${Math.floor(status / 100)}xx` }),
    audited: (result) => samples.inc({ result }),
    orphanedHoldReleased: () => orphans.inc(),
    upstreamRefused: (upstream, status) => refusals.inc({ upstream, status }),
    mail: (outcome) => mails.inc({ outcome }),
    watchProcess: background.watchProcess,
    watchMail: background.watchMail,
    watchContacts: background.watchContacts,
  };
};
