import { Presets, SingleBar } from 'cli-progress';

/** A bar on stderr, shown only where somebody is looking. `more` goes between what is done and how long it took. */
export const createBar = (what: string, unit = 'events', more = ''): SingleBar =>
  new SingleBar(
    {
      format: `${what} {bar} {percentage}% | {value} of {total} ${unit}${more} | {duration_formatted}`,
      // Else it would take the first Ctrl-C for itself.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
