import { InvalidArgumentError } from 'commander';
import { plain } from '../account-history/plain-text.ts';

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** Parses a time argument. */
export const moment = (text: string): Date => {
  const time = new Date(text);
  if (!isoTime.test(text) || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError('It must be an ISO 8601 time with a zone, such as 2026-01-31T10:00:00Z.');
  }
  return time;
};

const MAX_LENGTH = 500;

/** Parses one line of text, such as a reason, which is stored permanently in the log. */
export const oneLine = (text: string): string => {
  const line = text.trim();
  if (line === '') throw new InvalidArgumentError('It must not be empty.');
  if (line.length > MAX_LENGTH) throw new InvalidArgumentError(`It must have at most ${MAX_LENGTH} characters.`);
  if (plain(line) !== line) throw new InvalidArgumentError('It must not contain control characters.');
  return line;
};
