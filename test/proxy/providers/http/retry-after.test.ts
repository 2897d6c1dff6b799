import { describe, expect, it } from 'vitest';
import { readRetryAfter } from '../../../../src/proxy/providers/http/retry-after.ts';

const now = Date.UTC(2026, 9, 21, 7, 27, 58);
const read = (headers: Readonly<Record<string, string | string[] | undefined>>) => readRetryAfter(headers, now);

describe('the wait that an upstream asks for', () => {
  it.each<[string, Record<string, string | string[]>, number | undefined]>([
    ['is undefined without a header', {}, undefined],
    ['is a whole number of seconds', { 'retry-after': '2' }, 2000],
    ['may have a fraction', { 'retry-after': '1.5' }, 1500],
    ['may begin with the fraction', { 'retry-after': '.25' }, 250],
    ['may have spaces around it', { 'retry-after': ' 2 ' }, 2000],
    ['may be zero', { 'retry-after': '0' }, 0],
    ['is read from milliseconds first', { 'retry-after-ms': '150', 'retry-after': '2' }, 150],
    ['may have a fraction of a millisecond, rounded up', { 'retry-after-ms': '150.2' }, 151],
    ['is read from seconds if the milliseconds are invalid', { 'retry-after-ms': 'soon', 'retry-after': '2' }, 2000],
    ['is read from seconds if the milliseconds are empty', { 'retry-after-ms': '', 'retry-after': '2' }, 2000],
    ['is read from the first of several that is valid', { 'retry-after': ['never', '3'] }, 3000],
    ['is an HTTP date', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, 2000],
    ['is an HTTP date in the format of RFC 850', { 'retry-after': 'Wednesday, 21-Oct-26 07:28:00 GMT' }, 2000],
    ['is an HTTP date in the format of asctime', { 'retry-after': 'Wed Oct 21 07:28:00 2026' }, 2000],
    ['is an asctime date with a day of one digit', { 'retry-after': 'Sun Nov  1 00:00:00 2026' }, 923_522_000],
    ['is an HTTP date in any case', { 'retry-after': 'WED, 21 oct 2026 07:28:00 gmt' }, 2000],
    ['is zero for a date that has passed', { 'retry-after': 'Wed, 21 Oct 2026 07:00:00 GMT' }, 0],
    [
      'reads two digits more than 50 years ahead as a year past',
      { 'retry-after': 'Sunday, 06-Nov-94 08:49:37 GMT' },
      0,
    ],
    [
      'is counted from the clock of the upstream if it sends that',
      { 'retry-after': 'Wed, 21 Oct 2026 09:28:10 GMT', date: 'Wed, 21 Oct 2026 09:28:00 GMT' },
      10_000,
    ],
    ['is not negative', { 'retry-after': '-1' }, undefined],
    ['is not an empty text', { 'retry-after': '' }, undefined],
    ['is not infinite', { 'retry-after': 'Infinity' }, undefined],
    ['is not beyond what a number holds', { 'retry-after': '9'.repeat(400) }, undefined],
    ['is not hexadecimal', { 'retry-after': '0x10' }, undefined],
    ['is not a day that does not exist', { 'retry-after': 'Wed, 31 Feb 2026 07:28:00 GMT' }, undefined],
    ['is not another form of date', { 'retry-after': '2026-10-21T07:28:00Z' }, undefined],
  ])('%s: %j', (_, headers, expected) => expect(read(headers)).toBe(expected));
});
