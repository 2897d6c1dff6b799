import { isDeepStrictEqual } from 'node:util';
import { evolveAccount, initialAccount, type Account } from '../../src/domain/account/account.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { available } from '../../src/domain/account/wallet.ts';
import type { Recorded } from '../../src/eventstore/journal/codec.ts';
import { StoreUnavailable } from '../../src/eventstore/event-store.ts';
import { balances, type BalanceRow } from '../../src/projections/rows/balances.ts';
import { requests, type RequestRow } from '../../src/projections/rows/requests.ts';
import { audit, type Charge } from '../../test/reference/audit-history.ts';
import type { Era } from './eras.ts';
import type { CommandCall, History, ReadCall } from './history.ts';
import { ACCOUNTS } from './plan.ts';
import { ask, carryOut, openLedger, type Ledger, type Verdict } from '../../test/reference/command-ledger.ts';
import { areExpected, isExpected } from '../../test/reference/expected.ts';
import { plainBooks, plainWallet } from '../../test/reference/plain-wallet.ts';
import { answerOf, eventInWords, show, whatOf } from './story.ts';

/** A promise that a history breaks. */
export class BrokenHistory extends Error {
  override readonly name = 'BrokenHistory';
}

/** Throws BrokenHistory unless all events and all answers are explained by commands executed one after another. */
export const judge = (history: History): void => {
  for (const node of history.unaware) broken(`node ${node} never noticed that the log went back in time`);
  ACCOUNTS.forEach((_, account) => {
    const of = <C extends CommandCall | ReadCall>(calls: readonly C[]): C[] =>
      calls.filter(({ what }) => what.account === account);
    judgeAccount(account, history, of(history.calls), of(history.reads));
  });
};

/** One account in one era. */
type Ledgered = {
  readonly log: readonly Recorded[];
  readonly byCommand: ReadonlyMap<string, readonly Recorded[]>;
  /**
   * The positions between which a call was answered; undefined if it was answered before this era, or requested after
   * it.
   */
  readonly windowOf: (call: Pick<CommandCall, 'from' | 'to'>) => Window | undefined;
  /** Charges of other eras: a caller may have received them, and ask to reverse them. */
  readonly lost: readonly Charge[];
  /** The era in which the event at a position was written. */
  readonly bornIn: (position: number) => number;
};
type Window = { readonly from: number; readonly to: number };

const ledgered = (eras: readonly Era[], account: number): readonly Ledgered[] =>
  eras.map(({ logs, since }, era) => {
    const log = logs[account] ?? [];
    return {
      log,
      lost: eras.flatMap((other, n) =>
        n === era ? [] : (other.logs[account] ?? []).map(({ event }) => event).filter(isCharge),
      ),
      byCommand: Map.groupBy(log, ({ metadata }) => metadata.commandId),
      windowOf: ({ from, to }) =>
        era < from.era || era > to.era
          ? undefined
          : { from: era === from.era ? from.position : since, to: era === to.era ? to.position : Infinity },
      bornIn: (position) => {
        let born = era;
        while (born > 0 && position <= (eras[born]?.since ?? 0)) born--;
        return born;
      },
    };
  });

const isCharge = (event: { readonly type: string }): event is Charge =>
  event.type === 'HoldSettled' || event.type === 'LateUsageCharged';

const judgeAccount = (
  account: number,
  { eras, commands }: History,
  calls: readonly CommandCall[],
  reads: readonly ReadCall[],
): void => {
  for (const call of [...calls, ...reads]) judgeFault(call);
  const all = ledgered(eras, account);
  for (const done of Map.groupBy(calls.filter(wasDone), ({ what }) => what.commandId).values()) judgeDone(done, all);

  // An answer without events must be right at some moment between request and answer, before the command had its
  // effect.
  const unexplained = new Set(calls.filter(wroteNothing));
  const unread = new Set(reads.filter(({ answer }) => answer && !(answer instanceof Error)));
  for (const era of all) judgeEra(era, commands, unexplained, unread);
  for (const call of unexplained) {
    broken(`nothing explains the answer to ${whatOf(call.what)}: ${answerOf(call.answer)}`);
  }
  for (const { what, answer } of unread) broken(`the account was never what ${whatOf(what)} told: ${answerOf(answer)}`);
};

