import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

export type MetricsOptions = {
  /** Asked whenever somebody reads the metrics. */
  readonly positions: () => Promise<{ readonly head: number; readonly projections: Readonly<Record<string, number>> }>;
  readonly disagreeing: () => number;
  /** The live keys that depend on each pepper. */
  readonly keysByPepper: () => ReadonlyMap<string, { readonly length: number }>;
  /** Whether the log went back in time and that is not acknowledged yet. */
  readonly rewindIsOpen: () => boolean;
};

export type Metrics = {
  readonly contentType: string;
  /** In the text format of Prometheus. */
  text(): Promise<string>;
  /** An answer has left, or its reader has: of which status, or none where nothing was sent. */
  answered(status: number | undefined): void;
  audited(result: 'agreed' | 'disagreed' | 'skipped'): void;
  orphanedHoldReleased(): void;
  upstreamRefused(upstream: string, status: number): void;
};

/** What the operator can measure. Each gateway has its own, for there may be several in a process. */
export const createMetrics = ({ positions, disagreeing, keysByPepper, rewindIsOpen }: MetricsOptions): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const requests = new Counter({
    name: 'kissapi_http_requests_total',
    help: 'Requests answered, by the class of the status; aborted where the client left before an answer.',
    labelNames: ['status'],
    registers,
  });
  const samples = new Counter({
    name: 'kissapi_audit_samples_total',
    help: 'Accounts that the self-audit compared with their rows.',
    labelNames: ['result'],
    registers,
  });
  const orphans = new Counter({
    name: 'kissapi_orphaned_holds_released_total',
    help: 'Holds of dead processes that this one released.',
    registers,
  });
  const refusals = new Counter({
    name: 'kissapi_upstream_refusals_total',
    help: 'Requests that a provider answered with an error, by its name and the status.',
    labelNames: ['upstream', 'status'],
    registers,
  });
  new Gauge({
    name: 'kissapi_log_rewind_open',
    help: '1 while the log is found to have gone back in time and no operator has acknowledged what is gone.',
    registers,
    collect() {
      this.set(rewindIsOpen() ? 1 : 0);
    },
  });
  const head = new Gauge({ name: 'kissapi_log_head_position', help: 'The last position of the log.', registers });
  const rows = new Gauge({
    name: 'kissapi_projection_position',
    help: 'The position up to which a projection has taken the log in.',
    labelNames: ['projection'],
    registers,
  });
  new Gauge({
    name: 'kissapi_audit_disagreeing_accounts',
    help: 'Accounts whose rows were not as the log says when the self-audit last looked.',
    registers,
    collect() {
      this.set(disagreeing());
    },
  });
  new Gauge({
    name: 'kissapi_live_keys',
    help: 'API keys that are neither revoked nor expired, by the newest accepted pepper that they were hashed with.',
    labelNames: ['pepper'],
    registers,
    collect() {
      this.reset();
      for (const [pepper, { length }] of keysByPepper()) this.set({ pepper }, length);
    },
  });
  // A rate is only known of what has been 0 before.
  for (const status of ['2xx', '4xx', '5xx', 'aborted']) requests.inc({ status }, 0);
  for (const result of ['agreed', 'disagreed', 'skipped']) samples.inc({ result }, 0);

  const ask = async (): Promise<void> => {
    // While the database is away nobody knows, and what was true before would be taken for now.
    const now = await positions().catch(() => undefined);
    head.set(now?.head ?? Number.NaN);
    if (!now) rows.reset();
    for (const [projection, position] of Object.entries(now?.projections ?? {})) rows.set({ projection }, position);
  };

  return {
    contentType: registry.contentType,
    text: async () => {
      await ask();
      return registry.metrics();
    },
    answered: (status) => requests.inc({ status: status === undefined ? 'aborted' : `${Math.floor(status / 100)}xx` }),
    audited: (result) => samples.inc({ result }),
    orphanedHoldReleased: () => orphans.inc(),
    upstreamRefused: (upstream, status) => refusals.inc({ upstream, status }),
  };
};
