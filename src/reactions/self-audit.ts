import { inRounds, type Rest } from './rounds.ts';

/** What the log says and a row does not. */
export type Difference = { readonly what: string; readonly log: string; readonly row: string };

export type Result = 'agreed' | 'disagreed' | 'skipped';

export type SelfAuditOptions = {
  /** An account to look at; undefined where there is none. */
  readonly pick: () => Promise<string | undefined>;
  /** What differs between an account and its rows; undefined where that cannot be told now. */
  readonly audit: (accountId: string) => Promise<readonly Difference[] | undefined>;
  readonly sampled: (result: Result) => void;
  /** Rows are wrong, and were not known to be so in this way. */
  readonly alarm: (accountId: string, differences: readonly Difference[]) => void;
  /** The rows of an account that an alarm was about are right again. */
  readonly mended: (accountId: string) => void;
  /** The database is away, most likely: nothing is known, and so nothing is wrong. */
  readonly failed: (error: unknown) => void;
  readonly everyMs?: number;
  readonly confirmAfterMs?: number;
};

export type SelfAudit = {
  /** The accounts whose rows were wrong when this last looked. */
  readonly disagreeing: number;
  close(): Promise<void>;
};

const EVERY_MS = 1000;
/** Long enough for whatever passes to have passed. */
const CONFIRM_AFTER_MS = 500;
/** How many wrong accounts are remembered: more than these are not told of once, but whenever they are seen. */
const MAX_KNOWN = 1000;

/**
 * Looks at one account after another, for ever, and raises an alarm where it and its rows disagree. A false alarm is
 * worse than none, so each disagreement is looked at a second time before it is one.
 */
export const startSelfAudit = (options: SelfAuditOptions): SelfAudit => {
  const { pick, audit, sampled, alarm, mended, failed } = options;
  const { everyMs = EVERY_MS, confirmAfterMs = CONFIRM_AFTER_MS } = options;
  const known = new Map<string, string>();
  let turn = 0;

  /** Every other time one that was wrong, so that it is noticed soon when it is right again. */
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
