import type { IncomingHttpHeaders } from 'node:http';

type Headers = Readonly<Record<string, string | string[] | undefined>> & Pick<IncomingHttpHeaders, 'date'>;

/**
 * How many milliseconds an upstream asks us to wait: `retry-after-ms`, as OpenAI sends it, else `Retry-After` in seconds or
 * as a date (RFC 9110, 10.2.3). A date counts from the upstream's own clock if the response has a `Date`.
 */
export const readRetryAfter = (headers: Headers, now: number = Date.now()): number | undefined => {
  const [ms, seconds] = [headers['retry-after-ms'], headers['retry-after']];
  return first(ms, decimal) ?? first(seconds, (text) => inMs(decimal(text)) ?? until(text, headers.date, now));
};

const first = (
  header: string | string[] | undefined,
  read: (text: string) => number | undefined,
): number | undefined => {
  for (const text of [header ?? []].flat()) {
    const value = read(text.trim());
    if (value !== undefined) return Math.ceil(value);
  }
  return undefined;
};

const inMs = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : seconds * 1000);

/** A number in decimal digits. Some servers send a fraction, which the standard does not allow. */
const decimal = (text: string): number | undefined => {
  const value = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Infinity;
  return Number.isFinite(value) ? value : undefined;
};

const until = (text: string, date: string | undefined, now: number): number | undefined => {
  const at = readHttpDate(text, now);
  if (at === undefined) return undefined;
  return Math.max(0, at - (readHttpDate(date ?? '', now) ?? now));
};

/** The three forms of RFC 9110, 5.6.7. The last two are obsolete, and must be accepted. */
const forms = [
  /^[a-z]{3}, (?<day>\d\d) (?<month>[a-z]{3}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) gmt$/i,
  /^[a-z]{6,9}, (?<day>\d\d)-(?<month>[a-z]{3})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) gmt$/i,
  /^[a-z]{3} (?<month>[a-z]{3}) (?<day>[\d ]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/i,
];
const months = 'janfebmaraprmayjunjulaugsepoctnovdec';

const readHttpDate = (text: string, now: number): number | undefined => {
  for (const form of forms) {
    const { day = '', month = '', year = '', time = '' } = form.exec(text)?.groups ?? {};
    const place = months.indexOf(month.toLowerCase()) / 3;
    if (day === '' || !Number.isInteger(place) || place < 0) continue;
    const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
    const at = new Date(Date.UTC(fullYear(year, now), place, Number(day), hours, minutes, seconds));
    // A day that the month does not have would be read as one of the next month.
    return at.getUTCDate() === Number(day) ? at.getTime() : undefined;
  }
  return undefined;
};

/** A year of two digits that would be more than 50 years ahead is the most recent one in the past. */
const fullYear = (year: string, now: number): number => {
  if (year.length === 4) return Number(year);
  const thisYear = new Date(now).getUTCFullYear();
  const full = thisYear - (thisYear % 100) + Number(year);
  return full > thisYear + 50 ? full - 100 : full;
};
