/** How two samples of durations compare. */
export type Comparison = {
  /** How likely a value of the first sample is larger than one of the second: 0.5 if they do not differ. */
  readonly share: number;
  /** How many standard deviations the rank sum is from that of equal samples. */
  readonly z: number;
};

/** The rank-sum test of Mann and Whitney. It needs no assumption about how durations are distributed. */
export const compareRanks = (first: readonly number[], second: readonly number[]): Comparison => {
  const all = [
    ...first.map((value) => ({ value, isFirst: true })),
    ...second.map((value) => ({ value, isFirst: false })),
  ];
  all.sort((a, b) => a.value - b.value);
  let rankSum = 0;
  for (let start = 0; start < all.length;) {
    let end = start;
    while (end < all.length && all[end]?.value === all[start]?.value) end++;
    // Equal values share the mean of their ranks.
    const rank = (start + 1 + end) / 2;
    for (; start < end; start++) if (all[start]?.isFirst) rankSum += rank;
  }
  const [n, m] = [first.length, second.length];
  const larger = rankSum - (n * (n + 1)) / 2;
  return { share: larger / (n * m), z: (larger - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12) };
};

/** A difference that chance explains once in a thousand times. */
const MAX_Z = 3.3;
/** Smaller differences are of no use to an attacker: each guess needs hundreds of mails to the address. */
const MAX_SHARE = 0.05;

export const isDistinguishable = ({ share, z }: Comparison): boolean =>
  Math.abs(z) > MAX_Z && Math.abs(share - 0.5) > MAX_SHARE;

export const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * q)] ?? Number.NaN;
