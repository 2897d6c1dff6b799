import { describe, expect, it } from 'vitest';
import { duration } from '../../../src/cli/terminal/duration.ts';

describe('a duration argument', () => {
  it.each([
    ['14d', 14 * 86_400_000],
    ['36h', 36 * 3_600_000],
    ['90m', 90 * 60_000],
    ['1s', 1000],
  ])('may be %s', (text, ms) => expect(duration(text)).toBe(ms));

  it.each(['', '14', 'd', '0d', '-1d', '1.5h', '1 d', '14D', '1w', '1d12h', '01d', '9999999999d', '1e3s'])(
    'may not be "%s"',
    (text) => expect(() => duration(text)).toThrow(/such as 14d/),
  );
});
