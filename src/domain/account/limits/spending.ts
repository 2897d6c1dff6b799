import type { Credits } from '../../money.ts';
import type { SpendingWindow } from './limits.ts';

/** The spending of one day, one month, or in total. `window` is the number of the day or month. */
export type Counter = { readonly window: number; spent: Credits; held: Credits };

/**
 * A charge belongs to the day and month in which its hold was placed. The previous day and month are kept for holds that
 * were open when they ended. Changes in place.
 */
export type Spending = {
  day: Counter;
  dayBefore: Counter;
  month: Counter;
  monthBefore: Counter;
  readonly total: Counter;
};

const DAY_MS = 24 * 60 * 60 * 1000;
const dayOf = (at: number): number => Math.floor(at / DAY_MS);
const monthOf = (at: number): number => {
  const date = new Date(at);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
};

const counter = (window: number): Counter => ({ window, spent: 0n, held: 0n });

export const noSpending = (): Spending => ({
  day: counter(0),
  dayBefore: counter(-1),
  month: counter(0),
  monthBefore: counter(-1),
  total: counter(0),
});

/** Starts a new day, and a new month, if `at` is in one. */
export const turnPage = (spending: Spending, at: number): void => {
  const day = dayOf(at);
  if (day <= spending.day.window) return;
  spending.dayBefore = spending.day;
  spending.day = counter(day);
  const month = monthOf(at);
  if (month <= spending.month.window) return;
  spending.monthBefore = spending.month;
  spending.month = counter(month);
};

/** Adds to the windows of a time; only to the total if the time is unknown or before the previous window. */
export const countSpending = (spending: Spending, at: number | null, spent: Credits, held: Credits): void => {
  add(spending.total, spent, held);
  if (at === null) return;
  const day = dayOf(at);
  const today = day === spending.day.window;
  add(today ? spending.day : day === spending.dayBefore.window ? spending.dayBefore : undefined, spent, held);
  const month = today ? spending.month.window : monthOf(at);
  const { month: now, monthBefore: before } = spending;
  add(month === now.window ? now : month === before.window ? before : undefined, spent, held);
};

const add = (to: Counter | undefined, spent: Credits, held: Credits): void => {
  if (!to) return;
  if (spent !== 0n) to.spent += spent;
  if (held !== 0n) to.held += held;
};

/** The counter of the window that contains a time; undefined if it is before the previous window. */
export const counterAt = (spending: Spending, window: SpendingWindow, at: number): Counter | undefined => {
  if (window === 'total') return spending.total;
  const [n, now, before] =
    window === 'day'
      ? [dayOf(at), spending.day, spending.dayBefore]
      : [monthOf(at), spending.month, spending.monthBefore];
  if (n > now.window) return counter(n);
  return n === now.window ? now : n === before.window ? before : undefined;
};

/** When the window that contains a time ends; null for the total. */
export const resetsAt = (window: SpendingWindow, at: number): number | null => {
  if (window === 'total') return null;
  if (window === 'day') return (dayOf(at) + 1) * DAY_MS;
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
};
