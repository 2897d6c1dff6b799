import type { AccountCommand, AccountRefusal, ReserveCredits } from '../../domain/account/decide.ts';
import type { AccountEvent, Delivery, PinnedPrice, ReleaseReason } from '../../domain/account/events.ts';
import { invariant } from '../../domain/decider.ts';
import type { Credits, Usage } from '../../domain/money.ts';
import type { Metadata } from '../../eventstore/journal/codec.ts';
import type { CommandOptions, Outcome } from '../../eventstore/commands.ts';
import { StoreUnavailable } from '../../eventstore/event-store.ts';
import { holdIn, lastCommandId, type Idempotency } from './idempotency.ts';
import type { Hold, Reserve } from './hold.ts';

/** Executes a command on an account. Resolves once the outcome is durable. */
export type ExecuteOnAccount = (
  accountId: string,
  command: AccountCommand,
  metadata: Metadata,
  options?: CommandOptions,
) => Promise<Outcome<AccountEvent, AccountRefusal>>;

/**
 * The hold of one request on its account, and the end of that hold. While the store is unavailable, the end is retried:
 * an open hold would block the customer's credits for the lifetime of this process.
 */
export type Ledger = {
  readonly requestId: string;
  readonly reserve: Reserve;
  /**
   * Extends the hold by credits and tokens, or returns the refusal. Each extension has a name under which it can be
   * retried.
   */
  extend(by: Credits, tokens: number, step: string, options?: CommandOptions): Promise<AccountRefusal | undefined>;
  /**
   * Charges the usage, releases the rest of the hold, and returns the amount charged. The tokens of `beyond` are not
   * part of the usage and are written off.
   */
  settle(usage: Usage, price: PinnedPrice, delivery: Delivery, beyond?: Usage): Promise<Credits>;
  /** Releases the whole hold. Does nothing if the hold has already ended. */
  release(reason: ReleaseReason, detail: string): Promise<void>;
};

type Answered = Promise<Outcome<AccountEvent, AccountRefusal>>;

export type LedgerOptions = {
  readonly execute: ExecuteOnAccount;
  readonly asked: { readonly uuid: string; readonly accountId: string; readonly keyId: string };
  /** The run that places the hold. It changes if the in-memory state of the previous run is no longer valid. */
  readonly runId: () => string;
  readonly now: () => Date;
  /** Whether this process is stopping. Other nodes then end the holds of its run. */
  readonly stopping: () => boolean;
  /** Set if the request has an Idempotency-Key. */
  readonly once?: Idempotency | undefined;
  /** The terms in force: the first request after they took effect accepts them. */
  readonly terms?: ReserveCredits['terms'];
};

/** Fault: the charge may or may not be in the log, so the request must not be retried as if it were not. */
export class SettlementUnknown extends Error {
  override readonly name = 'SettlementUnknown';
  readonly code = 'settlement_unknown';
}

const isWithoutAccount = (outcome: Awaited<Answered>): boolean =>
  outcome.kind === 'refused' && outcome.refusal.code === 'account_not_found';

/** In addition to the store's own retries. */
const TRY_AGAIN_MS = 1000;

export const generationIdOf = (uuid: string): string => `gen-${uuid}`;
/**
 * The id of the command that ends an orphaned hold. It derives from the request id, so every node uses the same one.
 */
export const orphanCommandId = (requestId: string): string => lastCommandId(requestId, 'orphaned');

