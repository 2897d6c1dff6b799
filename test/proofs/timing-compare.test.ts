import { describe, expect, it } from 'vitest';
import { createRandom } from '../../proofs/random.ts';
import { compareRanks, isDistinguishable } from '../../proofs/timing/rank-sum.ts';

const random = createRandom('timing');
/** Durations around 10 ms, as uneven as real ones. */
const durations = (moreMs: number): readonly number[] =>
  Array.from(
    { length: 500 },
    () => 10 + random.between(0, 1000) / 500 + (random.between(0, 20) === 0 ? 30 : 0) + moreMs,
  );

describe('the comparison of durations', () => {
  it('finds no difference between samples of one distribution', () => {
    for (let n = 0; n < 20; n++) expect(isDistinguishable(compareRanks(durations(0), durations(0)))).toBe(false);
  });

  it('finds a difference of a fifth of a millisecond in either direction', () => {
    expect(isDistinguishable(compareRanks(durations(0.2), durations(0)))).toBe(true);
    expect(isDistinguishable(compareRanks(durations(0), durations(0.2)))).toBe(true);
  });

  it('counts equal values as half', () => {
    expect(compareRanks([1, 2, 3], [1, 2, 3])).toEqual({ share: 0.5, z: 0 });
    expect(compareRanks([2, 3], [0, 1])).toMatchObject({ share: 1 });
  });
});
