import { InvalidConfig } from './config.ts';

export type StartArguments = {
  /** The time at which an empty log begins. */
  readonly clock?: Date;
};

const DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;
const USAGE = 'The only argument is --clock with a date or a time, such as `npm start -- --clock 2026-08-01`';

/** The arguments of the process, for example `--clock 2026-08-01` (midnight, UTC). Throws InvalidConfig. */
export const readStartArguments = (
  args: readonly string[],
  { production }: { production: boolean },
): StartArguments => {
  const [name, ...rest] = args.flatMap((arg) => (arg.startsWith('--clock=') ? ['--clock', arg.slice(8)] : [arg]));
  if (name === undefined) return {};
  if (name !== '--clock') throw new InvalidConfig(`Unknown argument ${JSON.stringify(name)}. ${USAGE}.`);
  const [text = '', surplus] = rest;
  const clock = new Date(text);
  // Date rolls 30 February over to March.
  const exists = DATE.test(text) && !Number.isNaN(clock.getTime()) && dayExists(text.slice(0, 10));
  if (!exists || surplus !== undefined) {
    throw new InvalidConfig(
      `Invalid argument of --clock: ${JSON.stringify(rest.join(' '))}. ${USAGE}, or 2026-08-01T09:30Z.`,
    );
  }
  if (production) {
    throw new InvalidConfig(
      '--clock simulates time, and production runs in real time. Start without --clock, or without NODE_ENV=production.',
    );
  }
  return { clock };
};

const dayExists = (day: string): boolean => {
  const date = new Date(day);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
};