/** Removes the calls that this era explains. */
const judgeEra = (
  { log, lost, byCommand, windowOf }: Ledgered,
  commands: History['commands'],
  unexplained: Set<CommandCall>,
  unread: Set<ReadCall>,
): void => {
  const before = (position: number): number => log.filter((recorded) => recorded.position <= position).length;
  // Once a command has had its effect, a repetition returns that effect. If the log went back during the look-up, the
  // effect is gone, and the answer is that of the earlier stream.
  const effectOf = ({ what, from, to }: CommandCall): number =>
    from.era === to.era ? (byCommand.get(what.commandId)?.[0]?.revision ?? Infinity) : Infinity;
  const isWithin = (revision: number, call: CommandCall | ReadCall): boolean => {
    const window = windowOf(call);
    return window !== undefined && revision >= before(window.from) && revision <= before(window.to);
  };

  const ledger = openLedger();
  let account = initialAccount();
  let row: BalanceRow | undefined;
  const receipts = new Map<string, RequestRow>();
  for (let revision = 0; ;) {
    judgeState(account, ledger, row);
    judgeReceipts(receipts, ledger);
    for (const call of unexplained) {
      if (!isWithin(revision, call) || revision > effectOf(call)) continue;
      if (explains(ask(ledger, call.what.command), call, revision)) unexplained.delete(call);
    }
    for (const call of unread) {
      if (!isWithin(revision, call)) continue;
      if (isDeepStrictEqual(call.answer, { state: account, revision: revision - 1 })) unread.delete(call);
    }
    const first = log[revision];
    if (!first) break;
    const own = sameCommand(log, revision);
    judgeEffect(own, carryOut(ledger, commandOf(commands, first)));
    if (own.length !== byCommand.get(first.metadata.commandId)?.length) {
      broken(`${idInWords(first.metadata.commandId)} is in the log more than once, or in pieces`);
    }
    account = own.reduce((past, { event }) => evolveAccount(past, event as AccountEvent), account);
    row = own.reduce((past, recorded) => project(past, recorded), row);
    for (const recorded of own) promiseOf(() => takeIn(receipts, recorded));
    revision += own.length;
  }
  promiseOf(() =>
    audit(
      log.map(({ event }) => event as AccountEvent),
      lost,
    ),
  );
};

const judgeFault = ({ what, answer, state, calm }: CommandCall | ReadCall): void => {
  if (state === 'open') broken(`${whatOf(what)} was never answered, though its process lives`);
  if (!(answer instanceof Error)) return;
  if (!(answer instanceof StoreUnavailable)) broken(`${whatOf(what)} failed with ${answerOf(answer)}`);
  if (calm) broken(`${whatOf(what)} failed though all was calm: ${answerOf(answer)}`);
};

/** An answer that a command is done must match the log at some moment between request and answer. */
const judgeDone = (done: readonly CommandCall[], eras: readonly Ledgered[]): void => {
  /** The eras in which the command was done, according to the first answers. */
  const firsts = new Set<number>();
  // Earlier answers take the first era that fits, so that the later ones are left for later answers.
  const inTurn = done.toSorted((a, b) => a.to.era - b.to.era || a.to.position - b.to.position);
  for (const call of inTurn) {
    const { what, answer } = call;
    let flaw: string | undefined = ', but no history of the log has it';
    for (const era of eras) {
      const window = era.windowOf(call);
      if (window) flaw = flawOf(call, era, window, firsts);
      if (flaw === undefined) break;
    }
    if (flaw !== undefined) broken(`${whatOf(what)} is said to be ${answerOf(answer)}${flaw}`);
  }
};

/** Why an era does not explain the answer that a command is done. */
const flawOf = (
  { what, answer }: CommandCall,
  { byCommand, bornIn }: Ledgered,
  { from, to }: Window,
  firsts: Set<number>,
): string | undefined => {
  if (!answer || answer instanceof Error || answer.kind === 'refused') return undefined;
  const own = byCommand.get(what.commandId) ?? [];
  const last = own.at(-1);
  if (!last) return ', but is not in the log';
  const inLog = own.map(({ event }) => event);
  if (!isDeepStrictEqual(answer.events, inLog)) return `, but the log has ${events(own)}`;
  // Some stores assign positions after the append.
  if (answer.revision !== last.revision || (answer.position ?? last.position) !== last.position) {
    return ` and position ${answer.position}, but the log has it at ${last.revision} and ${last.position}`;
  }
  if (last.position > to) return ' before it is in the log';
  if (answer.repeated) return undefined;
  if (last.position <= from) return ', though it was done before it was asked';
  if (firsts.has(bornIn(last.position))) return ', to more than one caller';
  firsts.add(bornIn(last.position));
  return undefined;
};

