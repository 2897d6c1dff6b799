import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number; commander refuses anything else, with the reason. */
export const wholeNumber =
  (from: number, to: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`);
  };

/** The same, for several with commas between them. */
export const wholeNumbers = (from: number, to: number) => {
  const read = wholeNumber(from, to);
  return (text: string): readonly number[] => text.split(',').map((one) => read(one.trim()));
};

/** Some of these names, with commas between them. */
export const someOf =
  <Name extends string>(names: readonly Name[]) =>
  (text: string): readonly Name[] =>
    text.split(',').map((one) => {
      const known = names.find((name) => name === one.trim());
      if (known !== undefined) return known;
      throw new InvalidArgumentError(`"${one.trim()}" is none of: ${names.join(', ')}.`);
    });
