/** Prints one line of a table: a name and its numbers. */
export const line = (cells: readonly string[], nameWidth = 40): void => {
  process.stdout.write(`${cells.map((cell, n) => (n === 0 ? cell.padEnd(nameWidth) : cell.padStart(11))).join('')}\n`);
};

export const print = (text = ''): void => void process.stdout.write(`${text}\n`);

export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;

/** The quantile `q` (0 to 1) of sorted numbers. */
export const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
