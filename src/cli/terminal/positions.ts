import { InvalidArgumentError } from 'commander';

/** Parses a position of the log. */
export const position = (text: string): number => {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, from 1.');
  return Number(text);
};
