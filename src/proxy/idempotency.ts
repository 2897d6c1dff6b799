import { createHash, hash } from 'node:crypto';
import type { AccountRefusal } from '../domain/account/decide.ts';
import type { AccountEvent } from '../domain/account/events.ts';
import type { Credits } from '../domain/money.ts';
import type { Recorded } from '../eventstore/codec.ts';
import type { Outcome } from '../eventstore/commands.ts';

/** What came of an earlier request under the same key, where this one must not be carried out. */
export type Duplicate = {
  readonly code: 'idempotency_in_progress' | 'idempotency_key_used' | 'idempotency_key_reused';
  readonly generationId: string;
  /** What it cost, where it has ended. */
  readonly charged?: Credits;
  /** It is never for want of credits. */
  readonly funds?: never;
};

/** The first event that a command left in the log. */
export type RecordedBy = (commandId: string) => Promise<Recorded<AccountEvent> | undefined>;

export type IdempotencyOptions = {
  readonly asked: {
    readonly accountId: string;
    readonly endpoint: string;
    readonly body: Uint8Array;
    readonly idempotencyKey: string;
  };
  readonly recordedBy: RecordedBy;
};

/** Lets no more than one request under a key be charged. */
export type Idempotency = {
  /** Tells two requests under one key apart. */
  readonly requestHash: string;
  /** Places the hold of a request by commands of these names, each of which the log takes once. */
  reserve(requestId: string, execute: Execute): Promise<AccountRefusal | Duplicate | undefined>;
};

type Execute = (commandId: string) => Promise<Outcome<AccountEvent, AccountRefusal>>;
type Reserved = Extract<AccountEvent, { type: 'CreditsReserved' }>;
type Attempt = { readonly n: number; readonly reserved: Reserved };

/** Every way in which a hold ends, or is charged for afterwards: the commands that do so are named after the request. */
export type LastStep = 'settle' | 'late' | 'release' | 'orphaned';
const LAST_STEPS: readonly LastStep[] = ['settle', 'late', 'release', 'orphaned'];

export const lastCommandId = (requestId: string, step: LastStep): string => `${requestId.slice('gen-'.length)}/${step}`;

/**
 * The reservation of the n-th attempt under a key is a command of one name, whoever asks: so the log, where each command
 * writes once, decides which of many is carried out, and nothing needs to be remembered. An attempt is made only when the
 * one before it is known to have ended without a charge. The key itself is never kept, for it may say anything; and as it
 * goes into the hash of the request, nobody can try out prompts against what is kept.
 */
export const createIdempotency = ({ asked, recordedBy }: IdempotencyOptions): Idempotency => {
  const { accountId, endpoint, body, idempotencyKey } = asked;
  const scope = JSON.stringify(['completion', accountId, idempotencyKey]);
  const named = `idem-${hash('sha256', scope, 'hex')}`;
  const commandId = (n: number): string => `${named}/${n}`;
  const requestHash = createHash('sha256')
    .update(JSON.stringify([scope, endpoint]))
    .update(body)
    .digest('hex');
  let next = 0;

  const attempt = async (n: number): Promise<Attempt | undefined> => {
    const event = (await recordedBy(commandId(n)))?.event;
    return event?.type === 'CreditsReserved' ? { n, reserved: event } : undefined;
  };

  /** There are no gaps between attempts, so that not each must be asked for, however many have failed. */
  const latestFrom = async (known: Attempt): Promise<Attempt> => {
    let latest = known;
    let step = 1;
    for (let further; (further = await attempt(latest.n + step)); step *= 2) latest = further;
    for (let high = latest.n + step; high - latest.n > 1;) {
      const middle = Math.floor((latest.n + high) / 2);
      const found = await attempt(middle);
      if (found) latest = found;
      else high = middle;
    }
    return latest;
  };

  const duplicateOf = async (reserved: Reserved): Promise<Duplicate | undefined> => {
    const { requestId: generationId } = reserved;
    const ends = await Promise.all(LAST_STEPS.map((step) => recordedBy(lastCommandId(generationId, step))));
    const events = ends.map((end) => end?.event);
    const charge = events.find((event) => event?.type === 'HoldSettled' || event?.type === 'LateUsageCharged');
    // An end that is not known here reads as none: better to refuse for ever than to charge twice.
    if (!charge && events.some((event) => event?.type === 'HoldReleased')) return undefined;
    if (reserved.requestHash !== requestHash) return { code: 'idempotency_key_reused', generationId };
    if (!charge) return { code: 'idempotency_in_progress', generationId };
    return { code: 'idempotency_key_used', generationId, charged: charge.charged };
  };

  return {
    requestHash,
    reserve: async (requestId, execute) => {
      for (;;) {
        const outcome = await execute(commandId(next));
        if (!outcome.accepted) return outcome.refusal;
        const [reserved] = outcome.events;
        if (reserved?.type !== 'CreditsReserved' || reserved.requestId === requestId) return undefined;
        const latest = await latestFrom({ n: next, reserved });
        const duplicate = await duplicateOf(latest.reserved);
        if (duplicate) return duplicate;
        next = latest.n + 1;
      }
    },
  };
};