export const createLedger = ({ execute, asked, runId, now, stopping, once, terms }: LedgerOptions): Ledger => {
  const { uuid, accountId, keyId } = asked;
  const requestId = generationIdOf(uuid);
  const askAs = (commandId: string, command: AccountCommand, options?: CommandOptions): Answered =>
    execute(accountId, command, { actor: `key:${keyId}`, commandId }, options);
  const nameOf = (step: string): string => `${uuid}/${step}`;

  /** When the hold was placed, according to the log. A late charge counts towards that day. */
  let reservedAt: number | undefined;
  const reserveAs = async (commandId: string, hold: Hold, once?: Idempotency): Answered => {
    const { amount, spare, price, request } = hold;
    const at = now().getTime();
    const command: ReserveCredits = {
      ...{ type: 'ReserveCredits', requestId, keyId, runId: runId(), amount, price, request, at },
      ...(spare === undefined ? {} : { spare }),
      ...(once ? { requestHash: once.requestHash } : {}),
      ...(terms ? { terms } : {}),
    };
    const outcome = await askAs(commandId, command, once ? { mayRepeat: true } : undefined);
    if (outcome.kind === 'accepted') reservedAt = holdIn(outcome.events)?.at ?? reservedAt;
    return outcome;
  };

  const insist = async (command: AccountCommand, step: string, shared?: string): Answered => {
    const commandId = shared ?? nameOf(step);
    // An id that is not of this request alone may belong to an event already.
    for (let mayRepeat = shared !== undefined; ; mayRepeat = true) {
      try {
        return await askAs(commandId, command, { mayRepeat });
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || stopping()) throw error;
        await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
      }
    }
  };

  return {
    requestId,
    reserve: async (hold, step) => {
      if (once) return once.reserve(requestId, (id) => reserveAs(id, hold, once));
      const outcome = await reserveAs(nameOf(step), hold);
      return outcome.kind === 'accepted' ? undefined : outcome.refusal;
    },
    extend: async (by, tokens, step, options) => {
      const at = now().getTime();
      const outcome = await askAs(nameOf(step), { type: 'ExtendHold', requestId, by, at, tokens }, options);
      return outcome.kind === 'accepted' ? undefined : outcome.refusal;
    },
    settle: (usage, price, delivery, beyond) =>
      settle({
        insist,
        used: { requestId, usage, ...(beyond ? { beyond } : {}) },
        ...{ keyId, price, delivery, reservedAt, lateCommandId: once?.lateCommandId },
      }),
    release: async (reason, detail) => {
      const outcome = await insist({ type: 'ReleaseHold', requestId, reason, detail }, 'release');
      const ended =
        outcome.kind === 'accepted' || outcome.refusal.code === 'hold_not_open' || isWithoutAccount(outcome);
      invariant(ended, 'a hold can always be released');
    },
  };
};

type Settling = {
  readonly insist: (command: AccountCommand, step: string, commandId?: string) => Answered;
  readonly used: { readonly requestId: string; readonly usage: Usage; readonly beyond?: Usage };
  readonly keyId: string;
  readonly price: PinnedPrice;
  readonly delivery: Delivery;
  readonly reservedAt: number | undefined;
  readonly lateCommandId: (() => string) | undefined;
};

const settle = async (settling: Settling): Promise<Credits> => {
  const { insist, used, price } = settling;
  const outcome = await charge(settling).catch((cause: unknown) => {
    throw cause instanceof StoreUnavailable ? new SettlementUnknown(cause.message, { cause }) : cause;
  });
  // The log was rewound to before the account existed, so there are no credits to charge.
  if (isWithoutAccount(outcome)) return 0n;
  invariant(outcome.kind === 'accepted', 'a request is always settled');
  for (const event of outcome.events) {
    if (event.type === 'HoldSettled' || event.type === 'LateUsageCharged') return event.charged;
  }
  // Another attempt under the same idempotency key was made in the meantime and is charged instead.
  await insist({ type: 'WriteOffLateUsage', ...used, price }, 'write-off');
  return 0n;
};

const charge = async (settling: Settling): Answered => {
  const { insist, used, keyId, price, delivery, reservedAt, lateCommandId } = settling;
  const outcome = await insist({ type: 'SettleHold', ...used, delivery }, 'settle');
  if (outcome.kind === 'accepted' || outcome.refusal.code !== 'hold_not_open') return outcome;
  // Another node considered this process dead and released its hold. The delivered output is charged to available
  // credits.
  const at = reservedAt === undefined ? {} : { at: reservedAt };
  const late: AccountCommand = { type: 'ChargeLateUsage', ...used, keyId, price, delivery, ...at };
  return insist(late, 'late', lateCommandId?.());
};