const judgeEffect = (own: readonly Recorded[], verdict: Verdict): void => {
  const found = events(own);
  if ('refusal' in verdict) return broken(`the log has ${found}, which must be refused: ${show(verdict.refusal)}`);
  const { effects } = verdict;
  if (
    areExpected(
      own.map(({ event }) => event),
      effects,
    )
  )
    return;
  broken(`the log has ${found}, where there must be ${effects.map(eventInWords).join(' and ') || 'nothing'}`);
};

/** The domain's fold, the projection and the reference must agree, and no amount may be negative. */
const judgeState = (
  { wallet, standing }: Account,
  { money, writtenOff }: Ledger,
  row: BalanceRow | undefined,
): void => {
  const [folded, reference] = [plainWallet(wallet), plainBooks(money)];
  if (!isDeepStrictEqual(folded, reference)) broken(`the account has ${show(folded)} and must have ${show(reference)}`);
  if (wallet.balance < 0n || available(wallet) < 0n) broken(`the account is negative: ${show(folded)}`);
  const causes = standing.suspensions.map(({ cause }) => cause);
  if (!isDeepStrictEqual(causes, money.suspensions)) {
    broken(`the account is suspended for ${show(causes)} and must be for ${show(money.suspensions)}`);
  }
  if (!row) return;
  const { toppedUp, charged, expired, held } = reference;
  const projected = [row.topped_up, row.charged, row.expired, row.written_off, row.held, row.open_holds];
  const due = [toppedUp, charged, expired, writtenOff, held, money.holds.size];
  if (!isDeepStrictEqual(projected, due)) broken(`the balances have ${show(projected)} and must have ${show(due)}`);
};

const project = (row: BalanceRow | undefined, recorded: Recorded): BalanceRow | undefined => {
  const [key] = balances.keysOf(recorded);
  return key ? balances.evolve(row, recorded, key) : row;
};

const takeIn = (receipts: Map<string, RequestRow>, recorded: Recorded): void => {
  for (const [id = ''] of requests.keysOf(recorded)) {
    receipts.set(id, requests.evolve(receipts.get(id), recorded, [id]));
  }
};

/** Open requests must be those that have a hold. */
const judgeReceipts = (receipts: ReadonlyMap<string, RequestRow>, { money: { holds } }: Ledger): void => {
  const open = [...receipts].flatMap(([id, { status }]) => (status === 'open' ? [id] : [])).sort();
  const held = [...holds.keys()].sort();
  if (!isDeepStrictEqual(open, held)) broken(`the requests ${show(open)} are open, and ${show(held)} have a hold`);
};

const explains = (verdict: Verdict, { answer }: CommandCall, revision: number): boolean => {
  if (!answer || answer instanceof Error) return false;
  if (answer.kind === 'refused') return isExpected(answer.refusal, verdict);
  return 'effects' in verdict && verdict.effects.length === 0 && answer.revision === revision - 1;
};

const wasDone = ({ answer }: CommandCall): boolean =>
  answer !== undefined && !(answer instanceof Error) && answer.kind === 'accepted' && answer.events.length > 0;
const wroteNothing = (call: CommandCall): boolean =>
  call.answer !== undefined && !(call.answer instanceof Error) && !wasDone(call);

const sameCommand = (log: readonly Recorded[], from: number): readonly Recorded[] => {
  const { commandId } = log[from]?.metadata ?? {};
  const end = log.findIndex(({ metadata }, n) => n > from && metadata.commandId !== commandId);
  return log.slice(from, end === -1 ? undefined : end);
};

const commandOf = (commands: History['commands'], { metadata, event }: Recorded) =>
  commands.get(metadata.commandId) ?? broken(`nobody asked for ${event.type} of ${idInWords(metadata.commandId)}`);

/** Without the name of the history. */
const idInWords = (commandId: string): string => `#${commandId.slice(commandId.indexOf('/') + 1)}`;

const events = (own: readonly Recorded[]): string =>
  own.map(({ event, metadata }) => `${eventInWords(event)} of ${idInWords(metadata.commandId)}`).join(' and ');

const promiseOf = (check: () => unknown): void => {
  try {
    check();
  } catch (error) {
    broken(error instanceof Error ? error.message : String(error));
  }
};

function broken(what: string): never {
  throw new BrokenHistory(what);
}
