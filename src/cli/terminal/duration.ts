import { InvalidArgumentError } from 'commander';

const UNIT_MS = { s: 1000, m: 60_000, h: 60 * 60_000, d: 24 * 60 * 60_000 } as const;
const DURATION = /^([1-9]\d{0,8})([smhd])$/;

/** Parses a duration argument, such as 14d, 36h, 90m or 30s, into milliseconds. */
export const duration = (text: string): number => {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (count === undefined) {
    throw new InvalidArgumentError(
      'It must be a whole number of days, hours, minutes or seconds, such as 14d, 36h, 90m or 30s.',
    );
  }
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
};
