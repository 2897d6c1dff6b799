import { createHmac } from 'node:crypto';
import type { AccountRefusal } from '../../domain/account/decide.ts';
import type { AccountEvent } from '../../domain/account/events.ts';
import { invariant } from '../../domain/decider.ts';
import type { Credits } from '../../domain/money.ts';
import type { Recorded } from '../../eventstore/journal/codec.ts';
import type { Outcome } from '../../eventstore/commands.ts';

/** What came of an earlier request under the same key, where this one must not be carried out. */
export type Duplicate = {
  readonly code: 'idempotency_in_progress' | 'idempotency_key_used' | 'idempotency_key_reused';
  readonly generationId: string;
  /** What it cost, where it has ended. */
  readonly charged?: Credits;
  /** It is never for want of credits, nor for a limit. */
  readonly funds?: never;
  readonly limit?: never;
};

/** The first event that a command left in the log. */
export type RecordedBy = (accountId: string, commandId: string) => Promise<Recorded<AccountEvent> | undefined>;

export type IdempotencyOptions = {
  readonly asked: {
    readonly accountId: string;
    readonly endpoint: string;
    readonly body: Uint8Array;
    readonly idempotencyKey: string;
  };
  readonly recordedBy: RecordedBy;
  /** The same on every node, and not in the database: with another one, earlier keys are not known again. */
  readonly secret: string;
};

/** Lets no more than one request under a key be charged. */
export type Idempotency = {
  /** Tells two requests under one key apart. */
  readonly requestHash: string;
  /** Places the hold of a request by commands of these names, each of which the log takes once. */
  reserve(requestId: string, execute: Execute): Promise<AccountRefusal | Duplicate | undefined>;
  /**
   * For a charge after the hold was given up as lost. It takes the place of the next attempt, so that of the two only the
   * first is charged: where another attempt was made meanwhile, the command finds that one in its place, and charges nothing.
   */
  lateCommandId(): string;
};

type Execute = (commandId: string) => Promise<Outcome<AccountEvent, AccountRefusal>>;
type Of<Type extends AccountEvent['type']> = Extract<AccountEvent, { type: Type }>;
/** What stands in one of a key's places: an attempt, or the late charge for the one before it. */
type Claim = { readonly n: number; readonly event: Of<'CreditsReserved' | 'LateUsageCharged'> };

/** The ways in which a hold ends: the commands that do so are named after the request. */
export type LastStep = 'settle' | 'release' | 'orphaned';
const LAST_STEPS: readonly LastStep[] = ['settle', 'release', 'orphaned'];

export const lastCommandId = (requestId: string, step: LastStep): string => `${requestId.slice('gen-'.length)}/${step}`;

/**
 * A key has places, one after another, and each is the name of a command: so the log, where a command writes once, decides
 * who is carried out, and nothing needs to be remembered. A place is tried only when what stands in the one before it is
 * known to have ended without a charge. Neither the key nor the request is kept, for they may say anything; and as what
 * is kept of them is made with a secret, nobody who reads the log can try out what they were.
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
    const event = (await recordedBy(accountId, commandId(n)))?.event;
    return event?.type === 'CreditsReserved' || event?.type === 'LateUsageCharged' ? { n, event } : undefined;
  };

  /** There are no gaps between the places taken, so that not each must be looked at, however many have failed. */
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

  /** Undefined where it ended without a charge. */
  const duplicateOf = async ({ n, event }: Claim): Promise<Duplicate | undefined> => {
    const { requestId: generationId } = event;
    const ends = event.type === 'CreditsReserved' ? await endsOf(generationId) : [event];
    const charge = ends.find((end) => end?.type === 'HoldSettled' || end?.type === 'LateUsageCharged');
    // An end that is not known here reads as none: better to refuse for ever than to charge twice.
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
        const [first] = outcome.events;
        if (!first || (first.type === 'CreditsReserved' && first.requestId === requestId)) return undefined;
        const claim = await latest();
        const duplicate = await duplicateOf(claim);
        if (duplicate) return duplicate;
        place = claim.n + 1;
      }
    },
    lateCommandId: () => commandId(place + 1),
  };
};
