import { InvalidArgumentError } from 'commander';

/** Reads the value of an option: a whole number from 1 to `max`. */
export const wholeUpTo =
  (max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  };
