import fc from 'fast-check';
import { evolveAccount, initialAccount, type Account } from '../../../src/domain/account/account.ts';
import { decideAccount, type AccountCommand } from '../../../src/domain/account/decide.ts';
import type { AccountEvent, LotSource } from '../../../src/domain/account/events.ts';
import { close, customer } from '../account/examples.ts';
import { anyCommand } from '../account/arbitrary.ts';

type Charge = Extract<AccountEvent, { type: 'HoldSettled' | 'LateUsageCharged' }>;

/** A command, or one that depends on what has been charged so far. */
type Move = { readonly command: AccountCommand } | { readonly reverse: number; readonly amount: bigint };

/** One decision: what was asked, and the events that it caused. */
export type Decided = { readonly command: AccountCommand; readonly events: readonly AccountEvent[] };

// Few names and small amounts, so that commands meet.
const lotId = fc.constantFrom('lot_1', 'lot_2', 'lot_3');
const disputeId = fc.constantFrom('dsp_1', 'dsp_1', 'dsp_1', 'dsp_2');
const refundId = fc.constantFrom('rfd_1', 'rfd_2', 'rfd_3', 'rfd_4');
const reference = fc.constantFrom('ref_1', 'ref_2', 'ref_3', 'ref_4', 'ref_5');
const amount = fc.bigInt(1n, 40n);
const source: LotSource = { kind: 'payment', reference: 'pay_1' };
const of = <Type extends AccountCommand['type']>(type: Type) => fc.constant(type);

const refundMove: fc.Arbitrary<AccountCommand> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: of('TopUp'), lotId, amount, source: fc.constant(source) }) },
  fc.record({
    type: of('HoldForRefund'),
    refunds: fc.tuple(fc.record({ refundId, lotId, amount })),
    reason: fc.constant('not_needed' as const),
  }),
  fc.record({ type: of('ReleaseRefundHold'), refundId, reason: fc.constant('refused') }),
  {
    weight: 2,
    arbitrary: fc.record({ type: of('RecordRefund'), lotId, reference, refundId: fc.option(refundId), amount }),
  },
  { weight: 4, arbitrary: fc.record({ type: of('FreezeLot'), lotId, disputeId }) },
  fc.record({ type: of('UnfreezeLot'), lotId, disputeId }),
  { weight: 4, arbitrary: fc.record({ type: of('RecordChargeback'), lotId, disputeId, amount }) },
  { weight: 3, arbitrary: fc.record({ type: of('ReverseChargeback'), lotId, disputeId }) },
  fc.record({ type: of('WriteOffDebt'), lotId, amount, reason: fc.constant('insolvent') }),
  fc.record({ type: of('ForfeitCredits'), reason: fc.constant('violation') }),
  fc.record({ type: of('WaiveCredits'), reason: fc.constant('given up'), lotId }, { requiredKeys: ['type', 'reason'] }),
);

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ command: anyCommand.filter(({ type }) => type !== 'CloseAccount') }) },
  { weight: 5, arbitrary: fc.record({ command: refundMove }) },
  { weight: 2, arbitrary: fc.record({ reverse: fc.nat(9), amount }) },
);

/** Some accounts are closed half-way. */
export const moves: fc.Arbitrary<readonly Move[]> = fc
  .tuple(fc.array(move, { minLength: 1, maxLength: 60, size: 'max' }), fc.array(move, { maxLength: 20 }), fc.boolean())
  .map(([open, after, closes]) => [...open, ...(closes ? [{ command: close() }] : []), ...after]);

export const fold = (events: readonly AccountEvent[]): Account => events.reduce(evolveAccount, initialAccount());

const isCharge = (event: AccountEvent): event is Charge =>
  event.type === 'HoldSettled' || event.type === 'LateUsageCharged';

/** The ids that a command uses up: each refund has an id of its own, here and at the partner. */
const idsOf = (command: AccountCommand): readonly string[] => {
  if (command.type === 'HoldForRefund') return command.refunds.map(({ refundId }) => refundId);
  if (command.type === 'RecordRefund') return [command.reference];
  return [];
};

/** The command of a move; undefined if there is nothing to reverse. */
const commandOf = (one: Move, history: readonly AccountEvent[]): AccountCommand | undefined => {
  if ('command' in one) return one.command;
  const charges = history.filter(isCharge);
  const charge = charges[one.reverse % (charges.length || 1)];
  if (!charge) return undefined;
  const { requestId, charged, drawn } = charge;
  return {
    ...({ type: 'ReverseCharge', requestId, charged, drawn, reason: 'wrong answer' } as const),
    ...{ amount: one.amount, chargedAt: 0, at: 0 },
  };
};

/** The decisions of the account of a customer without credits, without those that refuse. */
export const decisionsOf = (asked: readonly Move[]): readonly Decided[] => {
  const history = [...customer];
  const decided: Decided[] = [];
  const used = new Set<string>();
  for (const one of asked) {
    const command = commandOf(one, history);
    if (!command || idsOf(command).some((id) => used.has(id))) continue;
    const decision = decideAccount(command, fold(history));
    if (decision.kind === 'refused') continue;
    history.push(...decision.events);
    for (const id of idsOf(command)) used.add(id);
    if (command.type === 'RecordRefund' && command.refundId !== null) used.add(command.refundId);
    decided.push({ command, events: decision.events });
  }
  return decided;
};
