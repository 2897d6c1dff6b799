/** The result of a check. It is public, so it contains no error message and nothing about customers. */
export type Finding = {
  readonly ok: boolean;
  /** Set if and only if the check failed. */
  readonly reason?: string;
  /** In events. */
  readonly behind?: number;
  /** For how long the oldest event has waited that the copy of the log lacks. */
  readonly behind_ms?: number;
  /** How far the local clock is ahead of the database's clock. */
  readonly ahead_ms?: number;
  /** How far the clock of the log is ahead of real time, if it was ever moved. */
  readonly moved_ms?: number;
  /** What of this node is simulated, in words. */
  readonly simulated?: string;
};

/** One named condition of readiness. */
export type Check = { readonly name: string; readonly look: () => Finding | Promise<Finding> };

export type Readiness = {
  readonly ready: boolean;
  readonly status: 'ok' | 'not ready' | 'stopping';
  readonly checks: Readonly<Record<string, Finding>>;
};

export type ReadinessOptions = {
  readonly checks: readonly Check[];
  /** Called if a check begins to fail, fails for another reason, or succeeds again. */
  readonly changed: (name: string, finding: Finding) => void;
  readonly everyMs?: number;
  readonly withinMs?: number;
};

const EVERY_MS = 1000;
/** Twice this time plus the interval is less than five seconds, within which a probe must be right. */
const WITHIN_MS = 2000;

/**
 * Runs every check once a second, independently of requests. A probe reads the last findings without waiting, so it
 * costs the same if a check hangs. A check that hangs counts as failed.
 */
export const watchReadiness = async (options: ReadinessOptions) => {
  const { checks, changed, everyMs = EVERY_MS, withinMs = WITHIN_MS } = options;
  const hanging = new Set<Check>();
  const findings = new Map<string, Finding>();
  let lookedAt = performance.now();
  let closed = false;
  let running: Promise<void> | undefined;

  const look = async (check: Check): Promise<Finding> => {
    if (hanging.has(check)) return noAnswer;
    hanging.add(check);
    const looked = Promise.resolve()
      .then(() => check.look())
      .catch(() => failed)
      .finally(() => hanging.delete(check));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Finding>((resolve) => (timer = setTimeout(resolve, withinMs, noAnswer)));
    return Promise.race([looked, late]).finally(() => clearTimeout(timer));
  };

  const lookAtAll = async (): Promise<void> => {
    const found = await Promise.all(checks.map(async (check) => [check.name, await look(check)] as const));
    if (closed) return;
    for (const [name, finding] of found) {
      const before = findings.get(name);
      findings.set(name, finding);
      if (finding.reason !== before?.reason) changed(name, finding);
    }
    lookedAt = performance.now();
  };

  await lookAtAll();
  const timer = setInterval(() => {
    running ??= lookAtAll().finally(() => (running = undefined));
  }, everyMs);

  return {
    now: (): Readiness => {
      // After a pause of the process the last findings are out of date.
      const stale = performance.now() - lookedAt > everyMs + 2 * withinMs;
      const ready = !stale && [...findings.values()].every(({ ok }) => ok);
      return { ready, status: ready ? 'ok' : 'not ready', checks: Object.fromEntries(findings) };
    },
    close: async (): Promise<void> => {
      closed = true;
      clearInterval(timer);
      await running;
    },
  };
};

const noAnswer: Finding = { ok: false, reason: 'no answer in time' };
const failed: Finding = { ok: false, reason: 'the check failed' };
