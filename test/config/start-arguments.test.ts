import { describe, expect, it } from 'vitest';
import { readStartArguments } from '../../src/config/start-arguments.ts';

const read = (...args: readonly string[]) => readStartArguments(args, { production: false });

describe('the arguments of npm start', () => {
  it('may be left out, also in production', () => {
    expect(read()).toEqual({});
    expect(readStartArguments([], { production: true })).toEqual({});
  });

  it.each([
    [['--clock', '2026-08-01'], '2026-08-01T00:00:00.000Z'],
    [['--clock=2026-08-01'], '2026-08-01T00:00:00.000Z'],
    [['--clock', '2026-08-01T09:30Z'], '2026-08-01T09:30:00.000Z'],
    [['--clock', '2026-08-01T09:30:15.5+02:00'], '2026-08-01T07:30:15.500Z'],
  ])('are read from %j', (args, at) => expect(read(...args)).toEqual({ clock: new Date(at) }));

  it.each([
    [['--clock']],
    [['--clock', '']],
    [['--clock', 'yesterday']],
    [['--clock', '2026-08']],
    [['--clock', '2026-02-30']],
    [['--clock', '2026-13-01']],
    // Without a zone it would be the local time of this machine.
    [['--clock', '2026-08-01T09:30']],
    [['--clock', '2026-08-01', '2026-08-02']],
  ])('are refused with an example if the time is invalid: %j', (args) =>
    expect(() => read(...args)).toThrow(/Invalid argument of --clock.*npm start -- --clock 2026-08-01/),
  );

  it('are refused if they are unknown, so that a typing error does not start in real time', () =>
    expect(() => read('--clok', '2026-08-01')).toThrow('Unknown argument "--clok"'));

  it('do not simulate time in production', () =>
    expect(() => readStartArguments(['--clock', '2026-08-01'], { production: true })).toThrow(
      /production runs in real time/,
    ));
});
