import { isDeepStrictEqual } from 'node:util';
import { evolveAccount, initialAccount, type Account } from '../../src/domain/account/account.ts';
import type { AccountEvent } from '../../src/domain/account/events.ts';
import { available } from '../../src/domain/account/wallet.ts';
import type { Recorded } from '../../src/eventstore/codec.ts';
import { StoreUnavailable } from '../../src/eventstore/event-store.ts';
import { balances, type BalanceRow } from '../../src/projections/balances.ts';
import { audit } from '../../test/domain/account/audit.ts';
import type { CommandCall, History, ReadCall } from './history.ts';
import { ask, balanceOf, carryOut, heldOf, openLedger, type Ledger, type Verdict } from './reference-ledger.ts';
import { answerOf, eventInWords, show, whatOf } from './story.ts';

/** A promise that a history shows to be broken. */
export class BrokenHistory extends Error {
  override readonly name = 'BrokenHistory';
}

/** Throws BrokenHistory unless all that was written and all that was told is as if commands had been given one after another. */
export const judge = (history: History): void => {
  history.logs.forEach((log, account) => {
    const of = <C extends CommandCall | ReadCall>(calls: readonly C[]): C[] =>
      calls.filter(({ what }) => what.account === account);
    judgeAccount(log, history.commands, of(history.calls), of(history.reads));
  });
};

