import { createInterface } from 'node:readline/promises';

export const NOT_CONFIRMED = 'Nothing was changed. To do it, run the command again with --yes.';

/** Asks on a terminal; elsewhere only --yes confirms. */
export const isConfirmed = async (yes: boolean): Promise<boolean> => {
  if (yes || !process.stdin.isTTY) return yes;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question('Do it? [y/N] ')).trim());
  } finally {
    terminal.close();
  }
};
