import { inRounds, type Rest } from './rounds.ts';

/** A difference between the log and a row. */
export type Difference = { readonly what: string; readonly log: string; readonly row: string };

export type Result = 'agreed' | 'disagreed' | 'skipped';

export type SelfAuditOptions = {
  /** An account to audit; undefined if there is none. */
  readonly pick: () => Promise<string | undefined>;
  /** The differences between an account and its rows; undefined if they cannot be compared now. */
  readonly audit: (accountId: string) => Promise<readonly Difference[] | undefined>;
  readonly sampled: (result: Result) => void;
  /** Called when the rows of an account are wrong, unless the same differences were reported before. */
  readonly alarm: (accountId: string, differences: readonly Difference[]) => void;
  /** Called when the rows of an account are correct again after an alarm. */
  readonly mended: (accountId: string) => void;
  /** The audit failed, probably because the database is unreachable. This is not an alarm. */
  readonly failed: (error: unknown) => void;
  readonly everyMs?: number;
  readonly confirmAfterMs?: number;
};

export type SelfAudit = {
  /** The number of accounts whose rows were wrong at their last audit. */
  readonly disagreeing: number;
  close(): Promise<void>;
};

const EVERY_MS = 1000;
/** Long enough for transient differences to disappear. */
const CONFIRM_AFTER_MS = 500;
/** How many wrong accounts are remembered. Further ones raise an alarm at each audit. */
const MAX_KNOWN = 1000;

/**
 * Audits one account after another, and raises an alarm if it and its rows disagree. To avoid false alarms, a disagreement is
 * confirmed by a second audit first.
 */
export const startSelfAudit = (options: SelfAuditOptions): SelfAudit => {
  const { pick, audit, sampled, alarm, mended, failed } = options;
  const { everyMs = EVERY_MS, confirmAfterMs = CONFIRM_AFTER_MS } = options;
  const known = new Map<string, string>();
  let turn = 0;

  /** Every other time an account that was wrong, to detect soon that it is correct again. */
  const next = async (): Promise<string | undefined> => {
    const wrong = [...known.keys()];
    return turn++ % 2 === 1 && wrong.length > 0 ? wrong[(turn >> 1) % wrong.length] : pick();
  };

  const sample = async (rest: Rest): Promise<Result> => {
    const accountId = await next();
    if (accountId === undefined) return 'skipped';
    const first = await audit(accountId);
    if (!first) return 'skipped';
    if (first.length === 0) return agreed(accountId);
    await rest.pause(confirmAfterMs);
    const second = rest.ended ? undefined : await audit(accountId);
    if (!second) return 'skipped';
    if (second.length === 0) return agreed(accountId);
    const same = new Set(first.map(({ what }) => what));
    const confirmed = second.filter(({ what }) => same.has(what));
    return confirmed.length > 0 ? disagreed(accountId, confirmed) : 'skipped';
  };

  const agreed = (accountId: string): Result => {
    if (known.delete(accountId)) mended(accountId);
    return 'agreed';
  };

  const disagreed = (accountId: string, differences: readonly Difference[]): Result => {
    const what = differences.map((one) => one.what).join();
    if (known.get(accountId) !== what) alarm(accountId, differences);
    if (known.size < MAX_KNOWN || known.has(accountId)) known.set(accountId, what);
    return 'disagreed';
  };

  const { close } = inRounds(async (rest) => {
    for (await rest.pause(everyMs); !rest.ended; await rest.pause(everyMs)) {
      const result = await sample(rest).catch((error: unknown) => {
        failed(error);
        return 'skipped' as const;
      });
      sampled(result);
    }
  });

  return {
    get disagreeing() {
      return known.size;
    },
    close,
  };
};
