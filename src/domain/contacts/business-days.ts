const DAY_MS = 24 * 60 * 60 * 1000;

/** After three business days without an answer, the payment partner can refund on its own. */
export const REPLY_WITHIN_DAYS = 3;

const isWeekend = (time: number): boolean => [0, 6].includes(new Date(time).getUTCDay());
const beginOfDay = (time: number): number => time - (((time % DAY_MS) + DAY_MS) % DAY_MS);

/**
 * When a contact must be answered: three business days, Monday to Friday in UTC, after it was opened, in ms since the epoch.
 * A contact that is opened on a weekend counts from Monday, 00:00. Public holidays count as business days.
 */
export const replyBy = (openedAt: Date): number => {
  let time = openedAt.getTime();
  while (isWeekend(time)) time = beginOfDay(time) + DAY_MS;
  for (let days = 0; days < REPLY_WITHIN_DAYS; days++) {
    time += DAY_MS;
    while (isWeekend(time)) time += DAY_MS;
  }
  return time;
};