const judgeAccount = (
  log: readonly Recorded[],
  commands: History['commands'],
  calls: readonly CommandCall[],
  reads: readonly ReadCall[],
): void => {
  for (const call of [...calls, ...reads]) judgeFault(call);
  const byCommand = Map.groupBy(log, ({ metadata }) => metadata.commandId);
  const told = Map.groupBy(calls.filter(wasDone), ({ what }) => what.commandId);
  for (const [commandId, done] of told) judgeDone(done, byCommand.get(commandId) ?? []);

  // What wrote nothing is explained by some moment between question and answer, before the command had its effect.
  const unexplained = new Set(calls.filter(wroteNothing));
  const unread = new Set(reads.filter(({ answer }) => answer && !(answer instanceof Error)));
  const before = (position: number): number => log.filter((recorded) => recorded.position <= position).length;
  const lastMoment = ({ what, to }: CommandCall): number =>
    Math.min(before(to), byCommand.get(what.commandId)?.[0]?.revision ?? Infinity);

  const ledger = openLedger();
  let account = initialAccount();
  let row: BalanceRow | undefined;
  for (let revision = 0; ;) {
    judgeState(account, ledger, row);
    for (const call of unexplained) {
      if (revision < before(call.from) || revision > lastMoment(call)) continue;
      if (explains(ask(ledger, call.what.command), call, revision)) unexplained.delete(call);
    }
    for (const call of unread) {
      if (revision < before(call.from) || revision > before(call.to)) continue;
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
    revision += own.length;
  }
  for (const call of unexplained) {
    broken(`nothing explains the answer to ${whatOf(call.what)}: ${answerOf(call.answer)}`);
  }
  for (const { what, answer } of unread) broken(`the account was never what ${whatOf(what)} told: ${answerOf(answer)}`);
  promiseOf(() => audit(log.map(({ event }) => event as AccountEvent)));
};

const judgeFault = ({ what, answer, state }: CommandCall | ReadCall): void => {
  if (state === 'open') broken(`${whatOf(what)} was never answered, though its process lives`);
  if (answer instanceof Error && !(answer instanceof StoreUnavailable)) {
    broken(`${whatOf(what)} failed with ${answerOf(answer)}`);
  }
};

/** Everybody who was told that a command is done was told the same, and it is what the log has. */
const judgeDone = (done: readonly CommandCall[], own: readonly Recorded[]): void => {
  const last = own.at(-1);
  let firsts = 0;
  for (const { what, answer, from, to } of done) {
    if (!answer || answer instanceof Error || !answer.accepted) continue;
    const saying = `${whatOf(what)} is said to be ${answerOf(answer)}`;
    if (!last) return broken(`${saying}, but is not in the log`);
    const inLog = own.map(({ event }) => event);
    if (!isDeepStrictEqual(answer.events, inLog)) broken(`${saying}, but the log has ${events(own)}`);
    if (answer.revision !== last.revision || answer.position !== last.position) {
      broken(`${saying} and position ${answer.position}, but the log has it at ${last.revision} and ${last.position}`);
    }
    if (last.position > to) broken(`${saying} before it is in the log`);
    if (!answer.repeated && last.position <= from) broken(`${saying}, though it was done before it was asked`);
    if (!answer.repeated && ++firsts > 1) broken(`${saying}, to more than one caller`);
  }
};

const judgeEffect = (own: readonly Recorded[], verdict: Verdict): void => {
  const found = events(own);
  if ('refusal' in verdict) return broken(`the log has ${found}, which must be refused: ${show(verdict.refusal)}`);
  const { effects } = verdict;
  const same = effects.length === own.length && effects.every((effect, n) => says(own[n]?.event, effect));
  if (!same)
    broken(`the log has ${found}, where there must be ${effects.map(eventInWords).join(' and ') || 'nothing'}`);
};

/** The domain's fold, the projection and the reference agree, and nothing is ever negative. */
const judgeState = ({ wallet }: Account, ledger: Ledger, row: BalanceRow | undefined): void => {
  const reference = {
    balance: balanceOf(ledger),
    held: heldOf(ledger),
    toppedUp: ledger.toppedUp,
    charged: ledger.charged,
    lots: ledger.lots.map(({ id, left }) => [id, left]),
    holds: [...ledger.holds].map(([id, { amount }]) => [id, amount]),
  };
  const { balance, held, toppedUp, charged } = wallet;
  const lots = [...wallet.lots].map(([id, { remaining }]) => [id, remaining]);
  const holds = [...wallet.holds].map(([id, { amount }]) => [id, amount]);
  const folded = { balance, held, toppedUp, charged, lots, holds };
  if (!isDeepStrictEqual(folded, reference)) broken(`the account has ${show(folded)} and must have ${show(reference)}`);
  if (balance < 0n || available(wallet) < 0n) broken(`the account is negative: ${show(folded)}`);
  if (!row) return;
  const projected = [row.topped_up, row.charged, row.written_off, row.held, row.open_holds];
  const due = [ledger.toppedUp, ledger.charged, ledger.writtenOff, reference.held, ledger.holds.size];
  if (!isDeepStrictEqual(projected, due)) broken(`the balances have ${show(projected)} and must have ${show(due)}`);
};

const project = (row: BalanceRow | undefined, recorded: Recorded): BalanceRow | undefined => {
  const [key] = balances.keysOf(recorded);
  return key ? balances.evolve(row, recorded, key) : row;
};

const explains = (verdict: Verdict, { answer }: CommandCall, revision: number): boolean => {
  if (!answer || answer instanceof Error) return false;
  if (!answer.accepted) {
    // Which limit was in the way is told for the customer's sake; what was decided is in the rest.
    const { limit: _, ...refusal } = answer.refusal;
    return 'refusal' in verdict && isDeepStrictEqual(refusal, verdict.refusal);
  }
  return 'effects' in verdict && verdict.effects.length === 0 && answer.revision === revision - 1;
};

const wasDone = ({ answer }: CommandCall): boolean =>
  answer !== undefined && !(answer instanceof Error) && answer.accepted && answer.events.length > 0;
const wroteNothing = (call: CommandCall): boolean =>
  call.answer !== undefined && !(call.answer instanceof Error) && !wasDone(call);

const sameCommand = (log: readonly Recorded[], from: number): readonly Recorded[] => {
  const { commandId } = log[from]?.metadata ?? {};
  const end = log.findIndex(({ metadata }, n) => n > from && metadata.commandId !== commandId);
  return log.slice(from, end === -1 ? undefined : end);
};

const commandOf = (commands: History['commands'], { metadata, event }: Recorded) =>
  commands.get(metadata.commandId) ?? broken(`nobody asked for ${event.type} of ${idInWords(metadata.commandId)}`);

const says = (event: object | undefined, effect: object): boolean =>
  Object.entries(effect).every(([field, value]) =>
    isDeepStrictEqual((event as Readonly<Record<string, unknown>> | undefined)?.[field], value),
  );

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
