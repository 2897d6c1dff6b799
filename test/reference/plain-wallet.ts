import type { Wallet } from '../../src/domain/account/wallet.ts';
import {
  availableOf,
  balanceOf,
  heldForRefund,
  heldOf,
  inPayOrder,
  openDebtOf,
  remainingOf,
  toppedUpOf,
  totalOf,
  type Flows,
  type MoneyBooks,
} from './money-books.ts';

const flows = ['reversed', 'repaid', 'refunded', 'chargedBack', 'expired', 'forfeited', 'waived'] as const;

/** What the domain's wallet states, in a form that can be compared with `plainBooks`. */
export const plainWallet = (wallet: Wallet) => {
  const { toppedUp, charged, balance, locked, held } = wallet;
  return {
    ...{ toppedUp, charged, balance, held },
    available: balance - locked - held,
    expired: wallet.expired,
    ...Object.fromEntries(flows.map((flow) => [flow, wallet[flow]])),
    debt: wallet.debts.reduce((sum, { open }) => sum + open, 0n),
    lots: [...wallet.lots].map(([id, lot]) => ({
      ...{ id, remaining: lot.remaining, heldForRefund: lot.heldForRefund, frozen: lot.frozen },
      awaited: lot.awaited.map(({ reference, amount }) => [reference, amount]),
    })),
    totals: Object.fromEntries(
      [...wallet.lots, ...wallet.spentLots]
        .sort(([, one], [, other]) => one.age - other.age)
        .map(([id, { used, ...lot }]) => [id, [lot.amount, used, ...flows.map((flow) => lot[flow])]]),
    ),
    refunds: Object.fromEntries([...wallet.refunds].map(([id, { amount }]) => [id, amount])),
    debts: wallet.debts.map(({ lotId, reference, open, reduced }) => [lotId, reference, open, reduced]),
    holds: [...wallet.holds].map(([id, { amount }]) => [id, amount]),
  };
};

/** The same of the reference. */
export const plainBooks = (books: MoneyBooks): ReturnType<typeof plainWallet> => {
  const flow = (name: keyof Flows): bigint => totalOf(books, name);
  return {
    ...{ toppedUp: toppedUpOf(books), charged: flow('used'), balance: balanceOf(books), held: heldOf(books) },
    available: availableOf(books),
    expired: flow('expired'),
    ...Object.fromEntries(flows.map((name) => [name, flow(name)])),
    debt: openDebtOf(books),
    lots: inPayOrder(books.lots)
      .filter((lot) => remainingOf(lot) > 0n)
      .map((lot) => ({
        ...{ id: lot.id, remaining: remainingOf(lot), heldForRefund: heldForRefund(lot), frozen: lot.frozen },
        awaited: lot.awaited.map(({ of, amount }) => [of.reference, amount]),
      })),
    totals: Object.fromEntries(
      books.lots.map(({ id, amount, flows: own }) => [id, [amount, own.used, ...flows.map((name) => own[name])]]),
    ),
    refunds: Object.fromEntries(books.lots.flatMap(({ refunds }) => [...refunds])),
    debts: books.debts.map(({ lotId, reference, open, reversed }) => [lotId, reference, open, reversed]),
    holds: [...books.holds].map(([id, { amount }]) => [id, amount]),
  };
};
