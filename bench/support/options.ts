import { InvalidArgumentError } from 'commander';

/** Parses an option as a whole number; commander reports anything else, with the reason. */
export const wholeNumber =
  (from: number, to: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`);
  };

/** The same for several, separated by commas. */
export const wholeNumbers = (from: number, to: number) => {
  const read = wholeNumber(from, to);
  return (text: string): readonly number[] => text.split(',').map((one) => read(one.trim()));
};

/** Some of these names, separated by commas. */
export const someOf =
  <Name extends string>(names: readonly Name[]) =>
  (text: string): readonly Name[] =>
    text.split(',').map((one) => {
      const known = names.find((name) => name === one.trim());
      if (known !== undefined) return known;
      throw new InvalidArgumentError(`"${one.trim()}" is not one of: ${names.join(', ')}.`);
    });
