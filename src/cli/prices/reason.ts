import { InvalidArgumentError } from 'commander';
import { plain } from '../account-history/plain-text.ts';

const MAX_REASON = 500;

/** Parses a reason, which is stored in the log. */
export const reasonOf = (text: string): string => {
  const reason = text.trim();
  if (reason === '') throw new InvalidArgumentError('It must not be empty.');
  if (reason.length > MAX_REASON) throw new InvalidArgumentError(`It must have at most ${MAX_REASON} characters.`);
  if (plain(reason) !== reason) throw new InvalidArgumentError('It must not contain control characters.');
  return reason;
};
