import { InvalidArgumentError } from 'commander';
import { plain } from '../account-history/plain-text.ts';

const MAX_LENGTH = 500;

/** Parses one line of text, such as a reason, which is stored permanently in the log. */
export const oneLine = (text: string): string => {
  const line = text.trim();
  if (line === '') throw new InvalidArgumentError('It must not be empty.');
  if (line.length > MAX_LENGTH) throw new InvalidArgumentError(`It must have at most ${MAX_LENGTH} characters.`);
  if (plain(line) !== line) throw new InvalidArgumentError('It must not contain control characters.');
  return line;
};
