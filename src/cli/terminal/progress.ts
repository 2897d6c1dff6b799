import { Presets, SingleBar } from 'cli-progress';

/** A progress bar on stderr, shown only on a terminal. `more` is inserted before the duration. */
export const createBar = (what: string, unit = 'events', more = ''): SingleBar =>
  new SingleBar(
    {
      format: `${what} {bar} {percentage}% | {value} of {total} ${unit}${more} | {duration_formatted}`,
      // Otherwise it would consume the first Ctrl-C.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
