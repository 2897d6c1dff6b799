import { describe, expect, it } from 'vitest';
import { counted } from '../../../src/cli/terminal/counted.ts';

describe('a number of things', () => {
  it.each([
    [0, '0 events'],
    [1, '1 event'],
    [2, '2 events'],
  ])('%i', (count, text) => expect(counted(count, 'event')).toBe(text));
});
