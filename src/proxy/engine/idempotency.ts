import { createHmac } from 'node:crypto';
import type { AccountRefusal } from '../../domain/account/decide.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import { invariant } from '../../domain/decider.ts';
import type { Credits } from '../../domain/money.ts';
import type { Recorded } from '../../eventstore/journal/codec.ts';
import type { Outcome } from '../../eventstore/commands.ts';

/** The outcome of an earlier request under the same key. This request must not run. */
export type Duplicate = {
  readonly code: 'idempotency_in_progress' | 'idempotency_key_used' | 'idempotency_key_reused';
  readonly generationId: string;
  /** What it cost, if it has ended. */
  readonly charged?: Credits;
  /** Duplicates carry no funds or limit details. */
  readonly funds?: never;
  readonly limit?: never;
};

/** Returns the first event that a command wrote to the log, or the first of these types. */
export type RecordedBy = (
  accountId: string,
  commandId: string,
  types?: readonly AccountEvent['type'][],
) => Promise<Recorded<AccountEvent> | undefined>;

export type IdempotencyOptions = {
  readonly asked: {
    readonly accountId: string;
    readonly endpoint: string;
    readonly body: Uint8Array;
    readonly idempotencyKey: string;
  };
  readonly recordedBy: RecordedBy;
  /** The same on every node, and not stored in the database. If it changes, earlier keys are not recognised. */
  readonly secret: string;
};

/** Ensures that at most one request under a key is charged. */
export type Idempotency = {
  /** Distinguishes different requests under one key. */
  readonly requestHash: string;
  /**
   * Places the hold of a request. `execute` receives command ids derived from the key, and the log accepts each id
   * once.
   */
  reserve(requestId: string, execute: Execute): Promise<AccountRefusal | Duplicate | undefined>;
  /**
   * The command id of a charge after the hold was released as orphaned. It is the id of the next attempt, so that only
   * the first of the two is charged: if another attempt was made in the meantime, the command finds its event under
   * this id, and charges nothing.
   */
  lateCommandId(): string;
};

type Execute = (commandId: string) => Promise<Outcome<AccountEvent, AccountRefusal>>;
type Of<Type extends AccountEvent['type']> = Extract<AccountEvent, { type: Type }>;
/** The event in one of a key's places: an attempt, or the late charge of the attempt before it. */
const CLAIMS = ['CreditsReserved', 'LateUsageCharged'] as const;
type Claim = { readonly n: number; readonly event: Of<'CreditsReserved' | 'LateUsageCharged'> };

/** The ways in which a hold ends. The ids of the commands that end it derive from the request id. */
export type LastStep = 'settle' | 'release' | 'orphaned';
const LAST_STEPS: readonly LastStep[] = ['settle', 'release', 'orphaned'];

export const lastCommandId = (requestId: string, step: LastStep): string => `${requestId.slice('gen-'.length)}/${step}`;

/**
 * A key has a sequence of places. Each place is a command id, and the log accepts a command id once, so the log decides
 * which request runs, and no other state is needed. A place is tried only if the attempt in the place before it has
 * ended without a charge. Neither the key nor the request is stored, because they may contain anything. Only HMACs with
 * a secret are stored, so a reader of the log cannot test guesses.
 */
export const createIdempotency = ({ asked, recordedBy, secret }: IdempotencyOptions): Idempotency => {
  const { accountId, endpoint, body, idempotencyKey } = asked;
  const scope = JSON.stringify(['completion', accountId, idempotencyKey]);
  const named = `idem-${createHmac('sha256', secret).update(scope).digest('hex')}`;
  const commandId = (n: number): string => `${named}/${n}`;
  const requestHash = createHmac('sha256', secret)
    .update(JSON.stringify([scope, endpoint]))
    .update(body)
    .digest('hex');
  let place = 0;

  const claimOf = async (n: number): Promise<Claim | undefined> => {
    const event = (await recordedBy(accountId, commandId(n), CLAIMS))?.event;
    return event?.type === 'CreditsReserved' || event?.type === 'LateUsageCharged' ? { n, event } : undefined;
  };

  /** Finds the last taken place. Taken places have no gaps, so a search with growing steps and bisection is enough. */
  const latest = async (): Promise<Claim> => {
    let known = await claimOf(place);
    invariant(known !== undefined, 'a place that is taken is taken for good');
    let step = 1;
    for (let further; (further = await claimOf(known.n + step)); step *= 2) known = further;
    let free = known.n + step;
    while (free - known.n > 1) {
      const middle = Math.floor((known.n + free) / 2);
      const found = await claimOf(middle);
      if (found) known = found;
      else free = middle;
    }
    return known;
  };

  /** Undefined if the attempt ended without a charge. */
  const duplicateOf = async ({ n, event }: Claim): Promise<Duplicate | undefined> => {
    const { requestId: generationId } = event;
    const ends = event.type === 'CreditsReserved' ? await endsOf(generationId) : [event];
    const charge = ends.find((end) => end?.type === 'HoldSettled' || end?.type === 'LateUsageCharged');
    // An unknown end counts as no end: refusing the key forever is better than charging twice.
    if (!charge && ends.some((end) => end?.type === 'HoldReleased')) return undefined;
    const attempt = event.type === 'CreditsReserved' ? event : (await claimOf(n - 1))?.event;
    const same = attempt?.type === 'CreditsReserved' && attempt.requestHash === requestHash;
    if (!same) return { code: 'idempotency_key_reused', generationId };
    if (!charge) return { code: 'idempotency_in_progress', generationId };
    return { code: 'idempotency_key_used', generationId, charged: charge.charged };
  };

  const endsOf = (generationId: string): Promise<(AccountEvent | undefined)[]> =>
    Promise.all(
      LAST_STEPS.map(async (step) => (await recordedBy(accountId, lastCommandId(generationId, step)))?.event),
    );

  return {
    requestHash,
    reserve: async (requestId, execute) => {
      for (;;) {
        const outcome = await execute(commandId(place));
        if (outcome.kind === 'refused') return outcome.refusal;
        if (outcome.events.length === 0 || holdIn(outcome.events)?.requestId === requestId) return undefined;
        const claim = await latest();
        const duplicate = await duplicateOf(claim);
        if (duplicate) return duplicate;
        place = claim.n + 1;
      }
    },
    lateCommandId: () => commandId(place + 1),
  };
};

/** The hold that a command placed. Other events may come before it: ends of lots, and the acceptance of the terms. */
export const holdIn = (events: readonly AccountEvent[]): Of<'CreditsReserved'> | undefined =>
  events.find((event) => event.type === 'CreditsReserved');
