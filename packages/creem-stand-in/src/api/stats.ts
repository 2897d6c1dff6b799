import { Router } from 'express';
import { z } from 'zod';
import { Refusal } from '../store/shop.ts';
import type { Shop } from '../store/shop.ts';
import type { PayoutLine } from '../store/state.ts';
import { read } from './fields.ts';

const DAY_MS = 86_400_000;
const instant = z.coerce.number().int().min(0).max(8.64e15);

const StatsQuery = z.strictObject({
  currency: z.enum(['USD', 'EUR']),
  startDate: instant.optional(),
  endDate: instant.optional(),
  interval: z.enum(['day', 'week', 'month']).optional(),
});

type Interval = 'day' | 'week' | 'month';

/** The start of the day, of the week from Monday, or of the month, in UTC. */
const startOf = (at: number, interval: Interval): number => {
  const day = Math.floor(at / DAY_MS);
  switch (interval) {
    case 'day':
      return day * DAY_MS;
    case 'week':
      // Day 0 was a Thursday.
      return (day - ((day + 3) % 7)) * DAY_MS;
    case 'month': {
      const date = new Date(at);
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
    }
  }
};

const nextStart = (start: number, interval: Interval): number =>
  // A month has at most 31 days, so that 32 days after its start is in the next one.
  startOf(start + { day: 1, week: 7, month: 32 }[interval] * DAY_MS, interval);

/** Gross is what customers paid, less what they got back; net is that without tax and fees. Creem does not define them. */
const revenue = (lines: readonly PayoutLine[]) => ({
  grossRevenue: lines.reduce((sum, { gross }) => sum + gross, 0),
  netRevenue: lines.reduce((sum, { net }) => sum + net, 0),
});

export const statsRoutes = (shop: Shop): Router =>
  Router().get('/summary', (request, response) => {
    const { state } = shop;
    const { currency, startDate, endDate, interval } = read(StatsQuery, request.query);
    const [from, to] = [startDate ?? 0, endDate ?? shop.now()];
    if (interval && (startDate === undefined || endDate === undefined)) {
      throw new Refusal('no_dates', 'startDate and endDate are required when interval is specified');
    }
    if (interval && to - from > 3_660 * DAY_MS) throw new Refusal('too_long', 'The range is longer than ten years');
    const lines = [...state.payouts.flatMap((payout) => payout.lines), ...state.unpaid].filter(
      (line) => line.currency === currency && line.at >= from && line.at <= to && line.type !== 'payout_fee',
    );
    const periods: unknown[] = [];
    // Creem leaves out what is before the first transaction of the shop.
    const first = Math.max(from, state.transactions[0]?.created_at ?? to + 1);
    for (let start = startOf(first, interval ?? 'day'); interval && start <= to; start = nextStart(start, interval)) {
      const end = nextStart(start, interval);
      periods.push({ timestamp: start, ...revenue(lines.filter(({ at }) => at >= start && at < end)) });
    }
    const { grossRevenue, netRevenue } = revenue(lines);
    const totals = {
      ...{ totalProducts: state.products.length, totalSubscriptions: 0, totalCustomers: state.customers.length },
      ...{ totalPayments: lines.filter(({ type }) => type === 'payment').length, activeSubscriptions: 0 },
      ...{ totalRevenue: grossRevenue, totalNetRevenue: netRevenue },
      ...{ netMonthlyRecurringRevenue: 0, monthlyRecurringRevenue: 0 },
    };
    response.json({ totals, ...(interval && { periods }) });
  });
