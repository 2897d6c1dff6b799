import fc from 'fast-check';
import { evolveAccount, initialAccount, type Account } from '../../../src/domain/account/account.ts';
import { decideAccount, type AccountCommand } from '../../../src/domain/account/decide.ts';
import type { AccountEvent } from '../../../src/domain/account/events.ts';
import { anyCommand } from '../account/arbitrary.ts';
import { anyEnd } from '../account/conduct/arbitrary.ts';
import { customer } from '../account/examples.ts';
import { informed } from '../account/refunds/informed.ts';
import { aboutOnePayment } from '../account/refunds/one-payment.ts';

/** One decision: what was asked, and the events that it caused. */
export type Decided = { readonly command: AccountCommand; readonly events: readonly AccountEvent[] };

const beforeClosing = anyCommand.filter(
  (command) =>
    command.type !== 'CloseAccount' && !(command.type === 'RecordViolation' && command.consequence === 'termination'),
);

/** Some accounts are closed half-way. */
const ofAllKinds: fc.Arbitrary<readonly AccountCommand[]> = fc
  .tuple(
    fc.array(beforeClosing, { minLength: 1, maxLength: 60, size: 'max' }),
    fc.array(anyCommand, { maxLength: 20 }),
    fc.option(anyEnd, { freq: 1 }),
  )
  .map(([open, after, end]) => [...open, ...(end ? [end] : []), ...after]);

export const moves = fc.oneof({ weight: 3, arbitrary: ofAllKinds }, { weight: 1, arbitrary: aboutOnePayment });

export const fold = (events: readonly AccountEvent[]): Account => events.reduce(evolveAccount, initialAccount());

/** The ids that a command uses up: each refund has an id of its own, here and at the partner. */
const idsOf = (command: AccountCommand): readonly string[] => {
  if (command.type === 'HoldForRefund') return command.refunds.map(({ refundId }) => refundId);
  if (command.type === 'RecordRefund') return [command.reference];
  return [];
};

/** The decisions of the account of a customer without credits, without those that refuse. */
export const decisionsOf = (asked: readonly AccountCommand[]): readonly Decided[] => {
  const history = [...customer];
  const decided: Decided[] = [];
  const used = new Set<string>();
  for (const one of asked) {
    const command = informed(one, history);
    if (idsOf(command).some((id) => used.has(id))) continue;
    const decision = decideAccount(command, fold(history));
    if (decision.kind === 'refused') continue;
    history.push(...decision.events);
    for (const id of idsOf(command)) used.add(id);
    if (command.type === 'RecordRefund' && command.refundId !== null) used.add(command.refundId);
    decided.push({ command, events: decision.events });
  }
  return decided;
};
