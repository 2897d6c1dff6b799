import { InvalidArgumentError } from 'commander';

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** Parses a time argument. */
export const moment = (text: string): Date => {
  const time = new Date(text);
  if (!isoTime.test(text) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError('It must be an ISO 8601 time with a zone, such as 2026-01-31T10:00:00Z.');
  }
  return time;
};
